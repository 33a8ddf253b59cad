"""Buildings, cars and transmitters as the user gives them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.formats import SceneOptions
    from radiodiff.scene import Scene, Transmitter

__all__ = ["LayoutRequest", "bounds_of"]

Position = tuple[float, float]


@dataclass(frozen=True)
class LayoutRequest:
    """A scene and its transmitters, not read yet.

    Attributes:
        buildings: File or folder of the buildings.
        cars: File or folder of the cars, or None.
        options: How to read the buildings.
        tx: Positions as text.
        tx_crs: CRS of the positions; None where they are cells.
        tx_height_m: Height of the transmitters [m].
        frequency_hz: Carrier [Hz].

    Raises:
        InputError: A position is not two numbers.
    """

    buildings: Path
    cars: Path | None
    options: "SceneOptions"
    tx: list[str]
    tx_crs: str | None
    tx_height_m: float
    frequency_hz: float

    def __post_init__(self) -> None:
        for text in self.tx:
            _position(text)

    @property
    def files(self) -> list[Path]:
        """What is read."""
        return [self.buildings, *([] if self.cars is None else [self.cars])]

    def read(self) -> "tuple[Scene, list[Transmitter]]":
        """The scene and the transmitters on it; what the readers say is printed.

        Raises:
            FormatError: A file is not what its name says.
            InputError: A transmitter stands off the map or inside a building.
        """
        from radiodiff.cli.progress import waiting
        from radiodiff.formats import add_cars, read_scene

        with waiting("reading the buildings"):
            found = read_scene(self.buildings, self.options)
            if self.cars is not None:
                found = add_cars(found, self.cars, self.options.map_id)
        for note in found.notes:
            typer.echo(f"note: {note}")
        return found.scene, [self._transmitter(found.scene, _position(text)) for text in self.tx]

    def _transmitter(self, scene: "Scene", position: Position) -> "Transmitter":
        from radiodiff.formats import local_position
        from radiodiff.scene import Transmitter

        if self.tx_crs is None:
            tx = Transmitter.at_cell(scene.grid, *position, height_m=self.tx_height_m, frequency_hz=self.frequency_hz)
        else:
            x_m, y_m = local_position(scene.grid, *position, crs=self.tx_crs)
            _check_on_map(scene, (x_m, y_m), f"{position[0]:g}, {position[1]:g} in {self.tx_crs}")
            tx = Transmitter(x_m, y_m, height_m=self.tx_height_m, frequency_hz=self.frequency_hz)
        scene.check_transmitter(tx)
        return tx


def bounds_of(text: str | None) -> tuple[float, float, float, float] | None:
    """The numbers of `--bounds`.

    Raises:
        InputError: They are not four numbers.
    """
    if text is None:
        return None
    remedy = "In the map's metric CRS: --bounds 691600,5334900,691800,5335100."
    x_min, y_min, x_max, y_max = _numbers(text, 4, "--bounds must be four numbers with commas between them", remedy)
    return x_min, y_min, x_max, y_max


def _position(text: str) -> Position:
    remedy = "Column first, then row, both from 0 at the top left: --tx 120,80."
    first, second = _numbers(text, 2, "--tx must be two numbers with a comma between them", remedy)
    return first, second


def _numbers(text: str, count: int, rule: str, remedy: str) -> list[float]:
    """The numbers of `A,B,...`."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise InputError(rule, value=repr(text), remedy=remedy)
    return numbers


def _check_on_map(scene: "Scene", point_m: Position, given: str) -> None:
    grid = scene.grid
    if not (0 <= point_m[0] <= grid.cols * grid.cell_size_m and 0 <= point_m[1] <= grid.rows * grid.cell_size_m):
        raise InputError(
            f"A transmitter must stand on the map, {', '.join(f'{edge:.1f}' for edge in grid.bounds)} in {grid.crs}",
            value=given,
            remedy="Check the order: x (or longitude) first, then y (or latitude).",
        )
