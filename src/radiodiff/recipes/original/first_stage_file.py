"""The first stage in a settings file of the original, key by key; every key ends in one list of the result."""

from collections.abc import Mapping
from typing import Any

from radiodiff.errors import ConfigError
from radiodiff.recipes.original.diffusion_keys import FIRST_STAGE_WEIGHTS, NEVER_READ, place_of
from radiodiff.recipes.original.keys import (
    DATA_NAMES,
    DROPPED,
    FIRST_STAGE,
    FLOOR,
    INDOOR_LOSS,
    INDOOR_OPTIMIZER,
    INDOOR_PREFIX,
    INDOOR_REASON,
    MULTI_CONDITION,
    NOT_INDOORS,
    OF_KIND,
    PERCEPTUAL_REASON,
    TRAINING,
)
from radiodiff.recipes.original.result import Finding, OriginalImport

__all__ = ["read_first_stage"]

OF_TRAINING = ("data.batch_size", "data.num_workers", "data.augment_horizontal_flip")
"""Keys of the data that are about a training."""


def read_first_stage(leaves: Mapping[str, Any], prefix: str, found: OriginalImport) -> None:
    """Make a recipe of a first stage of a file.

    Args:
        leaves: Values by dotted key.
        prefix: What keys of the first stage begin with.
        found: Where the findings go.

    Raises:
        ConfigError: The file asks for what the networks here cannot be.
    """
    name = str(leaves["data.name"])
    settings, condition = DATA_NAMES[name]
    found.take("data.name", name, {f"data.{key}": value for key, value in settings.items()})
    if condition:
        found.kept.append(Finding("data.name", name, f"the condition: {condition}"))
    is_indoors = name.startswith(INDOOR_PREFIX)
    for key, value in leaves.items():
        if key != "data.name":
            _read_key(key, key.removeprefix(prefix), value, found, is_indoors=is_indoors)
    _add_what_no_key_says(leaves, found)


def _read_key(key: str, short: str, value: Any, found: OriginalImport, *, is_indoors: bool) -> None:
    """Put a key in its list.

    Args:
        key: The key.
        short: Its name in the first stage.
        value: Its value.
        found: Where the lists are.
        is_indoors: Whether the trainer of indoor data read the file.
    """
    is_of_second, of_first_stage = found.file_stage == "diffusion", short != key
    place = place_of(key)
    if is_of_second and key in NEVER_READ:
        found.dropped.append(Finding(key, value, NEVER_READ[key]))
    elif is_of_second and of_first_stage and short == "ckpt_path":
        found.kept.append(Finding(key, value, FIRST_STAGE_WEIGHTS))
    elif is_of_second and place is not None and not _is_of_both(key):
        found.kept.append(Finding(key, value, place))
    elif of_first_stage and short in ("ddconfig.attn_resolutions", "ddconfig.dropout"):
        _check_absent(key, value)
        found.dropped.append(Finding(key, value, "the autoencoder has none"))
    elif of_first_stage and is_indoors and any(name.startswith(NOT_INDOORS) for name in FIRST_STAGE.get(short, ())):
        found.dropped.append(Finding(key, value, f"never read: {INDOOR_REASON['loss']}"))
    elif is_indoors and short in ("trainer.train_wd", "trainer.weight_decay", "trainer.gradient_accumulate_every"):
        found.dropped.append(Finding(key, value, "never read by the trainer of these files"))
    elif of_first_stage and short in FIRST_STAGE:
        found.take(key, value, dict.fromkeys(FIRST_STAGE[short], value))
    elif key in TRAINING:
        found.take(key, value, dict.fromkeys(TRAINING[key], value))
    elif key in OF_KIND and OF_KIND[key][0] in (found.get("data.kind"), None):
        found.take(key, value, {OF_KIND[key][1]: OF_KIND[key][2](value)})
    elif key in OF_KIND and key not in DROPPED:
        found.dropped.append(Finding(key, value, f"belongs to data of kind {OF_KIND[key][0]}"))
    elif short in DROPPED:
        found.dropped.append(Finding(key, value, DROPPED[short]))
    else:
        found.unknown.append(Finding(key, value, "not a key that the original's files are known to have"))


def _is_of_both(key: str) -> bool:
    """Whether a key of a diffusion model says something of its first stage, too: that of the data."""
    return key.startswith(("data.", "architecture.")) and key not in OF_TRAINING


def _check_absent(key: str, value: Any) -> None:
    if value:
        raise ConfigError(
            f"{key} must be empty or 0: the autoencoder here has attention in the middle alone and no dropout",
            value=repr(value),
            remedy="Weights of such a network cannot be used; to train without, correct the file.",
        )


def _add_what_no_key_says(leaves: Mapping[str, Any], found: OriginalImport) -> None:
    if str(leaves["data.name"]).startswith(INDOOR_PREFIX):
        is_trained = found.file_stage == "autoencoder"
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
    if found.file_stage != "autoencoder" or found.get(key) is not None:
        return
    rate = found.get("optimizer.learning_rate")
    is_below = rate is None or (isinstance(rate, float | int) and rate >= FLOOR)
    for name in (key, f"discriminator_{key}"):
        found.set(name, FLOOR if is_below else 0.0)
        reason = "the file has no min_lr; published files have this one" if is_below else "the file has no min_lr"
        found.added.append(Finding(name, found.get(name), reason))
