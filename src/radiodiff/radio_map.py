"""The radio map: path loss at every cell of a grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import InputError
from radiodiff.scene import Grid, Scene, Transmitter

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["Ensemble", "RadioMap", "check_shares"]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What several draws of one radio map say of its uncertainty; arrays are float32 copies, NaN where no value is.

    Attributes:
        num_draws: Draws.
        std_db: (rows, cols) standard deviation of the draws' path loss, with num_draws - 1 as the divisor [dB].
        quantiles_db: (rows, cols) quantiles of it, by their share in [0, 1], interpolated between draws [dB].
        draws_db: (num_draws, rows, cols) each draw [dB], or None where they were not kept.

    Raises:
        InputError: There are fewer than two draws, a share is not in [0, 1], or the arrays have different sizes.
    """

    num_draws: int
    std_db: NDArray[np.float32] = field(repr=False)
    quantiles_db: Mapping[float, NDArray[np.float32]] = field(repr=False)
    draws_db: NDArray[np.float32] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        kept = None if self.draws_db is None else np.array(self.draws_db, dtype=np.float32)
        quantiles = {share: np.array(array, dtype=np.float32) for share, array in self.quantiles_db.items()}
        object.__setattr__(self, "std_db", np.array(self.std_db, dtype=np.float32))
        object.__setattr__(self, "quantiles_db", quantiles)
        object.__setattr__(self, "draws_db", kept)
        shape = self.std_db.shape
        sizes = {shape, *(array.shape for array in self.quantiles_db.values())}
        if self.draws_db is not None:
            sizes |= {self.draws_db.shape[1:]}
        draws = self.num_draws if self.draws_db is None else len(self.draws_db)
        in_range = all(0.0 <= share <= 1.0 for share in self.quantiles_db)
        if not (self.num_draws >= 2 and draws == self.num_draws and len(sizes) == 1 and len(shape) == 2 and in_range):
            raise InputError(
                "An ensemble must have at least 2 draws, arrays (rows, cols) of one size and quantiles of shares in "
                "[0, 1]",
                value=f"{self.num_draws} draws, {draws} of them kept, sizes {sorted(sizes)}, shares "
                f"{', '.join(map(str, self.quantiles_db))}",
                remedy="A single draw has no ensemble.",
            )
        for array in (self.std_db, *self.quantiles_db.values(), *([] if self.draws_db is None else [self.draws_db])):
            array.flags.writeable = False

    @classmethod
    def of_draws(
        cls, draws_db: NDArray[np.floating], quantiles: Sequence[float] = (0.05, 0.5, 0.95), *, keep: bool = False
    ) -> "Ensemble":
        """The ensemble of draws.

        Args:
            draws_db: (num_draws, rows, cols) path loss [dB], NaN where there is none.
            quantiles: Shares of the quantiles.
            keep: Keep the draws.

        Raises:
            InputError: There are fewer than two draws, or a share is not in [0, 1].
        """
        check_shares(quantiles)
        values = np.quantile(draws_db, quantiles, axis=0) if quantiles else []
        std_db = np.std(draws_db, axis=0, ddof=1) if len(draws_db) > 1 else np.zeros(draws_db.shape[1:])
        found = dict(zip(quantiles, values, strict=True))
        return cls(len(draws_db), std_db.astype(np.float32), found, draws_db.astype(np.float32) if keep else None)

    @property
    def layers(self) -> dict[str, NDArray[np.float32]]:
        """All of it as named arrays (rows, cols): `std_db`, `quantile_5_db` ..., `draw_0_db` ... [dB]."""
        names = _layer_names(self.num_draws, list(self.quantiles_db), has_draws=self.draws_db is not None)
        arrays = (self.std_db, *self.quantiles_db.values(), *(() if self.draws_db is None else self.draws_db))
        return dict(zip(names, arrays, strict=True))

    @property
    def description(self) -> dict[str, Any]:
        """What the layers do not say, in JSON types; `of_layers` needs it."""
        return {
            "num_draws": self.num_draws,
            "quantiles": [float(share) for share in self.quantiles_db],
            "has_draws": self.draws_db is not None,
        }

    @classmethod
    def of_layers(cls, description: Mapping[str, Any], layers: Mapping[str, NDArray[np.floating]]) -> "Ensemble":
        """The ensemble of `layers` and its `description`.

        Raises:
            InputError: They do not fit together.
            KeyError: A layer or an entry is missing.
        """
        num_draws, shares = int(description["num_draws"]), [float(share) for share in description["quantiles"]]
        std_db, *rest = [layers[name] for name in _layer_names(num_draws, shares, has_draws=description["has_draws"])]
        draws = np.stack(rest[len(shares) :]) if description["has_draws"] else None
        return cls(num_draws, std_db, dict(zip(shares, rest, strict=False)), draws)


