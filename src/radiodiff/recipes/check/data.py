"""The data set of a recipe: is it there, does it fit, how often is it seen."""

import warnings
from collections.abc import Iterator

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.sampler import spread
from radiodiff.data.selection import part_config
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.map_shape import map_size
from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["check_data"]

NUM_SIZES = 8
"""Examples whose sizes are looked at where they may differ."""


def check_data(recipe: AutoencoderRecipe) -> Iterator[CheckRow]:
    """Open the data set and read one example of each part, or several where their sizes may differ."""
    data, validation = recipe.data, recipe.trainer.validation
    whole = recipe.examples.replaced(crop_size=None)
    for what, config, examples in (
        ("training data", data, recipe.examples),
        ("validation data", None, whole),
    ):
        try:
            with warnings.catch_warnings():
                # What the warning says is a finding about the settings.
                warnings.filterwarnings("ignore", message="The parts of split 'radiodiff' share maps")
                source = AutoencoderExamples(config or part_config(data, validation.part), examples)
            shapes = _shapes(recipe, source)
        except RadiodiffError as error:
            yield error_row(what, error)
            continue
        part = validation.part if config is None else data.part
        yield CheckRow(
            what,
            "ok",
            f"{len(source)} examples in part {part!r} of {data.root}; channels {source.num_inputs} in, "
            f"{source.num_targets} out; scale {source.scale}; the first of {_size(shapes[0])}",
        )
        yield from _fit(what, recipe, shapes)
        if config is not None:
            yield from _counts(recipe, len(source))


def _shapes(recipe: AutoencoderRecipe, source: AutoencoderExamples) -> list[tuple[int, ...]]:
    """Different (rows, cols) of examples, that of the first one first."""
    may_differ = map_size(recipe.data) is None and source.config.crop_size is None
    numbers = spread(len(source), NUM_SIZES) if may_differ and len(source) else [0]
    return list(dict.fromkeys(source[number].target.shape[1:] for number in (0, *numbers)))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _fit(what: str, recipe: AutoencoderRecipe, shapes: list[tuple[int, ...]]) -> Iterator[CheckRow]:
    factor, is_training = recipe.autoencoder.factor, what == "training data"
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
    yield from _one_size(what, recipe, shapes)


def _one_size(what: str, recipe: AutoencoderRecipe, shapes: list[tuple[int, ...]]) -> Iterator[CheckRow]:
    """Look whether examples can be put into one batch."""
    is_training = what == "training data"
    key = "trainer.batch_size" if is_training else "trainer.validation.batch_size"
    batch_size = recipe.trainer.batch_size if is_training else recipe.trainer.validation.batch_size
    remedy = f"Set {key}=1{', or draw windows (examples.crop_size)' if is_training else ''}."
    if batch_size == 1:
        return
    if len(shapes) > 1:
        found = f"maps of {_size(shapes[0])} and of {_size(shapes[1])} cells, and {key}={batch_size} needs one size"
        yield CheckRow(what, "error", found, remedy)
    elif getattr(recipe.data, "crop", "") == "none" and not (is_training and recipe.examples.crop_size):
        found = f"data.crop='none' gives maps as large as they are, and {key}={batch_size} needs maps of one size"
        yield CheckRow(what, "warning", found, remedy)


def _counts(recipe: AutoencoderRecipe, num_examples: int) -> Iterator[CheckRow]:
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
    if recipe.latents.num_examples > num_examples:
        yield CheckRow(
            "latents",
            "warning",
            f"latents.num_examples={recipe.latents.num_examples} of {num_examples} examples: all of them are measured",
            "1,000 maps or more make a good scaling factor.",
        )
