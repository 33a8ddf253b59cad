"""The data set of a recipe: is it there, does it fit, how often is it seen."""

import warnings
from collections.abc import Callable, Iterator

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.loader import ExampleSource
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.schema import AutoencoderRecipe, Recipe
from radiodiff.recipes.sources import example_shapes, open_training, open_validation

__all__ = ["check_data"]

Shape = tuple[int, int]

TRAINING = "training data"


def check_data(recipe: Recipe) -> Iterator[CheckRow]:
    """Open the data set and read one example of each part, or several where their sizes may differ."""
    validation = recipe.trainer.validation.part
    for what, part, opened in (
        (TRAINING, recipe.data.part, open_training),
        ("validation data", validation, open_validation),
    ):
        yield from _part(recipe, what, part, opened)


def _part(recipe: Recipe, what: str, part: str, opened: Callable[[Recipe], ExampleSource]) -> Iterator[CheckRow]:
    try:
        with warnings.catch_warnings():
            # What the warning says is a finding about the settings.
            warnings.filterwarnings("ignore", message="The parts of split 'radiodiff' share maps")
            source = opened(recipe)
        shapes = example_shapes(recipe, source)
    except RadiodiffError as error:
        yield error_row(what, error, type(recipe))
        return
    yield CheckRow(
        what,
        "ok",
        f"{len(source)} examples in part {part!r} of {recipe.data.root}; {_channels(source)}; scale {source.scale}; "
        f"the first of {_size(shapes[0])}",
    )
    if isinstance(recipe, AutoencoderRecipe):
        yield from _fit(what, recipe, shapes)
    yield from _one_size(what, recipe, shapes)
    if what == TRAINING:
        yield from _counts(recipe, len(source))


def _channels(source: ExampleSource) -> str:
    """Channels in and out, in words."""
    if isinstance(source, AutoencoderExamples):
        return f"channels {source.num_inputs} in, {source.num_targets} out"
    return f"condition {', '.join(source.encoding.names)}"


def _size(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _fit(what: str, recipe: AutoencoderRecipe, shapes: list[Shape]) -> Iterator[CheckRow]:
    factor, is_training = recipe.autoencoder.factor, what == TRAINING
    divided = [shape for shape in shapes if any(length % factor for length in shape)]
    # Maps of a validation are padded.
    if is_training and divided:
        yield CheckRow(
            what,
            "error",
            f"{_size(divided[0])} cells are no multiples of {factor}, as the network needs them",
            "Set data.size, data.multiple or examples.crop_size to a multiple, or use fewer levels.",
        )
    smallest = min(shapes, key=min)
    perceptual = recipe.loss.perceptual
    if perceptual is not None and min(smallest) < perceptual.smallest_map:
        needed = perceptual.smallest_map
        yield CheckRow(
            what,
            "error",
            f"{_size(smallest)} cells are fewer than the {needed} x {needed} that loss.perceptual compares",
            "Take larger maps or windows, or set loss.perceptual to null.",
        )
    needed = recipe.discriminator.smallest_map
    if is_training and recipe.loss.adversarial is not None and min(smallest) < needed:
        yield CheckRow(
            what,
            "error",
            f"{_size(smallest)} cells are fewer than the {needed} x {needed} that the discriminator judges",
            "Take larger maps or windows, or fewer discriminator.num_layers.",
        )


def _one_size(what: str, recipe: Recipe, shapes: list[Shape]) -> Iterator[CheckRow]:
    """Look whether examples can be put into one batch."""
    is_training, draws_windows = what == TRAINING, isinstance(recipe, AutoencoderRecipe)
    key = "trainer.batch_size" if is_training else "trainer.validation.batch_size"
    batch_size = recipe.trainer.batch_size if is_training else recipe.trainer.validation.batch_size
    windows = ", or draw windows (examples.crop_size)" if is_training and draws_windows else ""
    remedy = f"Set {key}=1{windows}."
    if batch_size == 1:
        return
    is_cut = is_training and isinstance(recipe, AutoencoderRecipe) and recipe.examples.crop_size is not None
    if len(shapes) > 1:
        found = f"maps of {_size(shapes[0])} and of {_size(shapes[1])} cells, and {key}={batch_size} needs one size"
        yield CheckRow(what, "error", found, remedy)
    elif getattr(recipe.data, "crop", "") == "none" and not is_cut:
        found = f"data.crop='none' gives maps as large as they are, and {key}={batch_size} needs maps of one size"
        yield CheckRow(what, "warning", found, remedy)


def _counts(recipe: Recipe, num_examples: int) -> Iterator[CheckRow]:
    trainer = recipe.trainer
    per_step = trainer.batch_size * trainer.accumulation
    epochs = trainer.max_steps * per_step / num_examples
    yield CheckRow(
        "epochs",
        "ok",
        f"{trainer.max_steps} steps of {per_step} examples see each example {epochs:.3g} times, on one process",
    )
    if trainer.batch_size > num_examples:
        yield CheckRow(
            "epochs",
            "error",
            f"trainer.batch_size={trainer.batch_size} takes more examples than there are, {num_examples}",
            "Take a smaller batch, or a larger part of the data set.",
        )
    if isinstance(recipe, AutoencoderRecipe) and recipe.latents.num_examples > num_examples:
        yield CheckRow(
            "latents",
            "warning",
            f"latents.num_examples={recipe.latents.num_examples} of {num_examples} examples: all of them are measured",
            "1,000 maps or more make a good scaling factor.",
        )