def _layer_names(num_draws: int, shares: Sequence[float], *, has_draws: bool) -> list[str]:
    quantiles = [f"quantile_{100 * share:.10g}_db" for share in shares]
    return ["std_db", *quantiles, *(f"draw_{number}_db" for number in range(num_draws if has_draws else 0))]


def check_shares(quantiles: Sequence[float]) -> None:
    """Refuse shares of quantiles that are none.

    Raises:
        InputError: One is not in [0, 1].
    """
    if not all(0.0 <= share <= 1.0 for share in quantiles):
        raise InputError(
            "Shares of quantiles must be in [0, 1]", value=tuple(quantiles), remedy="0.05 is the 5 % quantile."
        )


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
        ensemble: Where the map is the mean of several draws, what these say of its uncertainty.

    Raises:
        InputError: The array or the ensemble has another size than the grid, or the array holds infinities.
    """

    path_loss_db: NDArray[np.float32] = field(repr=False)
    grid: Grid
    tx: Transmitter | None
    producer: str
    scene: Scene | None = field(default=None, repr=False)
    meta: dict[str, Any] = field(default_factory=dict, repr=False)
    ensemble: Ensemble | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        values = np.array(self.path_loss_db, dtype=np.float32)
        if values.shape != self.grid.shape or np.isinf(values).any():
            raise InputError(
                f"RadioMap.path_loss_db must be {self.grid.rows} x {self.grid.cols} cells, finite or NaN",
                value=f"shape {values.shape} with {int(np.isinf(values).sum())} infinite cells",
                remedy="Use NaN for cells without a value.",
            )
        if self.ensemble is not None and self.ensemble.std_db.shape != self.grid.shape:
            raise InputError(
                f"RadioMap.ensemble must be of {self.grid.rows} x {self.grid.cols} cells",
                value=f"shape {self.ensemble.std_db.shape}",
                remedy="Crop the ensemble along with the map, or leave it out.",
            )
        object.__setattr__(self, "path_loss_db", values)
        values.flags.writeable = False

    @property
    def layers(self) -> dict[str, NDArray[np.float32]]:
        """`path_loss_db` and the layers of the ensemble as named arrays (rows, cols), as files hold them [dB]."""
        return {"path_loss_db": self.path_loss_db} | ({} if self.ensemble is None else self.ensemble.layers)

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

    def to_dataset(self) -> "xarray.Dataset":
        """`to_xarray` with the layers of the ensemble, where there is one, as further variables."""
        path_loss = self.to_xarray()
        units = {"units": "dB"}
        layers = {name: (("y", "x"), layer, units) for name, layer in self.layers.items() if name != path_loss.name}
        said = {} if self.ensemble is None else {"num_draws": self.ensemble.num_draws}
        return path_loss.to_dataset().assign(layers).assign_attrs(path_loss.attrs | said)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the path loss with buildings, cars and transmitter; returns the matplotlib axes.

        New axes belong to a figure of their own outside pyplot: save it with `radiodiff.viz.save_figure(axes.figure,
        path)`, or pass axes made with pyplot to show it.
        """
        from radiodiff.viz import draw_path_loss

        return draw_path_loss(self.path_loss_db, self.grid, tx=self.tx, scene=self.scene, axes=axes)
