"""The whole state of a run: what a checkpoint holds."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from radiodiff.errors import CheckpointError
from radiodiff.models.name_list import first_names
from radiodiff.models.weight_meaning import different_settings, settings_of
from radiodiff.training.checkpoint import Snapshot

if TYPE_CHECKING:
    from radiodiff.training.engine import Engine

__all__ = ["Progress", "is_finite", "restore", "restore_weights", "snapshot_of"]

OPTIMIZER = ".optimizer"
"""What the name of a network is followed by in the file of its optimizer."""

AVERAGE = "ema"
"""File of the moving average in a checkpoint."""


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        step: Steps done, taken or skipped.
        updates: Steps taken: what the schedules and the moving average count.
        epoch: Epoch of the next example.
        start: Examples of that epoch already used, by all processes.
        rate_scale: Factor on the learning rates; halved when the guard rolls back.
    """

    step: int = 0
    updates: int = 0
    epoch: int = 0
    start: int = 0
    rate_scale: float = 1.0


def is_finite(engine: "Engine") -> bool:
    """Whether every weight is finite: what a checkpoint may hold."""
    tensors = [tensor for network in engine.stage.networks.values() for tensor in network.state_dict().values()]
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if tensor.is_floating_point())


def snapshot_of(engine: "Engine") -> Snapshot:
    """The whole state of a run, and the settings it was trained with."""
    tensors: dict[str, Mapping[str, Tensor]] = {}
    for name, network in engine.stage.networks.items():
        tensors[name] = network.state_dict()
        tensors[f"{name}{OPTIMIZER}"] = engine.learners[name].tensors()
    if engine.average is not None:
        tensors[AVERAGE] = engine.average.tensors()
    values: dict[str, Any] = {
        "progress": asdict(engine.progress),
        "guard": {"num_skipped": engine.guard.num_skipped, "in_a_row": engine.guard.in_a_row},
        "scaler": engine.precision.state(),
        "num_examples": len(engine.stage.source),
        "scale": engine.stage.source.scale,
        "encoding": engine.stage.source.encoding.to_dict(),
        "settings": {name: settings_of(network) for name, network in engine.stage.networks.items()},
        "trainer": engine.config.model_dump(mode="json"),
        "optimizers": {name: config.model_dump(mode="json") for name, config in engine.stage.optimizers.items()},
    }
    if engine.stage.prior is not None:
        values["prior"] = dict(engine.stage.prior)
    return Snapshot(tensors, values)


def restore(engine: "Engine", snapshot: Snapshot) -> None:
    """Take the state of a run; learning rates are those of the present settings.

    A learning rate that was changed counts as it is given; otherwise the factor of the guard stays.

    Raises:
        CheckpointError: It is the state of other networks, or of such with other settings, of a run on other data or of
            another seed, or it is damaged.
    """
    values = snapshot.values
    try:
        now, then = (len(engine.stage.source), engine.config.seed), (values["num_examples"], values["trainer"]["seed"])
        progress = Progress(**values["progress"])
        guard = (int(values["guard"]["num_skipped"]), int(values["guard"]["in_a_row"]))
        channels = values["scale"], values["encoding"]
        settings = {name: dict(values["settings"][name]) for name in values["settings"]}
        rates = {name: float(values["optimizers"][name]["learning_rate"]) for name in values["optimizers"]}
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            "state.json of a checkpoint must hold progress, guard, trainer, optimizers, settings, encoding, scale "
            "and num_examples",
            value=repr(error),
            remedy="Go on from another checkpoint: this one was changed.",
        ) from error
    if now != then:
        raise CheckpointError(
            "A run must go on with the data and the seed it was begun with",
            value=f"{now[0]} examples and seed {now[1]}; {then[0]} and {then[1]} in the checkpoint",
            remedy="Give the same data set and seed, or start from its weights with trainer.warm_start.init_from.",
        )
    _check_meaning(engine, channels, settings)
    _check_prior(engine.stage.prior, values.get("prior"))
    if any(config.learning_rate != rates.get(name) for name, config in engine.stage.optimizers.items()):
        progress.rate_scale = 1.0
    engine.progress = progress
    engine.guard.num_skipped, engine.guard.in_a_row = guard
    restore_weights(engine, snapshot)
    engine.set_rates()


