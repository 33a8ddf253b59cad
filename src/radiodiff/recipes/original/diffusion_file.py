"""The second stage in a settings file of the original, key by key; every key ends in one list of the result."""

from collections.abc import Mapping
from typing import Any

from radiodiff.errors import ConfigError
from radiodiff.recipes.original.diffusion_keys import (
    CONDITIONS,
    FIRST_STAGE_WEIGHTS,
    LOSS,
    NEVER_READ,
    SCALE,
    SECOND_STAGE,
    WEIGHTS,
    place_of,
)
from radiodiff.recipes.original.keys import DATA_NAMES, DROPPED, FIRST_STAGE, INDOOR_PREFIX, OF_KIND
from radiodiff.recipes.original.result import Finding, OriginalImport

__all__ = ["read_diffusion"]

ONLY: Mapping[str, str] = {"model.model_type": "const_sde", "model.model_name": "cond_unet"}
"""The one value of a key that can be had here."""

AVERAGE = 0.999
WEIGHT_DECAY = 1e-4
FLOOR = 5e-6
"""What the original's trainer of diffusion models has where a file says nothing, and the published end of its rate."""


def read_diffusion(leaves: Mapping[str, Any], prefix: str, found: OriginalImport) -> None:
    """Make a recipe of the second stage of a file.

    Args:
        leaves: Values by dotted key.
        prefix: What keys of the first stage begin with.
        found: Where the findings go.

    Raises:
        ConfigError: The file asks for another process or network.
    """
    _read_data_name(str(leaves["data.name"]), found)
    for key, value in leaves.items():
        if key == "data.name":
            continue
        if key.startswith(prefix):
            short = key.removeprefix(prefix)
            text = ", ".join(FIRST_STAGE.get(short, ())) or DROPPED.get(short, "the first stage")
            found.kept.append(Finding(key, value, FIRST_STAGE_WEIGHTS if short == "ckpt_path" else text))
        else:
            _read_key(key, value, leaves, found)
    _add_what_no_key_says(found)


def _read_data_name(name: str, found: OriginalImport) -> None:
    settings, _ = DATA_NAMES[name]
    condition, other = CONDITIONS.get(name, ({}, ""))
    if name.startswith(INDOOR_PREFIX):
        settings = settings | {"view": "multi-condition"}
        other = "one of the views of autoencoders there; a condition has several channels here"
    found.take("data.name", name, {f"data.{key}": value for key, value in settings.items()} | dict(condition))
    if other:
        found.contradictions.append(Finding("data.name", name, other))


def _read_key(key: str, value: Any, leaves: Mapping[str, Any], found: OriginalImport) -> None:
    """Put a key of the second stage in its list."""
    place = place_of(key)
    if key in ONLY and value != ONLY[key]:
        raise ConfigError(
            f"{key} must be {ONLY[key]!r}: {place}",
            value=repr(value),
            remedy="Files of other models cannot be imported.",
        )
    if key in NEVER_READ:
        found.dropped.append(Finding(key, value, NEVER_READ[key]))
    elif key in SCALE:
        _read_scale(key, value, leaves, found)
    elif key in WEIGHTS:
        _read_weights(key, value, found)
    elif key in LOSS:
        _read_loss(key, value, leaves, found)
    elif key in SECOND_STAGE:
        ours, convert = SECOND_STAGE[key]
        found.take(key, value, {ours: None if value is None else convert(value)})
    elif key in OF_KIND and OF_KIND[key][0] == found.get("data.kind") and OF_KIND[key][1].startswith("data."):
        _, ours, convert = OF_KIND[key]
        found.take(key, value, {ours: convert(value)})
    elif place is not None:
        found.dropped.append(Finding(key, value, place))
    elif key in OF_KIND:
        found.dropped.append(Finding(key, value, f"belongs to data of kind {OF_KIND[key][0]}"))
    elif key in DROPPED:
        found.dropped.append(Finding(key, value, DROPPED[key]))
    else:
        found.unknown.append(Finding(key, value, "not a key that the original's files are known to have"))


def _read_scale(key: str, value: Any, leaves: Mapping[str, Any], found: OriginalImport) -> None:
    """The factor on latents is a fixed one but where it is the standard deviation's and no default is asked for."""
    is_measured = bool(leaves.get("model.scale_by_std")) and not leaves.get("model.default_scale")
    factor = "measured" if is_measured else leaves.get("model.scale_factor")
    found.take(key, value if factor is not None else None, {"latents.scaling_factor": factor})


def _read_loss(key: str, value: Any, leaves: Mapping[str, Any], found: OriginalImport) -> None:
    """The loss is that of the type, and the absolute error once more where `use_l1` asks for it."""
    is_absolute = str(leaves.get("model.loss_type")) == "l1"
    weight = float(is_absolute) + float(bool(leaves.get("model.use_l1")))
    ours, convert = SECOND_STAGE[key]
    given = {"loss.l1_weight": weight} if is_absolute or ours == "loss.l1_weight" else {}
    found.take(key, value, {ours: None if value is None else convert(value)} | given)


def _read_weights(key: str, value: Any, found: OriginalImport) -> None:
    if str(value or "").endswith(".pt"):
        text = (
            "a checkpoint of the original's second stage, which is not read here; trainer.warm_start.init_from takes "
            "the run of another model"
        )
        found.dropped.append(Finding(key, value, text))
        return
    found.take(key, value, {"trainer.warm_start.init_from": value})


def _add_what_no_key_says(found: OriginalImport) -> None:
    reason = "what the original's trainer has; no key of the file says it"
    for key, value in (("trainer.ema.decay", AVERAGE), ("optimizer.weight_decay", WEIGHT_DECAY)):
        if found.get(key) is None:
            found.add(key, value, reason)
    key, rate = "optimizer.schedule.floor", found.get("optimizer.learning_rate")
    if found.get(key) is None and (rate is None or (isinstance(rate, float | int) and rate >= FLOOR)):
        found.add(key, FLOOR, "the file has no min_lr; published files have this one")
    if found.get("data.kind") == "radiomapseer":
        found.add("data.split", None, "the parts of the original overlap; data.split=radiodiff has them")
