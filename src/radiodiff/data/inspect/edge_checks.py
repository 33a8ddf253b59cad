"""Checks of a folder of edge maps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.edges.detect import detect_edges
from radiodiff.data.edges.generate import RECORD, EdgeSettings
from radiodiff.data.edges.images import read_source
from radiodiff.data.edges.pairs import find_pairs, read_record
from radiodiff.data.edges.sources import find_images
from radiodiff.data.inspect.findings import Finding
from radiodiff.data.inspect.image_checks import ImageChecks
from radiodiff.errors import ConfigError, DataSetError, FormatError

__all__ = ["EdgePair", "check_edge_pair", "list_edges"]

LEAST_AGREEMENT = 0.95
"""Of the edges with a record, those that its detector must find again, within a cell: other versions of the libraries
may thin otherwise."""

MOST_EDGES = 0.5
"""Share of the cells that may be edges; the detectors give at most 0.13 with their settings as they are."""

LEAST_CONTRAST = 1.2
"""Steps on the edges over those elsewhere. Of 175 gains of made-up cities and RadioMapSeer at least 1.4 with the ridge
detector and 2.8 with the others; about 1 with the edges of another map, but up to 9 with those of the same map."""


@dataclass(frozen=True)
class EdgePair:
    """An edge map and its image.

    Attributes:
        edge: The edges, below the folder of the data set.
        image: The image; an absolute path where it lies elsewhere.
        size: Rows and columns that the edges have, where that is not the size of the image.
        made_by: How the edges were made, where a record says it.
    """

    edge: str
    image: str
    size: int | None
    made_by: EdgeSettings | None = None


def list_edges(root: Path) -> tuple[list[EdgePair], list[Finding]]:
    """Pairs of edges and images, and what is wrong with names, counts and the record."""
    try:
        record = read_record(root)
    except FormatError as error:
        return [], [Finding("json-schema", RECORD, str(error))]
    except DataSetError as error:
        return [], [Finding("unfinished", RECORD, str(error))]
    folders = [(path, path.parent / "image") for path in sorted({*root.glob("edge"), *root.glob("*/edge")})]
    made_by = _settings(record)
    size = None
    if not folders:
        folders, size = [(root, Path(str(record.get("source", root))))], record.get("size")
    pairs, findings = [], []
    for edges, images in folders:
        names, partners = _names(edges), _names(images)
        for name in sorted(names ^ partners):
            absent = edges / name if name in partners else images / name
            findings.append(Finding("missing-pair", _below(root, absent), "not there; its counterpart is"))
        files = [(_below(root, edges / name), _below(root, images / name)) for name in sorted(names & partners)]
        pairs += [EdgePair(edge, image, size, made_by) for edge, image in files]
    return pairs, findings + ([] if findings else _check_count(root, record))


def _settings(record: dict[str, Any]) -> EdgeSettings | None:
    """How the edges of a record were made, or None where this version cannot make them so."""
    try:
        return EdgeSettings(**{key: record[key] for key in EdgeSettings.model_fields if key in record})
    except ConfigError:
        return None


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
    """Check that both images open, that edges have two levels and are those of the image, and that sizes agree."""
    checks = ImageChecks(root, None)
    image, edges = checks.grey(pair.image), checks.mask(pair.edge)
    if image is not None and edges is not None:
        wanted = image.shape if pair.size is None else (pair.size, pair.size)
        if edges.shape != wanted:
            sizes = [f"{shape[0]} x {shape[1]}" for shape in (edges.shape, wanted)]
            checks.note("image-size", pair.edge, f"{sizes[0]}, expected {sizes[1]}")
        elif (fault := _edge_fault(root, pair, image, edges)) is not None:
            checks.note("edges", pair.edge, fault)
        elif not edges.any():
            checks.note("empty-layer", pair.edge, f"no edges, and none are found in {pair.image}")
    return checks


def _edge_fault(root: Path, pair: EdgePair, image: NDArray[np.uint8], edges: NDArray[np.bool_]) -> str | None:
    """Why edges are not those of an image, or None.

    Edges with a record are compared with what its detector finds. Others must be some, at most half of the cells, and
    lie where the image has steps.
    """
    if pair.made_by is not None:
        try:
            grey = read_source(root / pair.image, pair.size)
        except FormatError as error:
            return f"of an image that has none ({error})"
        agreement = _agreement(edges, detect_edges(grey, pair.made_by.method, pair.made_by.options))
        if agreement >= LEAST_AGREEMENT:
            return None
        return f"only {agreement:.0%} of the edges are those that {pair.made_by.method} finds in {pair.image}"
    if not edges.any():
        return "no edges: 0 everywhere"
    if edges.mean() > MOST_EDGES:
        return f"{edges.mean():.0%} of the cells are edges: inverted, or no edges"
    if pair.size is None:
        contrast = _contrast(image, edges)
        if contrast < LEAST_CONTRAST:
            return f"steps of {pair.image} are {contrast:.2f} times as high on the edges as elsewhere: of another image"
    return None


def _agreement(edges: NDArray[np.bool_], others: NDArray[np.bool_]) -> float:
    """Share of the edge cells of both that have one of the other within a cell; 1 where there are none."""
    from scipy.ndimage import binary_dilation

    around = np.ones((3, 3), dtype=bool)
    agreeing = (edges & binary_dilation(others, around)).sum() + (others & binary_dilation(edges, around)).sum()
    count = int(edges.sum() + others.sum())
    return float(agreeing / count) if count else 1.0


def _contrast(image: NDArray[np.uint8], edges: NDArray[np.bool_]) -> float:
    """Mean step within a cell around the edges, over that of the other cells."""
    from scipy.ndimage import maximum_filter, minimum_filter

    steps = maximum_filter(image, 3).astype(np.float64) - minimum_filter(image, 3)
    elsewhere = float(steps[~edges].mean())
    on_edges = float(steps[edges].mean())
    return on_edges / elsewhere if elsewhere > 0 else np.inf if on_edges > 0 else 0.0
