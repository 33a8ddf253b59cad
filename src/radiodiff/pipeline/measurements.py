"""Measured points that a prediction is to agree with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.encoding import Channel
from radiodiff.errors import InputError

__all__ = ["MOST_POINTS", "Measurements", "check_one_each"]

MOST_POINTS = 2000
"""Points of a map; the work grows with the third power of their number."""


FAR_DB = 20.0
"""So far beyond the range of a model a value is rather a mistake than a strong or weak signal."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """Path loss between isotropic antennas, measured at cells of a map.

    A model that was trained with measured points reads cells and values alone: `noise_db` and `correlation_cells` are
    for the guidance of any other.

    Attributes:
        cells: (n, 2) cells (row, col).
        path_loss_db: (n,) [dB]; values beyond the range of a model count as its end.
        noise_db: Standard deviation of the measurement's error [dB]: what differs from a prediction by no more changes
            it little. A single draw is pulled to the values; of several draws each is pulled to values of its own,
            which differ from them by so much.
        correlation_cells: Distance at which the correlation of a prediction's errors has fallen to 1/e [cells]; a point
            corrects its surroundings that far, through walls as well. 3GPP TR 38.901 gives 10 m in line of sight and
            13 m out of it for street canyons (table 7.5-6).

    Raises:
        InputError: There are none or too many, the shapes do not fit, a value is no finite number, a cell is no whole
            number or negative, path loss is negative, two values for one cell differ, noise_db is negative, or
            correlation_cells is not positive.
    """

    cells: NDArray[np.int64] = field(repr=False)
    path_loss_db: NDArray[np.float64] = field(repr=False)
    noise_db: float = 0.5
    correlation_cells: float = 10.0

    def __post_init__(self) -> None:
        cells, values = _whole(self.cells), _numbers(self.path_loss_db)
        if cells.ndim != 2 or cells.shape[1:] != (2,) or values.shape != cells.shape[:1]:
            raise InputError(
                "Measurements need cells (n, 2) of row and column, and path_loss_db (n,)",
                value=f"shapes {cells.shape} and {values.shape}",
                remedy="Give one value for each cell.",
            )
        if not 1 <= len(cells) <= MOST_POINTS:
            raise InputError(
                f"Measurements must be 1 to {MOST_POINTS} points",
                value=len(cells),
                remedy="Leave measurements out where there are none; thin them out where there are more.",
            )
        if not np.isfinite(values).all():
            where = cells[int(np.flatnonzero(~np.isfinite(values))[0])]
            raise InputError(
                "Measured path loss must be finite",
                value=f"{int((~np.isfinite(values)).sum())} of {len(values)} values are not, the first at row "
                f"{where[0]}, column {where[1]}",
                remedy="Leave these points out.",
            )
        if (values < 0).any():
            where = cells[int(np.flatnonzero(values < 0)[0])]
            raise InputError(
                "Measured path loss must not be negative",
                value=f"{values[values < 0][0]:g} dB at row {where[0]}, column {where[1]}",
                remedy="Change the sign of gains; of received power take path loss = eirp_dbm - power.",
            )
        if (cells < 0).any():
            raise InputError(
                "Cells of measurements must not be negative",
                value=cells[(cells < 0).any(axis=1)][0].tolist(),
                remedy="Rows count from the top, columns from the left, both from 0.",
            )
        settings: tuple[Any, ...] = (self.noise_db, self.correlation_cells)
        are_numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in settings)
        if not (are_numbers and 0 <= self.noise_db < np.inf and 0 < self.correlation_cells < np.inf):
            raise InputError(
                "Measurements need noise_db of at least 0 and correlation_cells above 0",
                value=f"{self.noise_db!r} and {self.correlation_cells!r}",
                remedy="Correct the value.",
            )
        kept = _without_doubles(cells, values)
        for name, array in (("cells", cells[kept]), ("path_loss_db", values[kept])):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.cells)

    def far_from(self, target: Channel) -> str | None:
        """What to say of values far beyond what a model's maps can show, which count as its end; None where none is.

        Args:
            target: The channel of its maps.
        """
        least, most = sorted((target.low, target.high))
        beyond = np.maximum(least - self.path_loss_db, self.path_loss_db - most)
        worst = int(beyond.argmax())
        if beyond[worst] <= FAR_DB:
            return None
        return (
            f"Maps of the model show {least:g} to {most:g} dB; {int((beyond > FAR_DB).sum())} of {len(self)} measured "
            f"values lie far beyond and count as its end: {self.path_loss_db[worst]:g} dB at row "
            f"{self.cells[worst, 0]}, column {self.cells[worst, 1]}. Values are path loss between isotropic antennas."
        )

    def check_on(self, indoors: NDArray[np.bool_]) -> None:
        """Make sure that all cells are on a map and outside its buildings.

        Args:
            indoors: (rows, cols) cells inside buildings.

        Raises:
            InputError: One is not.
        """
        outside = ~(self.cells < indoors.shape).all(axis=1)
        if outside.any():
            row, col = self.cells[outside][0].tolist()
            raise InputError(
                f"Measured cells must be on the map of {indoors.shape[0]} x {indoors.shape[1]} cells",
                value=f"row {row}, column {col}" + (f" and {outside.sum() - 1} more" if outside.sum() > 1 else ""),
                remedy="Cells are (row, col): row first, counted from the top-left cell.",
            )
        inside = indoors[self.cells[:, 0], self.cells[:, 1]]
        if inside.any():
            row, col = self.cells[inside][0].tolist()
            raise InputError(
                "Measured cells must be outside buildings",
                value=f"row {row}, column {col}" + (f" and {inside.sum() - 1} more" if inside.sum() > 1 else ""),
                remedy="Leave these points out: the model says nothing of cells indoors.",
            )


def check_one_each(measurements: object, num_maps: int) -> None:
    """Make sure that there are measurements, or None, for each of so many maps.

    Raises:
        InputError: There are more or fewer, or something else among them.
    """
    given = measurements if isinstance(measurements, Sequence) else [measurements]
    wrong = [one for one in given if not isinstance(one, Measurements | None)]
    if wrong:
        raise InputError(
            "Measurements must be radiodiff.Measurements, or None",
            value=f"a {type(wrong[0]).__name__}",
            remedy="Pass measurements=Measurements(cells, path_loss_db).",
        )
    found = len(given) if given is measurements else "one, not in a list,"
    if found != num_maps:
        raise InputError(
            "Measurements must be given for each map, or as None for a map without",
            value=f"{found} for {num_maps} maps",
            remedy="They belong to one transmitter: give a list with an entry for each map.",
        )


def _array(name: str, values: ArrayLike) -> NDArray[Any]:
    try:
        return np.array(values)
    except ValueError as error:
        raise InputError(
            "Measurements need cells (n, 2) of row and column, and path_loss_db (n,)",
            value=f"{name} in rows of different lengths",
            remedy="Give one value for each cell.",
        ) from error


def _numbers(path_loss_db: ArrayLike) -> NDArray[np.float64]:
    found = _array("path_loss_db", path_loss_db)
    if found.dtype.kind not in "iuf":
        raise InputError(
            "Measured path loss must be numbers",
            value=f"an array of {found.dtype}",
            remedy="Give decibels, and leave out points without a value.",
        )
    return found.astype(np.float64)


def _whole(cells: ArrayLike) -> NDArray[np.int64]:
    found = _array("cells", cells)
    wrong = f"an array of {found.dtype}" if found.dtype.kind not in "iuf" else None
    if found.dtype.kind == "f" and not (is_whole := np.isfinite(found) & (found == np.rint(found))).all():
        place = int(np.argwhere(~is_whole)[0][0])
        wrong = f"{found[place].tolist()}, point {place}"
    if wrong is not None:
        raise InputError(
            "Cells of measurements must be whole numbers",
            value=wrong,
            remedy="Give (row, col) of the cell that holds the point.",
        )
    return found.astype(np.int64)


def _without_doubles(cells: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Numbers of the first point of each cell, in order, once the others of it say the same."""
    _, first, place = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    differs = values != values[first][place.reshape(-1)]
    if differs.any():
        number = int(np.flatnonzero(differs)[0])
        row, col = cells[number].tolist()
        other = values[first][place.reshape(-1)][number]
        raise InputError(
            "Measurements of one cell must agree",
            value=f"{other:g} and {values[number]:g} dB at row {row}, column {col}",
            remedy="Average them, or keep one.",
        )
    kept: NDArray[np.int64] = np.sort(first)
    return kept