def restore_weights(engine: "Engine", snapshot: Snapshot) -> None:
    """Take networks, optimizers, average and gradient scale of a run.

    Raises:
        CheckpointError: They are those of other networks.
    """
    wanted = {f"{name}{part}" for name in engine.stage.networks for part in ("", OPTIMIZER)}
    wanted |= set() if engine.average is None else {AVERAGE}
    if wanted != snapshot.tensors.keys():
        raise CheckpointError(
            f"A checkpoint of this run must hold {', '.join(sorted(wanted))}",
            value=", ".join(sorted(snapshot.tensors)),
            remedy="Resume with the networks and the moving average of that run, or use trainer.warm_start.init_from.",
        )
    for name, tensors in snapshot.tensors.items():
        _check_finite(tensors, name)
    for name, network in engine.stage.networks.items():
        _check_weights(network.state_dict(), snapshot.tensors[name], name)
    if engine.average is not None:
        _check_weights(engine.average.tensors(), snapshot.tensors[AVERAGE], AVERAGE)
        engine.average.load(snapshot.tensors[AVERAGE], engine.progress.updates)
    for name, network in engine.stage.networks.items():
        engine.learners[name].load(snapshot.tensors[f"{name}{OPTIMIZER}"])
        network.load_state_dict(dict(snapshot.tensors[name]))
    engine.precision.load(snapshot.values["scaler"])


def _check_meaning(engine: "Engine", channels: tuple[Any, Any], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse weights that fit and would mean something else."""
    source = engine.stage.source
    if (source.scale, _as_stored(source.encoding.to_dict())) != channels:
        raise CheckpointError(
            "A run must go on with the channels and the scale that it was begun with",
            value=f"{', '.join(source.encoding.names)} to {source.encoding.target.name} on scale {source.scale!r}, "
            "other ones in the checkpoint",
            remedy="Give the settings of the data as in the recipe of that run, or start from its weights with "
            "trainer.warm_start.init_from.",
        )
    for name, network in engine.stage.networks.items():
        different = different_settings(settings_of(network), settings.get(name, {}))
        if different:
            raise CheckpointError(
                f"The {name} of a run must go on with the settings that it was begun with",
                value=first_names(different),
                remedy="Resume with the recipe of that run; to train its weights in another network begin a new run "
                "with trainer.warm_start.init_from and allow_missing.",
            )


def _check_prior(now: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> None:
    if now != then:
        raise CheckpointError(
            "A run must go on with the prior that it was begun with",
            value=f"{now}; {then} in the checkpoint",
            remedy="Set prior as in the recipe of that run, or start from its weights with "
            "trainer.warm_start.init_from.",
        )


def _as_stored(content: Mapping[str, Any]) -> Any:
    """What comes back of it from a JSON file."""
    return json.loads(json.dumps(content))


def _check_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(
                "Everything in a checkpoint must be finite",
                value=f"{key} of {name}, which is not",
                remedy="Go on from another checkpoint: a file of this one was changed.",
            )


def _check_weights(own: Mapping[str, Tensor], stored: Mapping[str, Tensor], name: str) -> None:
    different = sorted(
        key
        for key in own.keys() | stored.keys()
        if key not in own or key not in stored or own[key].shape != stored[key].shape
    )
    if different:
        raise CheckpointError(
            f"The {name} of a checkpoint must be the one that is trained",
            value=f"{len(different)} weights are missing, left over or of another shape, among them {different[0]}",
            remedy="Resume with the recipe of that run, or use trainer.warm_start.init_from with allow_missing.",
        )
