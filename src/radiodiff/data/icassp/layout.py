"""The folder of the ICASSP 2025 indoor challenge: names, places, and a listing that is checked.

```
Inputs/Task_{1,2,3}_ICASSP/B<building>_Ant<antenna>_f<band>_S<sample>.png    RGB: reflectance [dB], transmittance [dB],
                                                                             distance to the transmitter [m]
Outputs/Task_{1,2,3}_ICASSP/<same name>.png                                  grey: path loss [dB]
Positions/Positions_B<building>_Ant<antenna>_f<band>.csv                     X (row), Y (column), Azimuth; line = sample
Radiation_Patterns/Ant<antenna>_Pattern.csv                                  360 gains [dB]
```

One grey level is 1 dB or 1 m, a pixel is 0.25 m, maps have many sizes. Other files and folders are left alone.

Source: Bakirtzis et al. (2025), "The First Indoor Pathloss Radio Map Prediction Challenge", arXiv 2501.13698.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from radiodiff.data.icassp.tables import check_line, read_positions
from radiodiff.errors import DataSetError

__all__ = ["BANDS_HZ", "PIXEL_M", "TASKS", "SampleId", "is_icassp", "list_images", "scan_icassp"]

TASKS = (1, 2, 3)

PIXEL_M = 0.25
"""Edge of a pixel [m]."""

BANDS_HZ = {1: 868e6, 2: 1.8e9, 3: 3.5e9}
"""Carrier frequency of f1, f2, f3 [Hz]."""

NAME = re.compile(r"B([1-9]\d*)_Ant([1-9]\d*)_f([123])_S(0|[1-9]\d*)")

LAYOUT = (
    "Inputs/Task_k_ICASSP, Outputs/Task_k_ICASSP, Positions and Radiation_Patterns with files such as "
    "B1_Ant1_f1_S0.png, Positions_B1_Ant1_f1.csv and Ant1_Pattern.csv"
)
SOURCE = (
    "It comes from IEEE DataPort: look for the ICASSP 2025 indoor challenge, "
    '"The First Indoor Pathloss Radio Map Prediction Challenge". Unpack it and give the folder that holds Inputs.'
)


@dataclass(frozen=True, order=True)
class SampleId:
    """One radio map of a task: which building, antenna, band and sample. Ordered by these."""

    task: int
    building: int
    antenna: int
    band: int
    sample: int

    @property
    def name(self) -> str:
        """Name of its files, without suffix."""
        return f"B{self.building}_Ant{self.antenna}_f{self.band}_S{self.sample}"

    @property
    def frequency_hz(self) -> float:
        """Carrier [Hz]."""
        return BANDS_HZ[self.band]

    def input_path(self, root: Path) -> Path:
        """RGB image of the building and the distances."""
        return root / "Inputs" / f"Task_{self.task}_ICASSP" / f"{self.name}.png"

    def output_path(self, root: Path) -> Path:
        """Grey image of the path loss."""
        return root / "Outputs" / f"Task_{self.task}_ICASSP" / f"{self.name}.png"

    def positions_path(self, root: Path) -> Path:
        """Table of the transmitters."""
        return root / "Positions" / f"Positions_B{self.building}_Ant{self.antenna}_f{self.band}.csv"

    def pattern_path(self, root: Path) -> Path:
        """Table of the antenna's gains."""
        return root / "Radiation_Patterns" / f"Ant{self.antenna}_Pattern.csv"


def is_icassp(root: str | Path) -> bool:
    """Whether a folder looks like the data set: a task's images and the folders of both tables."""
    root = Path(root)
    has_tables = (root / "Positions").is_dir() and (root / "Radiation_Patterns").is_dir()
    return has_tables and any(_has_task(root, task) for task in TASKS)


