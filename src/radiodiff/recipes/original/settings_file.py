"""A settings file of the original as a recipe of one of its stages."""

from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from radiodiff.config import checked
from radiodiff.errors import ConfigError
from radiodiff.recipes.load import STAGES
from radiodiff.recipes.original.contradictions import contradictions
from radiodiff.recipes.original.diffusion_contradictions import diffusion_contradictions
from radiodiff.recipes.original.diffusion_file import read_diffusion
from radiodiff.recipes.original.first_stage_file import read_first_stage
from radiodiff.recipes.original.keys import DATA_NAMES
from radiodiff.recipes.original.result import Finding, OriginalImport, OriginalStage
from radiodiff.recipes.resolve import flat
from radiodiff.recipes.schema import DiffusionRecipe, Recipe
from radiodiff.recipes.yaml_text import read_yaml

__all__ = ["import_original"]

FIRST_STAGE_PREFIX = "model.first_stage."


def import_original(path: str | Path, stage: OriginalStage | None = None) -> OriginalImport:
    """Read a settings file of the original program.

    Args:
        path: The file.
        stage: What to make a recipe of: a file of a diffusion model holds its first stage, too. None takes what the
            file is for.

    Raises:
        ConfigError: The file is not there or no YAML, is no settings file of the original, names unknown data, asks
            for what the networks here cannot be, or does not hold this stage.
    """
    leaves = dict(flat(read_yaml(Path(path))))
    is_diffusion = any(key.startswith((FIRST_STAGE_PREFIX, "model.unet.")) for key in leaves)
    prefix = FIRST_STAGE_PREFIX if is_diffusion else "model."
    if not any(key.startswith(f"{prefix}ddconfig.") for key in leaves):
        raise ConfigError(
            "A settings file of the original must have model.ddconfig or model.first_stage.ddconfig",
            value=f"{path} with {', '.join(dict.fromkeys(key.partition('.')[0] for key in leaves))}",
            remedy="Give a file such as configs/first_radio.yaml; recipes need no import.",
        )
    file_stage: OriginalStage = "diffusion" if is_diffusion else "autoencoder"
    if stage == "diffusion" and not is_diffusion:
        raise ConfigError(
            "A file to import a diffusion model from must have model.unet",
            value=f"{path}, a file of an autoencoder",
            remedy="Leave --stage out.",
        )
    _check_data_name(leaves)
    found = OriginalImport(stage or file_stage, file_stage)
    read = read_diffusion if found.stage == "diffusion" else read_first_stage
    read(leaves, prefix, found)
    kind = str(found.get("data.kind"))
    # Keys as in files of autoencoders, so that both are judged by the same rules.
    short = {key.replace(FIRST_STAGE_PREFIX, "model.", 1): value for key, value in leaves.items()}
    found.contradictions += [
        Finding(key.replace("model.", prefix, 1) if key.replace("model.", prefix, 1) in leaves else key, value, text)
        for key, value, text in contradictions(short, kind, is_diffusion=is_diffusion)
    ]
    recipe = _checked(found)
    if isinstance(recipe, DiffusionRecipe):
        found.contradictions += diffusion_contradictions(leaves, recipe)
    return found


def _check_data_name(leaves: Mapping[str, Any]) -> None:
    name = str(leaves.get("data.name"))
    if name not in DATA_NAMES:
        near = get_close_matches(name, DATA_NAMES, n=1)
        raise ConfigError(
            f"data.name of the original must be one of {', '.join(DATA_NAMES)}",
            value=repr(leaves.get("data.name")),
            remedy=f"Did you mean {near[0]!r}?" if near else "Correct the name in the file.",
        )


def _checked(found: OriginalImport) -> Recipe:
    """The recipe, whatever folders it will be given."""
    complete = OriginalImport(found.stage, found.file_stage, deepcopy(found.values))
    for key in found.not_given:
        complete.set(key, "given later")
    return checked(STAGES[found.stage], complete.values)
