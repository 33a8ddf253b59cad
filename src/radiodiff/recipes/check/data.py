"""The data set of a recipe: is it there, does it fit, how often is it seen."""

import warnings
from collections.abc import Iterator

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.example import Example
from radiodiff.data.selection import part_config
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.contradictions import smallest_patch
from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["check_data"]


def check_data(recipe: AutoencoderRecipe) -> Iterator[CheckRow]:
    """Open the data set and read one example of each part."""
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
            example = source[0]
        except RadiodiffError as error:
            yield error_row(what, error)
            continue
        part = validation.part if config is None else data.part
        sizes = " x ".join(map(str, example.target.shape[1:]))
        yield CheckRow(
            what,
            "ok",
            f"{len(source)} examples in part {part!r} of {data.root}; channels {source.num_inputs} in, "
            f"{source.num_targets} out; scale {source.scale}; the first of {sizes}",
        )
        yield from _fit(what, recipe, source, example)
        if config is not None:
            yield from _counts(recipe, len(source))


def _fit(what: str, recipe: AutoencoderRecipe, source: AutoencoderExamples, example: Example) -> Iterator[CheckRow]:
    network, rows, cols = recipe.autoencoder, *example.target.shape[1:]
    if (source.num_inputs, source.num_targets) != (network.in_channels, network.out_channels):
        yield CheckRow(
            what,
            "error",
            f"the network takes {network.in_channels} channels and gives {network.out_channels}",
            f"Set autoencoder.in_channels={source.num_inputs} autoencoder.out_channels={source.num_targets}.",
        )
    if rows % network.factor or cols % network.factor:
        yield CheckRow(
            what,
            "error",
            f"{rows} x {cols} cells are no multiples of {network.factor}, as the network needs them",
            "Set data.size, data.multiple or examples.crop_size to a multiple, or use fewer levels.",
        )
    if what == "training data" and recipe.loss.adversarial is not None:
        smallest = smallest_patch(recipe.discriminator)
        if min(rows, cols) < smallest:
            yield CheckRow(
                what,
                "error",
                f"{rows} x {cols} cells are fewer than the {smallest} x {smallest} that the discriminator judges",
                "Take larger maps or windows, or fewer discriminator.num_layers.",
            )
    batch_size = recipe.trainer.batch_size if what == "training data" else recipe.trainer.validation.batch_size
    sizes_differ = getattr(recipe.data, "crop", "") == "none" and source.config.crop_size is None
    if sizes_differ and batch_size > 1:
        key = "trainer.batch_size" if what == "training data" else "trainer.validation.batch_size"
        yield CheckRow(
            what,
            "warning",
            f"data.crop='none' gives maps as large as they are, and {key}={batch_size} needs maps of one size",
            f"Set {key}=1, or draw windows.",
        )


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
