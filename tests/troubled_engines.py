"""Engines that go wrong on some maps, and a disk that is full, for tests of what makes data sets.

Worker processes import the engines by name.
"""

import errno
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation import FreeSpace
from radiodiff.propagation.base import PropagationModel, Solution, Solver
from radiodiff.scene import Scene, Transmitter


def map_of(scene: Scene) -> int:
    """Number of the map of a generated city."""
    return int(scene.source.rstrip(")").rsplit(", ", 1)[1])


def fill_disk(monkeypatch: pytest.MonkeyPatch, num_maps: int) -> None:
    """Let the system refuse files of this process after so many radio maps."""
    written = []
    move = os.replace

    def refuse(source: str | Path, target: str | Path) -> None:
        written.append(target)
        if len([path for path in written if "gain" in Path(path).parts]) > num_maps:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        move(source, target)

    monkeypatch.setattr("radiodiff.atomic_file.os.replace", refuse)


@dataclass(frozen=True)
class Failing(PropagationModel):
    """Free space, refused on some maps: with an error of the engine, or one that nobody foresaw."""

    maps: tuple[int, ...] = ()
    is_unforeseen: bool = False
    name = "failing"

    def prepare(self, scene: Scene) -> Solver:
        if map_of(scene) in self.maps and self.is_unforeseen:
            raise ZeroDivisionError("no rays")
        if map_of(scene) in self.maps:
            raise PropagationError("A city must have a sky", value="none", remedy="Look up.")
        return FreeSpace().prepare(scene)


@dataclass(frozen=True)
class Killing(PropagationModel):
    """Free space; on one map its process is killed, once where a file tells that it was."""

    on_map: int
    told: str | None = None
    name = "killing"

    def prepare(self, scene: Scene) -> Solver:
        if map_of(scene) == self.on_map and not (self.told and Path(self.told).exists()):
            if self.told:
                Path(self.told).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return FreeSpace().prepare(scene)


@dataclass(frozen=True)
class Telling(PropagationModel):
    """Free space with facts, one of them another in each run, and a cell that no path reaches; for empty streets."""

    name = "telling"
    reaches_everywhere = False

    def prepare(self, scene: Scene) -> Solver:
        if scene.cars is not None:
            raise PropagationError("A street must be empty", value="cars", remedy="Use Scene.without_cars().")
        free_space = FreeSpace().prepare(scene)

        def solve(txs: Sequence[Transmitter]) -> Iterator[Solution]:
            for solution in free_space(txs):
                path_loss_db = np.array(solution.path_loss_db)
                path_loss_db[tuple(np.argwhere(~scene.buildings)[0])] = np.nan
                yield Solution(path_loss_db, {"standard_error_db": 0.75, "seconds": time.perf_counter()})

        return solve


@dataclass(frozen=True)
class Slow(PropagationModel):
    """Free space that takes its time."""

    seconds: float = 0.1
    name = "slow"

    def prepare(self, scene: Scene) -> Solver:
        time.sleep(self.seconds)
        return FreeSpace().prepare(scene)
