"""The contract that every propagation engine keeps."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.interrupts import interrupts_held
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Scene, Transmitter

__all__ = ["PropagationModel", "Solution", "Solver", "one_by_one"]


@dataclass(frozen=True, eq=False)
class Solution:
    """What an engine finds for one transmitter.

    Attributes:
        path_loss_db: (rows, cols); what it holds indoors does not count [dB]. NaN where no path was found.
        facts: What the engine says of it (noise, rays, time), JSON types only; part of `RadioMap.meta`.
    """

    path_loss_db: NDArray[np.floating[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)


Solver = Callable[[Sequence[Transmitter]], Iterator[Solution]]
"""Solutions of transmitters, in order, on a scene that is already prepared."""


def one_by_one(path_loss_db: Callable[[Transmitter], NDArray[np.float64]]) -> Solver:
    """The solver of an engine that treats each transmitter by itself.

    Args:
        path_loss_db: Path loss (rows, cols) of a transmitter [dB].
    """
    return lambda txs: (Solution(path_loss_db(tx)) for tx in txs)


class PropagationModel(ABC):
    """Turns a scene and a transmitter into a radio map.

    An engine is a frozen dataclass: its fields are its constants, checked on construction. The contract,
    checked for each engine by one suite of tests:

    * the path loss is NaN inside buildings, and finite at every cell outside them that a path reaches: at all of them
      where `reaches_everywhere`, else `RadioMap.meta["num_cells_without_path"]` of them are NaN;
    * the same arguments give the same bits; nothing is drawn at random;
    * `radio_maps` of a scene equals `radio_map` of each transmitter;
    * a rotated or mirrored scene gives the rotated or mirrored map, and swapping transmitter and receiver keeps the
      loss. Engines that need outlines trace them where a scene has only a raster; slanted walls are then known to a
      fraction of a cell, which may differ between the scene and its mirror image.
    """

    name: str
    """The engine's name on the command line."""

    reaches_everywhere: bool = True
    """Whether every cell outside the buildings has a path."""

    def check_carrier(self, frequency_hz: float) -> None:  # noqa: B027  most engines hold everywhere
        """Check that the engine's constants hold at a carrier; by default they do at all.

        Args:
            frequency_hz: Carrier [Hz].

        Raises:
            PropagationError: They do not hold there.
        """

    @abstractmethod
    def prepare(self, scene: Scene) -> Solver:
        """Do the work that all transmitters of a scene share, and return their solver."""

    def radio_maps(self, scene: Scene, txs: Iterable[Transmitter]) -> Iterator[RadioMap]:
        """Radio maps of several transmitters on one scene, in order, made one at a time.

        Raises:
            TransmitterError: A transmitter stands off the grid or inside a building (before any is solved).
            PropagationError: The engine's constants do not hold at a carrier (before any is solved).
        """
        txs = tuple(txs)
        for tx in txs:
            scene.check_transmitter(tx)
            self.check_carrier(tx.frequency_hz)
        with interrupts_held():
            solutions = self.prepare(scene)(txs)
        for tx in txs:
            with interrupts_held():
                solution = next(solutions)
            yield self._radio_map(scene, tx, solution)

    def _radio_map(self, scene: Scene, tx: Transmitter, solution: Solution) -> RadioMap:
        path_loss_db = solution.path_loss_db.astype(np.float32)
        path_loss_db[scene.buildings] = np.nan
        meta = dict(solution.facts)
        if not self.reaches_everywhere:
            meta["num_cells_without_path"] = int(np.isnan(path_loss_db[~scene.buildings]).sum())
        return RadioMap(path_loss_db, scene.grid, tx, producer=repr(self), scene=scene, meta=meta)

    def radio_map(self, scene: Scene, tx: Transmitter) -> RadioMap:
        """Radio map of one transmitter.

        Raises:
            TransmitterError: It stands off the grid or inside a building.
            PropagationError: The engine's constants do not hold at its carrier.
        """
        return next(self.radio_maps(scene, (tx,)))
