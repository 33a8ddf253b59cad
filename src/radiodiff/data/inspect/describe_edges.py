"""Describe a folder of edge maps."""

from collections import Counter
from pathlib import Path

from radiodiff.data.edges.generate import RECORD
from radiodiff.data.edges.sources import map_and_tx
from radiodiff.data.inspect.describe_radiomapseer import read_record
from radiodiff.data.inspect.description import Description, FolderCount
from radiodiff.data.inspect.edge_checks import list_edges
from radiodiff.data.inspect.level_draw import LevelDraw, read_grey
from radiodiff.data.inspect.split_fits import split_fits
from radiodiff.data.splits import MANIFEST
from radiodiff.errors import DataSetError

__all__ = ["describe_edges"]


def describe_edges(root: Path, draw: LevelDraw) -> Description:
    """Describe pairs of edges and images.

    Raises:
        DataSetError: There are none.
        FormatError: The record or the manifest is damaged.
    """
    pairs, faults = list_edges(root)
    if not pairs:
        reason = f"{faults[0].file}: {faults[0].reason}" if faults else "without any"
        raise DataSetError(
            "An edge folder must hold pairs of edges and images",
            value=f"{root}, {reason}",
            remedy="Make it: radiodiff dataset edges --help.",
        )
    folders = Counter(str(Path(pair.edge).parent) for pair in pairs)
    ids = sorted({numbers[0] for pair in pairs if (numbers := map_and_tx(pair.edge)) is not None})
    histograms = [
        draw.levels("edges", [root / pair.edge for pair in pairs], read_grey),
        draw.levels("images", [root / pair.image for pair in pairs], read_grey),
    ]
    draw.notes += [f"{len(faults)} pairs do not fit: run radiodiff dataset validate."] if faults else []
    return Description(
        root=str(root),
        layout="edges",
        maps=len(ids),
        map_ids=(ids[0], ids[-1]) if ids else None,
        folders=tuple(FolderCount(name, count, None) for name, count in sorted(folders.items())),
        shapes=dict(draw.shapes),
        histograms=tuple(histograms),
        splits=split_fits(root, ids) if (root / MANIFEST).is_file() else (),
        settings=read_record(root / RECORD) if (root / RECORD).is_file() else {},
        notes=tuple(draw.notes),
    )
