"""A settings file of the original, key by key; every key ends in one list of the result."""

from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from radiodiff.config import checked
from radiodiff.errors import ConfigError
from radiodiff.recipes.original.contradictions import contradictions
from radiodiff.recipes.original.keys import (
    DATA_NAMES,
    DIFFUSION,
    DIFFUSION_GROUPS,
    DROPPED,
    FIRST_STAGE,
    FLOOR,
    INDOOR_LOSS,
    INDOOR_OPTIMIZER,
    INDOOR_PREFIX,
    INDOOR_REASON,
    NEVER_READ,
    NOT_INDOORS,
    OF_KIND,
    PERCEPTUAL_REASON,
    TRAINING,
)
from radiodiff.recipes.original.result import Finding, OriginalImport
from radiodiff.recipes.resolve import flat
from radiodiff.recipes.schema import AutoencoderRecipe
from radiodiff.recipes.yaml_text import read_yaml

__all__ = ["import_original"]

FIRST_STAGE_PREFIX = "model.first_stage."
MULTI_CONDITION = "multi_condition_icassp2025"


def import_original(path: str | Path) -> OriginalImport:
    """Read a settings file of the original program.

    A file of a diffusion model becomes the recipe of its first stage; what is about the diffusion model is kept apart.

    Raises:
        ConfigError: The file is not there or no YAML, is no settings file of the original, names unknown data, or asks
            for what the networks here cannot be.
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
    found = OriginalImport("diffusion" if is_diffusion else "autoencoder")
    _read_data_name(leaves, found)
    is_indoors = str(leaves["data.name"]).startswith(INDOOR_PREFIX)
    for key, value in leaves.items():
        if key != "data.name":
            _read_key(key, key.removeprefix(prefix), value, found, is_indoors=is_indoors)
    _add_what_no_key_says(leaves, found)
    # Keys as in files of autoencoders, so that both are judged by the same rules.
    short = {key.replace(FIRST_STAGE_PREFIX, "model.", 1): value for key, value in leaves.items()}
    found.contradictions += [
        Finding(key.replace("model.", prefix, 1) if key.replace("model.", prefix, 1) in leaves else key, value, text)
        for key, value, text in contradictions(short, str(found.get("data.kind")), is_diffusion=is_diffusion)
    ]
    _check(found)
    return found


def _check(found: OriginalImport) -> None:
    """Check the recipe, whatever folders it will be given."""
    complete = OriginalImport(found.stage, deepcopy(found.values))
    for key in found.not_given:
        complete.set(key, "given later")
    checked(AutoencoderRecipe, complete.values)


def _read_data_name(leaves: Mapping[str, Any], found: OriginalImport) -> None:
    name = str(leaves.get("data.name"))
    if name not in DATA_NAMES:
        near = get_close_matches(name, DATA_NAMES, n=1)
        raise ConfigError(
            f"data.name of the original must be one of {', '.join(DATA_NAMES)}",
            value=repr(leaves.get("data.name")),
            remedy=f"Did you mean {near[0]!r}?" if near else "Correct the name in the file.",
        )
    settings, condition = DATA_NAMES[name]
    _take(found, "data.name", name, {f"data.{key}": value for key, value in settings.items()})
    if condition:
        found.kept.append(Finding("data.name", name, f"the condition: {condition}"))


def _read_key(key: str, short: str, value: Any, found: OriginalImport, *, is_indoors: bool) -> None:
    """Put a key in its list.

    Args:
        key: The key.
        short: Its name in the first stage.
        value: Its value.
        found: Where the lists are.
        is_indoors: Whether the trainer of indoor data read the file.
    """
    is_diffusion, of_first_stage = found.stage == "diffusion", short != key
    if is_diffusion and key in NEVER_READ:
        found.dropped.append(Finding(key, value, NEVER_READ[key]))
    elif is_diffusion and key in TRAINING:
        found.kept.append(Finding(key, value, TRAINING[key][0]))
    elif is_diffusion and key in DIFFUSION:
        found.kept.append(Finding(key, value, DIFFUSION[key]))
    elif is_diffusion and key.startswith(tuple(DIFFUSION_GROUPS)):
        about = next(text for group, text in DIFFUSION_GROUPS.items() if key.startswith(group))
        found.kept.append(Finding(key, value, about))
    elif of_first_stage and short in ("ddconfig.attn_resolutions", "ddconfig.dropout"):
        _check_absent(key, value)
        found.dropped.append(Finding(key, value, "the autoencoder has none"))
    elif of_first_stage and is_indoors and any(name.startswith(NOT_INDOORS) for name in FIRST_STAGE.get(short, ())):
        found.dropped.append(Finding(key, value, f"never read: {INDOOR_REASON['loss']}"))
    elif is_indoors and short in ("trainer.train_wd", "trainer.weight_decay", "trainer.gradient_accumulate_every"):
        found.dropped.append(Finding(key, value, "never read by the trainer of these files"))
    elif of_first_stage and short in FIRST_STAGE:
        _take(found, key, value, dict.fromkeys(FIRST_STAGE[short], value))
    elif key in TRAINING:
        _take(found, key, value, dict.fromkeys(TRAINING[key], value))
    elif key in OF_KIND and OF_KIND[key][0] in (found.get("data.kind"), None):
        _take(found, key, value, {OF_KIND[key][1]: OF_KIND[key][2](value)})
    elif key in OF_KIND and key not in DROPPED:
        found.dropped.append(Finding(key, value, f"belongs to data of kind {OF_KIND[key][0]}"))
    elif short in DROPPED:
        found.dropped.append(Finding(key, value, DROPPED[short]))
    else:
        found.unknown.append(Finding(key, value, "not a key that the original's files are known to have"))


def _take(found: OriginalImport, key: str, value: Any, ours: Mapping[str, Any]) -> None:
    """Give our keys the values that a key has; a key without a value leaves the defaults."""
    if value is None or value == "":
        found.dropped.append(Finding(key, value, "empty"))
        return
    for name, given in ours.items():
        found.set(name, given)
    found.mapped.append(Finding(key, value, ", ".join(f"{name} = {given}" for name, given in ours.items())))


def _check_absent(key: str, value: Any) -> None:
    if value:
        raise ConfigError(
            f"{key} must be empty or 0: the autoencoder here has attention in the middle alone and no dropout",
            value=repr(value),
            remedy="Weights of such a network cannot be used; to train without, correct the file.",
        )


def _add_what_no_key_says(leaves: Mapping[str, Any], found: OriginalImport) -> None:
    if str(leaves["data.name"]).startswith(INDOOR_PREFIX):
        is_trained = found.stage == "autoencoder"
        for key, value in ({**INDOOR_LOSS, **INDOOR_OPTIMIZER} if is_trained else INDOOR_LOSS).items():
            found.set(key, value)
            found.added.append(Finding(key, value, INDOOR_REASON[key.partition(".")[0]]))
    else:
        weight = found.get("loss.perceptual.weight")
        term = {"kind": "structure", "weight": 1.0 if weight is None else weight}
        found.set("loss.perceptual", term)
        is_known = found.get("data.kind") != "icassp"
        reason = PERCEPTUAL_REASON if is_known else "ours, as in autoencoder/icassp-multi-single; no key says it"
        found.added.append(Finding("loss.perceptual", term, reason))
    _add_floor(found)
    if found.get("data.kind") == "radiomapseer":
        reason = "the parts of the original overlap; data.split=radiodiff has them"
        found.added.append(Finding("data.split", None, reason))
    if leaves["data.name"] == MULTI_CONDITION:
        is_dual = leaves.get("architecture.vae_approach") == "dual"
        ours: dict[str, str | int] = {
            "data.view": "condition" if is_dual else "multi-condition",
            **({} if is_dual else {"examples.input": "condition"}),
            "autoencoder.in_channels": 3,
            "autoencoder.out_channels": 3 if is_dual else 1,
        }
        reason = "the single arrangement: conditions in, radio map out"
        if is_dual:
            reason = "the condition's half of the dual arrangement; the recipe autoencoder/icassp-radio is the other"
        for key, channel in ours.items():
            found.set(key, channel)
            found.added.append(Finding(key, channel, reason))


def _add_floor(found: OriginalImport) -> None:
    """Give a run the published end of its learning rate where the file says none."""
    key = "optimizer.schedule.floor"
    if found.stage != "autoencoder" or found.get(key) is not None:
        return
    rate = found.get("optimizer.learning_rate")
    is_below = rate is None or (isinstance(rate, float | int) and rate >= FLOOR)
    for name in (key, f"discriminator_{key}"):
        found.set(name, FLOOR if is_below else 0.0)
        reason = "the file has no min_lr; published files have this one" if is_below else "the file has no min_lr"
        found.added.append(Finding(name, found.get(name), reason))
