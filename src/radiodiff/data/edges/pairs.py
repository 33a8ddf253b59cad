"""Which edge files, and which images with them, an edge data set has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.data.edges.dataset_config import EdgeDataSetConfig
from radiodiff.data.edges.generate import EDGE_FORMAT, RECORD
from radiodiff.data.edges.sources import find_images, map_and_tx
from radiodiff.data.splits import find_split
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import read_json

__all__ = ["Pair", "find_pairs", "numbers_of", "read_record"]


@dataclass(frozen=True)
class Pair:
    """Files of an example.

    Attributes:
        path: Path below the folder of edges, with forward slashes.
        edge: The edges.
        image: The image, or None where the condition is a scene.
    """

    path: str
    edge: Path
    image: Path | None


def find_pairs(config: EdgeDataSetConfig, record: dict[str, Any]) -> tuple[Pair, ...]:
    """The examples of a data set, in order.

    Args:
        config: What to read.
        record: Record of its making, empty where there is none.

    Raises:
        DataSetError: There are no edges or no such part, files are missing, edges have no image, an image no edges, or
            names do not say the maps that a split needs.
        FormatError: The manifest is damaged.
    """
    root, part = config.root, config.part
    parts = sorted(path.name for path in root.iterdir() if (path / "edge").is_dir())
    is_pair = not parts and (root / "edge").is_dir()
    if not parts and not is_pair:
        return _preserved(config, record)
    if part != "all" and part not in parts:
        raise DataSetError(
            f"A part of {root} must be one of {', '.join([*parts, 'all'])}",
            value=repr(part),
            remedy="Name one of them, or make the edges anew: radiodiff dataset edges SOURCE --method canny "
            f"--out NEW --split 0.7 --rest {part if part in ('test', 'validation') else 'validation'}.",
        )
    folders = [root] if is_pair else [root / name for name in (parts if part == "all" else [part])]
    found = tuple(pair for folder in folders for pair in _below(folder, with_images=config.scene is None))
    if record:
        counts: dict[str, int] = record["counts"]["parts"]
        _check_count(root, len(found), sum(counts.values()) if part == "all" else counts.get(part, 0))
    return found


def _below(folder: Path, *, with_images: bool) -> tuple[Pair, ...]:
    """Pairs of the folders edge/ and image/."""
    edges = find_images(folder / "edge").images
    if with_images and (folder / "image").is_dir():
        lonely = sorted(set(find_images(folder / "image").images) - set(edges))
        if lonely:
            raise DataSetError(
                "Every image must have edges",
                value=f"{folder / 'image' / lonely[0]} without {folder / 'edge' / lonely[0]} ({len(lonely)} in all)",
                remedy="Make its edges, or take the image away.",
            )
    return _paired(edges, folder / "edge", folder / "image" if with_images else None)


def _preserved(config: EdgeDataSetConfig, record: dict[str, Any]) -> tuple[Pair, ...]:
    """Pairs of a folder that keeps the structure of the images."""
    root = config.root
    if not record:
        raise DataSetError(
            f"A folder of edges must hold {RECORD}, or edge/ and image/, or such folders for each part",
            value=root,
            remedy="Make it with radiodiff dataset edges, or put the edges in edge/ and the images in image/.",
        )
    paths = find_images(root).images
    _check_count(root, len(paths), record["counts"]["edges"])
    if config.part != "all":
        split = find_split(config.scene or root, config.split)
        chosen = set(split.ids(config.part))
        maps = {path: numbers_of(root / path)[0] for path in paths}
        split.check_maps(maps.values(), root)
        paths = tuple(path for path in paths if maps[path] in chosen)
    images = (config.images or Path(record["source"])) if config.scene is None else None
    return _paired(paths, root, images)


def _paired(paths: tuple[str, ...], edges: Path, images: Path | None) -> tuple[Pair, ...]:
    pairs = tuple(Pair(path, edges / path, None if images is None else images / path) for path in paths)
    lonely = [pair for pair in pairs if pair.image is not None and not pair.image.is_file()]
    if lonely:
        raise DataSetError(
            "Every edge map must have its image",
            value=f"{lonely[0].edge} without {lonely[0].image} ({len(lonely)} in all)",
            remedy="Copy the images again, or name their folder.",
        )
    return pairs


def numbers_of(edge: Path) -> tuple[int, int]:
    """Numbers of map and transmitter by the name of a file.

    Raises:
        DataSetError: The name does not say them.
    """
    numbers = map_and_tx(edge.name)
    if numbers is None:
        raise DataSetError(
            "Names of edge maps must be <map>_<tx>.png where a split or a scene belongs to them",
            value=edge,
            remedy="Take the part 'all' and the images as condition, or name the files so.",
        )
    return numbers


def _check_count(root: Path, found: int, recorded: int) -> None:
    if found != recorded:
        raise DataSetError(
            f"A folder of edges must hold what its record says, {recorded} edge maps",
            value=f"{root} with {found}",
            remedy="Run the same radiodiff dataset edges command again.",
        )


def read_record(root: Path) -> dict[str, Any]:
    """The record of a run of `radiodiff dataset edges`; empty where the folder is of another origin.

    Raises:
        DataSetError: There is no such folder, or the run was interrupted.
        FormatError: The record is damaged, or lacks the place of the images or a count.
    """
    if not root.is_dir():
        raise DataSetError(
            "An edge data set is a folder",
            value=f"{root}, which is {'a file' if root.exists() else 'not there'}",
            remedy="Make it: radiodiff dataset edges --help.",
        )
    if not (root / RECORD).is_file():
        return {}
    record = read_json(root / RECORD)
    if not (isinstance(record, dict) and all(record.get(key) == value for key, value in EDGE_FORMAT.items())):
        raise FormatError(
            f"{RECORD} must hold the record of an edge data set",
            value=root / RECORD,
            remedy="Make the edges anew: radiodiff dataset edges --help.",
        )
    counts = record.get("counts")
    if counts is None:
        raise DataSetError(
            "An edge data set must be complete",
            value=f"{root}, whose making was interrupted",
            remedy="Run the same radiodiff dataset edges command again.",
        )
    if not (
        isinstance(record.get("source"), str)
        and isinstance(record.get("size"), int | None)
        and isinstance(counts, dict)
        and type(counts.get("edges")) is int
        and isinstance(counts.get("parts"), dict)
        and all(type(count) is int for count in counts["parts"].values())
    ):
        raise FormatError(
            f"{RECORD} must hold the folder of the images as source, their size, and counts of edges and parts",
            value=root / RECORD,
            remedy="It is damaged: run the same radiodiff dataset edges command again.",
        )
    return record
