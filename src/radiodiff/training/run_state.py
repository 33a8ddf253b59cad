"""The whole state of a run: what a checkpoint holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from radiodiff.errors import CheckpointError
from radiodiff.training.checkpoint import Snapshot

if TYPE_CHECKING:
    from radiodiff.training.engine import Engine

__all__ = ["Progress", "is_finite", "restore", "restore_weights", "snapshot_of"]

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
    """The whole state of a run."""
    tensors: dict[str, Mapping[str, Tensor]] = {}
    for name, network in engine.stage.networks.items():
        tensors[name] = network.state_dict()
        tensors[f"{name}.optimizer"] = engine.learners[name].tensors()
    if engine.average is not None:
        tensors[AVERAGE] = engine.average.tensors()
    values = {
        "progress": asdict(engine.progress),
        "guard": {"num_skipped": engine.guard.num_skipped, "in_a_row": engine.guard.in_a_row},
        "scaler": None if engine.precision.scaler is None else engine.precision.scaler.state_dict(),
        "num_examples": len(engine.stage.source),
        "num_processes": engine.accelerator.num_processes,
    }
    return Snapshot(tensors, values)


def restore(engine: "Engine", snapshot: Snapshot) -> None:
    """Take the state of a run; learning rates are those of the present settings.

    Raises:
        CheckpointError: It is the state of other networks, or of a run on other data.
    """
    values = snapshot.values
    if values["num_examples"] != len(engine.stage.source):
        raise CheckpointError(
            "A run must go on with the data it was begun with",
            value=f"{len(engine.stage.source)} examples, {values['num_examples']} in the checkpoint",
            remedy="Give the same data set, or start from its weights with trainer.warm_start.init_from.",
        )
    restore_weights(engine, snapshot)
    engine.progress = Progress(**values["progress"])
    engine.guard.num_skipped = values["guard"]["num_skipped"]
    engine.guard.in_a_row = values["guard"]["in_a_row"]
    engine.set_rates()


def restore_weights(engine: "Engine", snapshot: Snapshot) -> None:
    """Take networks, optimizers, average and gradient scale of a run.

    Raises:
        CheckpointError: They are those of other networks.
    """
    wanted = [*engine.stage.networks, *([] if engine.average is None else [AVERAGE])]
    if not all(name in snapshot.tensors for name in wanted):
        raise CheckpointError(
            f"A checkpoint of this run must hold {', '.join(wanted)}",
            value=", ".join(snapshot.tensors),
            remedy="Resume with the networks and the moving average of that run, or use trainer.warm_start.init_from.",
        )
    for name, network in engine.stage.networks.items():
        _check_weights(network.state_dict(), snapshot.tensors[name], name)
    if engine.average is not None:
        _check_weights(engine.average.tensors(), snapshot.tensors[AVERAGE], AVERAGE)
        engine.average.load(snapshot.tensors[AVERAGE])
    for name, network in engine.stage.networks.items():
        network.load_state_dict(dict(snapshot.tensors[name]))
        engine.learners[name].load(snapshot.tensors[f"{name}.optimizer"])
    if engine.precision.scaler is not None and snapshot.values["scaler"]:
        engine.precision.scaler.load_state_dict(snapshot.values["scaler"])


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