def scan_icassp(root: str | Path, task: int | None = None) -> tuple[SampleId, ...]:
    """Every sample of a task, in order, each with all its files.

    Looks at names and position tables; images are not opened.

    Args:
        root: The folder that holds `Inputs`.
        task: 1, 2 or 3; None takes every task that is there.

    Raises:
        DataSetError: The folder or the task is not there or empty, a name is not of the data set, or a file is missing.
        FormatError: A position table is damaged, or lacks a line.
    """
    root = Path(root)
    if task is not None and task not in TASKS:
        raise DataSetError(
            "A task of the ICASSP challenge must be 1, 2 or 3", value=repr(task), remedy="Leave it out for all."
        )
    tasks = [number for number in TASKS if _has_task(root, number)] if task is None else [task]
    missing = [name for name in ("Positions", "Radiation_Patterns") if not (root / name).is_dir()]
    folders = [f"{kind}/Task_{number}_ICASSP" for number in tasks for kind in ("Inputs", "Outputs")]
    missing += [name for name in folders if not (root / name).is_dir()]
    if missing or not tasks:
        absent = f"without {', '.join(missing or ['any task'])}" if root.is_dir() else "which is no folder"
        raise DataSetError(f"An ICASSP 2025 data set must hold {LAYOUT}", value=f"{root}, {absent}", remedy=SOURCE)
    samples = tuple(sample for number in tasks for sample in _scan_task(root, number))
    _check_tables(root, samples)
    return samples


def _has_task(root: Path, task: int) -> bool:
    return any((root / kind / f"Task_{task}_ICASSP").is_dir() for kind in ("Inputs", "Outputs"))


def _scan_task(root: Path, task: int) -> list[SampleId]:
    names = {kind: _names(root / kind / f"Task_{task}_ICASSP", task) for kind in ("Inputs", "Outputs")}
    for there, absent in (("Inputs", "Outputs"), ("Outputs", "Inputs")):
        if alone := sorted(names[there] - names[absent]):
            raise DataSetError(
                "Every input image must have its output image, and the reverse",
                value=f"{_listed(f'{there}/Task_{task}_ICASSP/{s.name}.png' for s in alone)} of {root}, "
                f"not in {absent}",
                remedy="Unpack the archives again, or take these files out.",
            )
    if not names["Inputs"]:
        raise DataSetError(
            f"Task {task} of an ICASSP 2025 data set must hold images",
            value=f"{root / 'Inputs' / f'Task_{task}_ICASSP'}, which holds none",
            remedy="Unpack the archive again.",
        )
    return sorted(names["Inputs"])


def list_images(folder: Path, task: int) -> tuple[set[SampleId], list[Path]]:
    """Samples that have an image in a folder, and its other files; both empty where there is no folder."""
    samples, others = set(), []
    for path in sorted(folder.glob("*")):
        match = NAME.fullmatch(path.stem) if path.suffix == ".png" else None
        if match is None:
            others.append(path)
        else:
            samples.add(SampleId(task, *map(int, match.groups())))
    return samples, others


def _names(folder: Path, task: int) -> set[SampleId]:
    samples, others = list_images(folder, task)
    if foreign := [path.name for path in others if path.suffix == ".png" and not path.name.startswith(".")]:
        raise DataSetError(
            "Images of an ICASSP 2025 data set must be named like B1_Ant1_f1_S0.png, with f1, f2 or f3",
            value=f"{_listed(foreign)} in {folder}",
            remedy="Take other images out of the folder.",
        )
    return samples


def _check_tables(root: Path, samples: Iterable[SampleId]) -> None:
    """Check that every sample has a pattern and a line in its position table."""
    last: dict[Path, SampleId] = {}
    for sample in samples:
        if not sample.pattern_path(root).is_file():
            raise DataSetError(
                "Every antenna of an ICASSP 2025 data set must have a pattern",
                value=f"{sample.pattern_path(root)}, which is missing; {sample.name} needs it",
                remedy="Unpack Radiation_Patterns again.",
            )
        path = sample.positions_path(root)
        last[path] = max(sample, last.get(path, sample), key=lambda s: s.sample)
    for path, sample in last.items():
        if not path.is_file():
            raise DataSetError(
                "Every sample of an ICASSP 2025 data set must have a position table",
                value=f"{path}, which is missing; {sample.name} needs it",
                remedy="Unpack Positions again.",
            )
        check_line(read_positions(path), path, sample.sample, sample.name)


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
