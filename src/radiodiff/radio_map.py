"""The radio map: path loss at every cell of a grid."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.scene import Grid, Scene, Transmitter

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["RadioMap"]


@dataclass(frozen=True, eq=False)
class RadioMap:
    """Path loss between isotropic antennas from one transmitter to every cell.

    Attributes:
        path_loss_db: (rows, cols), float32; larger is weaker; NaN where there is no value (indoors) [dB].
        grid: The grid.
        tx: The transmitter, or None where the file did not say.
        producer: What produced the values, one line (engine and law, or data set and simulation).
        scene: The scene, or None where the file did not say.
        meta: More facts about the making, JSON types only.

    Raises:
        InputError: The array has another size than the grid, or holds infinities.
    """

    path_loss_db: NDArray[np.float32] = field(repr=False)
    grid: Grid
    tx: Transmitter | None
    producer: str
    scene: Scene | None = field(default=None, repr=False)
    meta: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        values = np.array(self.path_loss_db, dtype=np.float32)
        if values.shape != self.grid.shape or np.isinf(values).any():
            raise InputError(
                f"RadioMap.path_loss_db must be {self.grid.rows} x {self.grid.cols} cells, finite or NaN",
                value=f"shape {values.shape} with {int(np.isinf(values).sum())} infinite cells",
                remedy="Use NaN for cells without a value.",
            )
        object.__setattr__(self, "path_loss_db", values)
        values.flags.writeable = False

    @property
    def path_gain_db(self) -> NDArray[np.float32]:
        """Minus the path loss, (rows, cols) [dB]."""
        return -self.path_loss_db

    @property
    def has_value(self) -> NDArray[np.bool_]:
        """True where a cell has a path loss, (rows, cols)."""
        return ~np.isnan(self.path_loss_db)

    def rss_dbm(self, rx_antenna_gain_dbi: float = 0.0) -> NDArray[np.float32]:
        """Received power with the transmitter's EIRP and antenna pattern, (rows, cols) [dBm].

        Raises:
            InputError: The map has no transmitter.
        """
        if self.tx is None:
            raise InputError(
                "Received power needs a transmitter", value="tx=None", remedy="Set RadioMap.tx (dataclasses.replace)."
            )
        gain_db = self.tx.pattern_gain_db(self.grid) + rx_antenna_gain_dbi
        return (self.tx.eirp_dbm + gain_db - self.path_loss_db).astype(np.float32)

    def at(self, x: float, y: float) -> float:
        """Path loss of the cell that holds a point in map coordinates [dB]; NaN where there is no value.

        Raises:
            GridError: The point is not on the grid.
        """
        col, row = self.grid.map_to_cells(x, y)
        cell = self.grid.cell_of(float(col) * self.grid.cell_size_m, float(row) * self.grid.cell_size_m)
        return float(self.path_loss_db[cell])

    def to_xarray(self) -> "xarray.DataArray":
        """Labelled array (y, x) of the path loss with map coordinates of the cell centres and the CRS."""
        import xarray

        x, y = self.grid.cells_to_map(np.arange(self.grid.cols) + 0.5, np.arange(self.grid.rows) + 0.5)
        attributes = {"units": "dB", "long_name": "path loss", "producer": self.producer}
        if self.grid.crs is not None:
            attributes["crs"] = self.grid.crs
        return xarray.DataArray(
            self.path_loss_db, coords={"y": y, "x": x}, dims=("y", "x"), name="path_loss_db", attrs=attributes
        )

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the path loss with buildings, cars and transmitter; returns the matplotlib axes.

        New axes belong to a figure of their own outside pyplot: save it with `radiodiff.viz.save_figure(axes.figure,
        path)`, or pass axes made with pyplot to show it.
        """
        from radiodiff.viz import draw_path_loss

        return draw_path_loss(self.path_loss_db, self.grid, tx=self.tx, scene=self.scene, axes=axes)
