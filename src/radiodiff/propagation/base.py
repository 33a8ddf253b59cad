"""The contract that every propagation engine keeps."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from radiodiff.interrupts import interrupts_held
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Scene, Transmitter

__all__ = ["PropagationModel", "Solver"]

Solver = Callable[[Transmitter], NDArray[np.float64]]
"""Path loss (rows, cols) [dB] of one transmitter on a scene that is already prepared."""


class PropagationModel(ABC):
    """Turns a scene and a transmitter into a radio map.

    An engine is a frozen dataclass: its fields are its constants, checked on construction. The contract,
    checked for each engine by one suite of tests:

    * the path loss is finite at every cell outside the buildings and NaN inside;
    * the same arguments give the same bits; nothing is drawn at random;
    * `radio_maps` of a scene equals `radio_map` of each transmitter;
    * a rotated or mirrored scene gives the rotated or mirrored map, and swapping transmitter and receiver keeps the
      loss. Engines that need outlines trace them where a scene has only a raster; slanted walls are then known to a
      fraction of a cell, which may differ between the scene and its mirror image.
    """

    name: str
    """The engine's name on the command line."""

    @abstractmethod
    def prepare(self, scene: Scene) -> Solver:
        """Do the work that all transmitters of a scene share, and return the solver of one transmitter.

        The solver fills every cell outside the buildings; what it writes indoors is overwritten.
        """

    def radio_maps(self, scene: Scene, txs: Iterable[Transmitter]) -> Iterator[RadioMap]:
        """Radio maps of several transmitters on one scene, in order, made one at a time.

        Raises:
            TransmitterError: A transmitter stands off the grid or inside a building (before any is solved).
        """
        txs = tuple(txs)
        for tx in txs:
            scene.check_transmitter(tx)
        with interrupts_held():
            solve = self.prepare(scene)
        for tx in txs:
            with interrupts_held():
                path_loss_db = solve(tx).astype(np.float32)
            path_loss_db[scene.buildings] = np.nan
            yield RadioMap(path_loss_db, scene.grid, tx, producer=repr(self), scene=scene)

    def radio_map(self, scene: Scene, tx: Transmitter) -> RadioMap:
        """Radio map of one transmitter.

        Raises:
            TransmitterError: It stands off the grid or inside a building.
        """
        return next(self.radio_maps(scene, (tx,)))
