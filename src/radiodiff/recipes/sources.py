"""The data of a recipe, as its stage sees them."""

from collections.abc import Iterator

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.loader import ExampleSource
from radiodiff.data.sampler import spread
from radiodiff.data.selection import open_data_set, part_config
from radiodiff.recipes.map_shape import map_size
from radiodiff.recipes.schema import AutoencoderRecipe, Recipe

__all__ = ["example_shapes", "open_training", "open_validation"]

NUM_SHAPES = 8
"""Examples whose sizes are looked at where they may differ."""


def open_training(recipe: Recipe) -> ExampleSource:
    """What is trained on.

    Raises:
        ConfigError: The recipe contradicts the data.
        DataSetError: The data set is not there or has not what is asked for.
        FormatError: A file that describes it is damaged.
    """
    if isinstance(recipe, AutoencoderRecipe):
        return AutoencoderExamples(recipe.data, recipe.examples)
    return open_data_set(recipe.data)


def open_validation(recipe: Recipe) -> ExampleSource:
    """What is validated on: whole and without augmentation; see `open_training`."""
    config = part_config(recipe.data, recipe.trainer.validation.part)
    if isinstance(recipe, AutoencoderRecipe):
        return AutoencoderExamples(config, recipe.examples.replaced(crop_size=None))
    return open_data_set(config)


def example_shapes(recipe: Recipe, source: ExampleSource) -> list[tuple[int, int]]:
    """Different (rows, cols) of examples, that of the first one first; some are looked at where they may differ.

    Raises:
        DataSetError: There are no examples, or one cannot be read.
        FormatError: One cannot be read.
    """
    is_window = isinstance(source, AutoencoderExamples) and source.config.crop_size is not None
    may_differ = map_size(recipe.data) is None and not is_window
    numbers = spread(len(source), NUM_SHAPES) if may_differ and len(source) else [0]
    return list(dict.fromkeys(_shapes(source, [0, *numbers])))


def _shapes(source: ExampleSource, numbers: list[int]) -> Iterator[tuple[int, int]]:
    for number in numbers:
        rows, cols = source[number].target.shape[1:]
        yield rows, cols
