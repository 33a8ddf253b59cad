"""A small data set in the layout of the ICASSP 2025 challenge, made up: rooms, walls, antennas, straight rays.

For tests, examples and dry runs. Path loss is that of free space with the antenna's pattern, and the transmission loss
of every wall on the straight way; there are no reflections. Files are where those of the real data set are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION, AzimuthConvention
from radiodiff.data.icassp.fake_rooms import FakeRooms, draw_rooms
from radiodiff.data.icassp.free_space_loss import free_space_loss_db, pixel_distance_m
from radiodiff.data.icassp.layout import BANDS_HZ, TASKS, SampleId
from radiodiff.data.icassp.rays import crossed_transmittance_db
from radiodiff.data.work_folder import check_new_folder
from radiodiff.errors import DataSetError, InputError
from radiodiff.scene import SectorAntenna, TableAntenna

__all__ = ["FAKE_PATTERNS", "FakeIcasspSettings", "write_fake_icassp"]

PATH_LOSS_RANGE_DB = (13.0, 160.0)

MOST = {"buildings": 999, "antennas": 5, "samples": 999, "smallest": 512, "largest": 512}
LEAST = {"buildings": 1, "antennas": 2, "samples": 1, "smallest": 24, "largest": 24}


@dataclass(frozen=True)
class FakeIcasspSettings:
    """What the made-up data set holds.

    Attributes:
        buildings: Number of buildings; a split by building needs three.
        antennas: Number of antennas, 2 to 5; the first has the same gain in all directions.
        samples: Transmitters per building, antenna and band.
        smallest: Smallest edge of a building [pixels].
        largest: Largest edge [pixels].
        seed: Seed; building i depends on it and on i alone.
        convention: What azimuths mean.

    Raises:
        InputError: A number is out of range, or there is no such convention.
    """

    buildings: int = 4
    antennas: int = 3
    samples: int = 2
    smallest: int = 60
    largest: int = 110
    seed: int = 0
    convention: AzimuthConvention = DEFAULT_CONVENTION

    def __post_init__(self) -> None:
        for name, least in (LEAST | {"seed": 0}).items():
            value, most = getattr(self, name), MOST.get(name, 2**63)
            if not (type(value) is int and least <= value <= most):
                raise InputError(
                    f"FakeIcasspSettings.{name} must be a whole number from {least} to {most}",
                    value=repr(value),
                    remedy="Correct the number.",
                )
        if self.smallest > self.largest:
            raise InputError(
                "FakeIcasspSettings.smallest must not be above largest",
                value=f"{self.smallest} and {self.largest}",
                remedy="Give the smaller edge first.",
            )
        if self.convention not in AZIMUTH_CONVENTIONS:
            raise InputError(
                f"FakeIcasspSettings.convention must be one of {', '.join(AZIMUTH_CONVENTIONS)}",
                value=repr(self.convention),
                remedy="Correct the name.",
            )


def _fake_patterns() -> tuple[TableAntenna, ...]:
    """Omnidirectional; two sectors and two lobed ones, none the same clockwise and counterclockwise."""
    angle_deg = np.arange(360.0)
    angle = np.radians(angle_deg)
    side_lobe_db = SectorAntenna(30.0, 12.0).relative_gain_db(angle_deg - 80.0)
    tables_db = (
        np.zeros(360),
        np.maximum(SectorAntenna(65.0, 30.0).relative_gain_db(angle_deg), side_lobe_db - 8.0),
        np.maximum(SectorAntenna(30.0, 40.0).relative_gain_db(angle_deg), side_lobe_db - 15.0),
        -6.0 * (1.0 - np.cos(angle - 0.6)) - 2.0 * np.sin(2.0 * angle) ** 2,
        -3.0 * (1.0 - np.cos(angle)) + 1.5 * np.sin(3.0 * angle),
    )
    return tuple(TableAntenna(tuple(float(gain) for gain in np.round(table, 3))) for table in tables_db)


FAKE_PATTERNS = _fake_patterns()


def write_fake_icassp(root: str | Path, settings: FakeIcasspSettings) -> Iterator[tuple[int, int]]:
    """Write a made-up data set. The same settings give the same bytes.

    Task 1 holds antenna 1 at f1, task 2 antenna 1 at all bands, task 3 all antennas at all bands; a radio map that two
    tasks share is the same in both.

    Args:
        root: A folder that is empty or absent.
        settings: What to make.

    Yields:
        (pairs of images done, pairs wanted).

    Raises:
        DataSetError: The folder holds something, or cannot be made.
        FormatError: A file cannot be written.
    """
    root = Path(root)
    check_new_folder(root)
    _make_folders(root)
    for antenna in range(1, settings.antennas + 1):
        gains_db = FAKE_PATTERNS[antenna - 1].gains_db
        _write_text(root / "Radiation_Patterns" / f"Ant{antenna}_Pattern.csv", [f"{gain}" for gain in gains_db])
    series = 3 * settings.antennas
    wanted = settings.buildings * settings.samples * (1 + 3 + series)
    done = 0
    yield done, wanted
    for building in range(1, settings.buildings + 1):
        rng = np.random.default_rng((settings.seed, building))
        rooms = draw_rooms(rng, settings.smallest, settings.largest)
        for antenna in range(1, settings.antennas + 1):
            for band in BANDS_HZ:
                for _ in _write_series(root, settings, rooms, SampleId(3, building, antenna, band, 0), rng):
                    done += 1
                    yield done, wanted


def _write_series(
    root: Path, settings: FakeIcasspSettings, rooms: FakeRooms, first: SampleId, rng: np.random.Generator
) -> Iterator[None]:
    """All samples of a building, antenna and band: images in every task they belong to, then the position table."""
    lines = [",X,Y,Azimuth"]
    for sample in range(settings.samples):
        tx = tuple(int(v) for v in rng.permutation(np.argwhere(rooms.is_air))[0])
        azimuth_deg = int(rng.integers(360))
        lines.append(f"{sample},{tx[0]},{tx[1]},{azimuth_deg}")
        inputs, output = _images(settings, rooms, first, (tx[0], tx[1]), azimuth_deg)
        for task in TASKS:
            if task == 3 or (first.antenna == 1 and (task == 2 or first.band == 1)):
                place = SampleId(task, first.building, first.antenna, first.band, sample)
                _write_image(place.input_path(root), inputs)
                _write_image(place.output_path(root), output)
                yield
    _write_text(first.positions_path(root), lines)


def _images(
    settings: FakeIcasspSettings, rooms: FakeRooms, place: SampleId, tx: tuple[int, int], azimuth_deg: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """RGB input (rows, cols, 3) and grey output (rows, cols)."""
    reflectance_db, transmittance_db = rooms.losses_db(place.band)
    loss_db = free_space_loss_db(
        rooms.is_air.shape,
        tx,
        place.frequency_hz,
        FAKE_PATTERNS[place.antenna - 1],
        azimuth_deg,
        settings.convention,
    ) + crossed_transmittance_db(transmittance_db, tx)
    distance_m = np.minimum(np.rint(pixel_distance_m(rooms.is_air.shape, tx)), 255)
    inputs = np.stack([reflectance_db, transmittance_db, distance_m], axis=-1)
    return inputs.astype(np.uint8), np.rint(np.clip(loss_db, *PATH_LOSS_RANGE_DB)).astype(np.uint8)


def _make_folders(root: Path) -> None:
    try:
        for task in TASKS:
            for kind in ("Inputs", "Outputs"):
                (root / kind / f"Task_{task}_ICASSP").mkdir(parents=True)
        (root / "Positions").mkdir()
        (root / "Radiation_Patterns").mkdir()
    except OSError as error:
        raise DataSetError(
            "The folders of a data set must be writable", value=error, remedy="Check the path, rights and free space."
        ) from error


def _write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def _write_text(path: Path, lines: list[str]) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
