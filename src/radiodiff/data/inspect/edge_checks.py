"""Checks of a folder of edge maps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.edges.generate import RECORD
from radiodiff.data.edges.pairs import find_pairs, read_record
from radiodiff.data.edges.sources import find_images
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.errors import DataSetError, FormatError

__all__ = ["EdgePair", "check_edge_pair", "list_edges"]


@dataclass(frozen=True)
class EdgePair:
    """An edge map and its image.

    Attributes:
        edge: The edges, below the folder of the data set.
        image: The image; an absolute path where it lies elsewhere.
        size: Rows and columns that the edges have, where that is not the size of the image.
    """

    edge: str
    image: str
    size: int | None


def list_edges(root: Path) -> tuple[list[EdgePair], list[Finding]]:
    """Pairs of edges and images, and what is wrong with names, counts and the record."""
    try:
        record = read_record(root)
    except FormatError as error:
        return [], [Finding("json-schema", RECORD, str(error))]
    except DataSetError as error:
        return [], [Finding("unfinished", RECORD, str(error))]
    folders = [(path, path.parent / "image") for path in sorted({*root.glob("edge"), *root.glob("*/edge")})]
    size = None
    if not folders:
        folders, size = [(root, Path(str(record.get("source", root))))], record.get("size")
    pairs, findings = [], []
    for edges, images in folders:
        names, partners = _names(edges), _names(images)
        for name in sorted(names ^ partners):
            absent = edges / name if name in partners else images / name
            findings.append(Finding("missing-pair", _below(root, absent), "not there; its counterpart is"))
        pairs += [EdgePair(_below(root, edges / n), _below(root, images / n), size) for n in sorted(names & partners)]
    return pairs, findings + ([] if findings else _check_count(root, record))


def _names(folder: Path) -> set[str]:
    try:
        return set(find_images(folder).images)
    except DataSetError:
        return set()


def _below(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _check_count(root: Path, record: dict[str, Any]) -> list[Finding]:
    try:
        find_pairs(EdgeDataSetConfig(root=root, part="all"), record)
    except DataSetError as error:
        return [Finding("unfinished", RECORD, str(error))]
    return []


def check_edge_pair(root: Path, pair: EdgePair) -> ImageChecks:
    """Check that both images open, that edges have two levels, and that sizes agree."""
    checks = ImageChecks(root, None)
    image, edges = checks.grey(pair.image), checks.mask(pair.edge, empty="empty-layer")
    if image is not None and edges is not None:
        wanted = image.shape if pair.size is None else (pair.size, pair.size)
        if edges.shape != wanted:
            sizes = [f"{shape[0]} x {shape[1]}" for shape in (edges.shape, wanted)]
            checks.note("image-size", pair.edge, f"{sizes[0]}, expected {sizes[1]}")
    return checks
