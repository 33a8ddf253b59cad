"""Made-up floor plans: an outer wall, rooms split off one after the other, a door in every inner wall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FakeRooms", "draw_rooms"]

SMALLEST_ROOM = 14
"""Smallest edge of a room [pixels]."""

WALL = 2
"""Thickness of an inner wall [pixels]."""

DOOR = 4
"""Width of a door [pixels]."""

MATERIALS_DB = np.array([[0.0, 0.0], [6.0, 12.0], [10.0, 5.0], [14.0, 3.0]])
"""Reflectance and transmittance of air, concrete, brick and plasterboard at 1.8 GHz, rounded [dB]."""

BAND_FACTOR = {1: 0.8, 2: 1.0, 3: 1.4}
"""Walls take more from higher frequencies."""

OUTER_WALL = 1


@dataclass(frozen=True, eq=False)
class FakeRooms:
    """A floor plan.

    Attributes:
        material: (rows, cols) uint8, row of `MATERIALS_DB`.
    """

    material: NDArray[np.uint8]

    @property
    def is_air(self) -> NDArray[np.bool_]:
        """(rows, cols), True where there is no wall."""
        return np.equal(self.material, 0)

    def losses_db(self, band: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reflectance and transmittance at a band, (rows, cols), whole numbers [dB]."""
        losses_db = np.rint(MATERIALS_DB * [1.0, BAND_FACTOR[band]])[self.material]
        return losses_db[..., 0], losses_db[..., 1]


def draw_rooms(rng: np.random.Generator, smallest: int, largest: int) -> FakeRooms:
    """Draw a floor plan with edges from `smallest` to `largest` pixels, both included."""
    rows, cols = (int(edge) for edge in rng.integers(smallest, largest + 1, size=2))
    material = np.full((rows, cols), OUTER_WALL, dtype=np.uint8)
    material[WALL : rows - WALL, WALL : cols - WALL] = 0
    _split(material[WALL : rows - WALL, WALL : cols - WALL], rng)
    return FakeRooms(material)


def _split(room: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Put a wall across the longer edge of a room, with a door in it, and go on in both halves."""
    if room.shape[0] < room.shape[1]:
        room = room.T
    rows, cols = room.shape
    if rows < 2 * SMALLEST_ROOM + WALL:
        return
    at = int(rng.integers(SMALLEST_ROOM, rows - SMALLEST_ROOM - WALL + 1))
    door = int(rng.integers(0, max(cols - DOOR, 1)))
    room[at : at + WALL] = rng.integers(OUTER_WALL, len(MATERIALS_DB))
    room[at : at + WALL, door : door + DOOR] = 0
    _split(room[:at], rng)
    _split(room[at + WALL :], rng)
