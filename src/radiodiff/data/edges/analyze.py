"""What edges a folder of radio maps would have, without writing any."""

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from radiodiff.data.create import check_count
from radiodiff.data.edges.detect import EDGE_METHODS, DetectOptions, EdgeMethod, detect_edges
from radiodiff.data.edges.images import Failure, read_source
from radiodiff.data.edges.sources import find_images
from radiodiff.data.worker_pool import run_tasks
from radiodiff.errors import FormatError

__all__ = ["EdgeAnalysis", "analyze_edges"]


@dataclass(frozen=True)
class EdgeAnalysis:
    """Counts of a folder of images.

    Attributes:
        images: Number of images found.
        others: Files of the folder that are no PNG files.
        sizes: Number of images by (rows, cols), as edges would be detected in them.
        shares: Share of edge cells of each readable image, by method; ascending.
        failures: Images that can have no edges.
    """

    images: int
    others: int
    sizes: dict[tuple[int, int], int]
    shares: dict[EdgeMethod, tuple[float, ...]]
    failures: tuple[Failure, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON types: counts, and minimum, median and maximum of the shares."""
        return {
            "images": self.images,
            "other_files": self.others,
            "sizes": {f"{rows}x{cols}": count for (rows, cols), count in self.sizes.items()},
            "edge_share": {
                method: {"min": shares[0], "median": float(np.median(shares)), "max": shares[-1]}
                for method, shares in self.shares.items()
                if shares
            },
            "failures": [{"path": failure.path, "reason": failure.reason} for failure in self.failures],
        }


def analyze_edges(
    source: str | Path,
    methods: Sequence[EdgeMethod] = EDGE_METHODS,
    options: DetectOptions | None = None,
    *,
    size: int | None = None,
    workers: int = 1,
) -> Generator[tuple[int, int], None, EdgeAnalysis]:
    """Detect the edges of all images of a folder and count them.

    Args:
        source: Folder of images, at any depth.
        methods: Detectors.
        options: Their settings.
        size: Rows and columns that images are resized to; None keeps theirs.
        workers: Processes; 1 works in this one.

    Yields:
        (images done, images found).

    Returns:
        The counts.

    Raises:
        DataSetError: There are no images.
        InputError: `workers` is not positive.
    """
    check_count("workers", workers, 1)
    sources = find_images(source)
    paths = [str(sources.root / image) for image in sources.images]
    yield 0, len(paths)
    failures: list[Failure] = []
    counted: list[_Count] = []
    task = partial(_count, tuple(methods), options or DetectOptions(), size)
    for done, found in enumerate(run_tasks(task, paths, workers), 1):
        if isinstance(found, Failure):
            failures.append(found)
        else:
            counted.append(found)
        yield done, len(paths)
    return EdgeAnalysis(
        images=len(paths),
        others=sources.others,
        sizes=dict(sorted(Counter(count.shape for count in counted).items())),
        shares={method: tuple(sorted(count.shares[i] for count in counted)) for i, method in enumerate(methods)},
        failures=tuple(sorted(failures, key=lambda failure: failure.path)),
    )


@dataclass(frozen=True)
class _Count:
    """Size of an image, and its share of edge cells by each method."""

    shape: tuple[int, int]
    shares: tuple[float, ...]


def _count(methods: tuple[EdgeMethod, ...], options: DetectOptions, size: int | None, path: str) -> _Count | Failure:
    try:
        grey = read_source(Path(path), size)
    except (FormatError, OSError) as error:
        return Failure.of(Path(path), error)
    rows, cols = grey.shape
    return _Count((rows, cols), tuple(float(detect_edges(grey, method, options).mean()) for method in methods))
