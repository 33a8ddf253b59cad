"""Describe a folder in the layout of the ICASSP 2025 data set."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from radiodiff.data.icassp import SampleId
from radiodiff.data.inspect.description import Description, FolderCount, Histogram
from radiodiff.data.inspect.icassp_checks import list_icassp
from radiodiff.data.inspect.level_draw import LevelDraw, read_grey
from radiodiff.errors import DataSetError
from radiodiff.formats import read_rgb_image

__all__ = ["antennas_and_bands", "describe_icassp", "maps_per_building"]


def describe_icassp(root: Path, draw: LevelDraw) -> Description:
    """Describe images and tables.

    Raises:
        DataSetError: There are no images.
    """
    samples, faults = list_icassp(root)
    if not samples:
        raise DataSetError(
            "An ICASSP 2025 folder must hold images", value=f"{root} without any", remedy="Unpack the archives again."
        )
    folders, histograms = [], []
    for task in sorted({sample.task for sample in samples}):
        of_task = [sample for sample in samples if sample.task == task]
        buildings = len({sample.building for sample in of_task})
        for kind in ("Inputs", "Outputs"):
            paths = [s.input_path(root) if kind == "Inputs" else s.output_path(root) for s in of_task]
            folders.append(FolderCount(f"{kind}/Task_{task}_ICASSP", sum(p.is_file() for p in paths), buildings))
        histograms += _icassp_histograms(root, draw, task, [s.name for s in of_task])
    ids = sorted({sample.building for sample in samples})
    draw.notes += [f"{len(faults)} names or pairs do not fit: run radiodiff dataset validate."] if faults else []
    return Description(
        root=str(root),
        layout="icassp",
        maps=len(ids),
        map_ids=(ids[0], ids[-1]),
        folders=tuple(folders),
        transmitters=maps_per_building(samples),
        shapes=dict(draw.shapes),
        histograms=tuple(histograms),
        settings=antennas_and_bands(samples),
        notes=tuple(draw.notes),
    )


def antennas_and_bands(samples: Iterable[SampleId]) -> dict[str, list[int] | list[str]]:
    """Antennas and bands that occur."""
    samples = list(samples)
    return {
        "antennas": sorted({sample.antenna for sample in samples}),
        "bands": [f"f{band}" for band in sorted({sample.band for sample in samples})],
    }


def maps_per_building(samples: Iterable[SampleId]) -> dict[int, int]:
    """Number of buildings by their number of radio maps."""
    per_building = Counter(sample.building for sample in samples)
    return dict(sorted(Counter(per_building.values()).items()))


def _icassp_histograms(root: Path, draw: LevelDraw, task: int, names: list[str]) -> list[Histogram]:
    folder = f"Inputs/Task_{task}_ICASSP"
    paths = [root / folder / f"{name}.png" for name in names]
    channels = ("reflectance_db", "transmittance_db", "distance_m")
    found = [
        draw.levels(f"{folder}, {name}", paths, lambda path, channel=channel: read_rgb_image(path)[..., channel])  # type: ignore[misc]
        for channel, name in enumerate(channels)
    ]
    outputs = [root / f"Outputs/Task_{task}_ICASSP" / f"{name}.png" for name in names]
    return [*found, draw.levels(f"Outputs/Task_{task}_ICASSP, path_loss_db", outputs, read_grey)]
