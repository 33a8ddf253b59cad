"""Describe an arrangement of the ICASSP 2025 data set."""

from pathlib import Path

from radiodiff.data.icassp.arrange import ARRANGED_RECORD
from radiodiff.data.icassp.arranged_manifest import MANIFEST_FILE
from radiodiff.data.inspect.arranged_checks import IMAGE_FOLDERS, list_arranged
from radiodiff.data.inspect.describe_icassp import antennas_and_bands, maps_per_building
from radiodiff.data.inspect.describe_radiomapseer import read_record
from radiodiff.data.inspect.description import Description, FolderCount
from radiodiff.data.inspect.level_draw import LevelDraw, read_grey
from radiodiff.data.inspect.split_fits import split_fits
from radiodiff.errors import DataSetError

__all__ = ["describe_arranged"]


def describe_arranged(root: Path, draw: LevelDraw) -> Description:
    """Describe squares.

    Raises:
        DataSetError: There are none.
        FormatError: The record or the split is damaged.
    """
    items, findings = list_arranged(root)
    if not items:
        raise DataSetError(
            "An arrangement must hold images",
            value=f"{root} without any",
            remedy="Run the same radiodiff dataset arrange-icassp command again.",
        )
    folders, histograms = [], []
    for folder in IMAGE_FOLDERS:
        samples = [item.sample for item in items if folder in item.folders]
        folders.append(FolderCount(folder, len(samples), len({sample.building for sample in samples})))
        histograms.append(draw.levels(folder, [root / folder / f"{sample.name}.png" for sample in samples], read_grey))
    if not (root / MANIFEST_FILE).is_file():
        draw.notes.append(f"{MANIFEST_FILE} is not there: the run that arranges the data set has not ended.")
    elif findings:
        draw.notes.append(f"{len(findings)} names, tables or records do not fit: run radiodiff dataset validate.")
    ids = sorted({item.sample.building for item in items})
    return Description(
        root=str(root),
        layout="arranged",
        maps=len(ids),
        map_ids=(ids[0], ids[-1]),
        folders=tuple(folders),
        transmitters=maps_per_building(item.sample for item in items),
        shapes=dict(draw.shapes),
        histograms=tuple(histograms),
        splits=split_fits(root, ids),
        settings=read_record(root / ARRANGED_RECORD) | antennas_and_bands([item.sample for item in items]),
        notes=tuple(draw.notes),
    )
