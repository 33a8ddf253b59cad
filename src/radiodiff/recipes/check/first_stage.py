"""The first stage of a second one: is it there, does it fit the data, and what of its latents is kept."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.folders import first_there
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.schema import DiffusionRecipe
from radiodiff.recipes.sources import example_shapes

if TYPE_CHECKING:
    from radiodiff.data.repeated_targets import RepeatedTargets
    from radiodiff.pipeline.prior import Prior
    from radiodiff.recipes.first_stage import FirstStage

__all__ = ["check_first_stage", "find_first_stage"]

GIB = 2**30
FIRST_STAGE = "first stage"
LATENTS = "latents"
FEW_MAPS = 100


def find_first_stage(recipe: DiffusionRecipe) -> "FirstStage | CheckRow":
    """The first stage of a recipe, or what is wrong with it."""
    from radiodiff.recipes.first_stage import load_first_stage

    try:
        return load_first_stage(recipe.autoencoder)
    except RadiodiffError as error:
        return error_row(FIRST_STAGE, error, DiffusionRecipe)


def check_first_stage(
    recipe: DiffusionRecipe, found: "FirstStage | CheckRow", prior: "Prior | CheckRow | None" = None
) -> Iterator[CheckRow]:
    """Look at the first stage, at how its maps are padded, and at its latents.

    Args:
        recipe: The recipe.
        found: Its first stage, or what is wrong with it.
        prior: Its prior, or what is wrong with it, or None.
    """
    if isinstance(found, CheckRow):
        yield found
        return
    config = found.config
    yield CheckRow(
        FIRST_STAGE,
        "ok",
        f"{found.folder}: {config.latent_channels} channels, {config.factor} x {config.factor} cells in a latent cell",
    )
    try:
        source = open_data_set(recipe.data)
    except RadiodiffError:
        # Said of the data.
        return
    if isinstance(prior, CheckRow):
        # Said of the prior.
        return
    yield from _fit(recipe, found, source, prior)
    yield from _padding(recipe, found, source)
    yield _scaling(recipe, found)
    if recipe.latents.cache is not None:
        yield from _cache(recipe, found, source, prior)


def _fit(
    recipe: DiffusionRecipe, found: "FirstStage", source: "RepeatedTargets", prior: "Prior | None"
) -> Iterator[CheckRow]:
    from radiodiff.training.latent_source import check_first_stage

    try:
        check_first_stage(found.record, source, prior)
    except RadiodiffError as error:
        yield error_row(FIRST_STAGE, error, DiffusionRecipe)
        return
    if not isinstance(recipe.data, RadioMapSeerConfig):
        return
    for key in ("simulation", "cars"):
        known, wanted = found.record.data.get(key), getattr(recipe.data, key)
        if known is not None and known != wanted:
            yield CheckRow(
                FIRST_STAGE,
                "warning",
                f"it was trained with data.{key}={known}, the second stage has {wanted}",
                "Where maps look different, details that the first stage has not seen are lost.",
            )


def _padding(recipe: DiffusionRecipe, found: "FirstStage", source: "RepeatedTargets") -> Iterator[CheckRow]:
    multiple = recipe.unet.size_multiple(found.config.factor)
    try:
        rows, cols = example_shapes(recipe, source)[0]
    except RadiodiffError:
        return
    full = [-(-length // multiple) * multiple for length in (rows, cols)]
    if full != [rows, cols]:
        yield CheckRow(
            "training data",
            "warning",
            f"{rows} x {cols} cells are no multiples of {multiple}: they are padded to {full[0]} x {full[1]}",
            "Nothing is wrong with it, but the padding is learnt, too, and takes its time.",
        )


def _scaling(recipe: DiffusionRecipe, found: "FirstStage") -> CheckRow:
    config = recipe.latents
    if config.scaling_factor != "measured":
        return CheckRow(LATENTS, "ok", f"times {config.scaling_factor:.6g}, as the recipe says")
    if found.scaling_factor is None:
        return CheckRow(LATENTS, "ok", f"their factor is measured on {config.num_examples} maps before the first step")
    measured = found.record.latents
    finding = f"times {found.scaling_factor:.6g}, as stored with the first stage"
    if measured is not None and measured.num_maps < FEW_MAPS:
        return CheckRow(
            LATENTS,
            "warning",
            f"{finding}, which was measured on {measured.num_maps} maps alone",
            "1,000 maps or more make a good scaling factor: radiodiff latents --save measures it again.",
        )
    return CheckRow(LATENTS, "ok", finding)


def _cache(
    recipe: DiffusionRecipe, found: "FirstStage", source: "RepeatedTargets", prior: "Prior | None"
) -> Iterator[CheckRow]:
    from radiodiff.training.latent_cache import LatentCache
    from radiodiff.training.latent_encoder import LatentEncoder

    folder = recipe.latents.cache
    assert folder is not None
    there = first_there(folder)
    if not (there.is_dir() and os.access(there, os.W_OK)):
        yield CheckRow(LATENTS, "error", f"{there} is no folder that can be written", "Give another latents.cache.")
        return
    try:
        encoder = LatentEncoder(found.network, recipe.unet.size_multiple(found.config.factor), prior)
        cache = LatentCache(folder, encoder, source)
        missing = sum(cache.num_maps(shard) for shard in cache.missing())
    except RadiodiffError as error:
        yield error_row(LATENTS, error, DiffusionRecipe)
        return
    yield CheckRow(
        LATENTS,
        "ok",
        f"{cache.num_bytes / GIB:.3g} GiB in {folder}, {f'{missing} maps to encode first' if missing else 'all there'}",
    )
