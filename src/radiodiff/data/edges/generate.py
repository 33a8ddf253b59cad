"""Edge images of a folder of radio maps.

```
edges.json                     what they were made of and how; at the end the counts
failures.csv                   images without edges and the reason, where there are any
<path>.png                     layout "preserve": edges at the paths of the images
{train,test}/image/<path>.png  layout "split": the image, and
{train,test}/edge/<path>.png   its edges
split.json                     map numbers of the parts, where names say them
```

Edges are 255, the rest 0.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.config import Config
from radiodiff.data.create import check_count
from radiodiff.data.edges.detect import DetectOptions, EdgeMethod, detect_edges
from radiodiff.data.edges.images import Failure, printable, read_source
from radiodiff.data.edges.retry import retried
from radiodiff.data.edges.sources import Parts, Sources, deal_parts, find_images
from radiodiff.data.splits import MANIFEST
from radiodiff.data.work_folder import begin_folder, is_begun, is_whole
from radiodiff.data.worker_pool import run_tasks
from radiodiff.errors import DataSetError, FormatError
from radiodiff.formats import write_grey_png, write_mask_png
from radiodiff.version import __version__

__all__ = [
    "EDGE_FORMAT",
    "FAILURES",
    "RECORD",
    "EdgeReport",
    "EdgeSettings",
    "generate_edges",
]

RECORD = "edges.json"

FAILURES = "failures.csv"

EDGE_FORMAT = {"format": "radiodiff-edges", "format_version": 1}


class EdgeSettings(Config):
    """How edge images are made and laid out.

    Attributes:
        method: Detector.
        options: Its settings.
        train_share: Share of maps in `train`; None keeps the structure of the folder and makes no parts.
        rest: Name of the other part.
        seed: Seed of the draw of maps.
        size: Rows and columns; None keeps those of the image. The image is resized (averaged where it shrinks,
            interpolated where it grows, the nearest cell where it has two levels), and the edges are those of the
            resized image: resized edges of one cell would break or thicken.

    Raises:
        ConfigError: A key is unknown, or a value is not allowed.
    """

    method: EdgeMethod
    options: DetectOptions = DetectOptions()
    train_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    rest: Literal["test", "validation"] = "test"
    seed: Annotated[int, Field(ge=0)] = 0
    size: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True)
class EdgeReport:
    """What a run came to.

    Attributes:
        images: Number of images found.
        written: Edge images written by this run.
        kept: Edge images that were there already.
        others: Files of the folder that are no PNG files.
        parts: Number of edge images by part; empty without a split.
        split_by: "map" or "file"; None without a split.
        failures: Images without edges.
    """

    images: int
    written: int
    kept: int
    others: int
    parts: dict[str, int]
    split_by: str | None
    failures: tuple[Failure, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


def generate_edges(
    source: str | Path, out: str | Path, settings: EdgeSettings, *, workers: int = 1
) -> Generator[tuple[int, int], None, EdgeReport]:
    """Write the edges of all images of a folder, or what an interrupted run left missing of them.

    Images that cannot be read do not stop the run: they are in the report and in `failures.csv`, and the next run tries
    them again. `check_failures` makes an error of them.

    Args:
        source: Folder of images, at any depth.
        out: Folder of the edges, apart from it; made where it is not there.
        settings: How.
        workers: Processes; 1 works in this one.

    Yields:
        (images done, images found), first for what was there already.

    Returns:
        The report.

    Raises:
        DataSetError: There are no images, the folders overlap, or `out` holds something else or was begun otherwise.
        FormatError: A file cannot be written.
        InputError: `workers` is not positive.
    """
    check_count("workers", workers, 1)
    sources = find_images(source, out)
    out = Path(out)
    parts = None
    if settings.train_share is not None:
        parts = deal_parts(sources.images, settings.train_share, settings.rest, settings.seed)
    jobs = [_Job(image, *_places(image, parts)) for image in sources.images]
    there = _begin(out, _identity(sources, settings), jobs)
    if parts and parts.split:
        parts.split.write(out / MANIFEST)
    missing = [job for job in jobs if not there.issuperset(job.paths) or _is_older(job, sources.root, out)]
    kept = done = len(jobs) - len(missing)
    yield done, len(jobs)
    failures = []
    for failure in run_tasks(partial(_make, sources.root, out, settings), missing, workers):
        failures += [failure] if failure else []
        done += 1
        yield done, len(jobs)
    failures.sort(key=lambda failure: failure.path)
    failed = {failure.path for failure in failures}
    made = [image for image in sources.images if printable(sources.root / image) not in failed]
    report = EdgeReport(
        images=len(jobs),
        written=len(missing) - len(failures),
        kept=kept,
        others=sources.others,
        parts=dict(sorted(Counter(parts.part_of[image] for image in made).items())) if parts else {},
        split_by=parts.by if parts else None,
        failures=tuple(failures),
    )
    _end(out, _identity(sources, settings), report)
    return report


@dataclass(frozen=True)
class _Job:
    """An image, and where its edges (and its copy) go."""

    image: str
    edge: str
    copy: str | None

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.edge,) if self.copy is None else (self.edge, self.copy)


def _is_older(job: _Job, root: Path, out: Path) -> bool:
    """Whether an image has changed since its edges were made."""
    changed = (root / job.image).stat().st_mtime_ns
    return any((out / path).stat().st_mtime_ns < changed for path in job.paths)


def _places(image: str, parts: Parts | None) -> tuple[str, str | None]:
    if parts is None:
        return image, None
    part = parts.part_of[image]
    return f"{part}/edge/{image}", f"{part}/image/{image}"


def _make(root: Path, out: Path, settings: EdgeSettings, job: _Job) -> Failure | None:
    """Write the files of one image."""
    try:
        grey = read_source(root / job.image, settings.size)
    except (FormatError, OSError) as error:
        return Failure.of(root / job.image, error)
    edges = detect_edges(grey, settings.method, settings.options)
    for path in job.paths:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
    if job.copy is not None:
        retried(partial(write_grey_png, out / job.copy, grey))
    retried(partial(write_mask_png, out / job.edge, edges))
    return None


def _identity(sources: Sources, settings: EdgeSettings) -> dict[str, Any]:
    """What two runs must share to add to the same folder."""
    return {
        **EDGE_FORMAT,
        "radiodiff": __version__,
        "source": str(sources.root.resolve()),
        **settings.model_dump(mode="json"),
    }


def _begin(out: Path, identity: dict[str, Any], jobs: Sequence[_Job]) -> set[str]:
    """Begin a folder, or check that it was begun for the same and take away what a killed run left unfinished.

    Returns:
        Paths of the images that are there and whole.
    """
    if not is_begun(out, RECORD, identity):
        begin_folder(out, RECORD, identity | {"counts": None})
    there = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    for name in [name for name in there if name.rsplit("/", 1)[-1].startswith(TEMPORARY_PREFIX)]:
        there.pop(name).unlink(missing_ok=True)
    strange = set(there) - {path for job in jobs for path in job.paths} - {RECORD, FAILURES, MANIFEST}
    if strange:
        raise DataSetError(
            "A folder of edges must hold those of the images alone, each in its part",
            value=f"{out} with {len(strange)} other files, such as {min(strange)}",
            remedy="The images have changed since it was begun: use another folder.",
        )
    return {name for name, path in there.items() if is_whole(path)}


def _end(out: Path, identity: dict[str, Any], report: EdgeReport) -> None:
    """Write the list of failures and the counts."""
    if report.failures:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["path", "reason"])
        writer.writerows((failure.path, failure.reason) for failure in report.failures)
        with atomic_write(out / FAILURES) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
    else:
        (out / FAILURES).unlink(missing_ok=True)
    counts = {
        "images": report.images,
        "edges": report.written + report.kept,
        "failures": len(report.failures),
        "split_by": report.split_by,
        "parts": report.parts,
    }
    with atomic_write(out / RECORD) as temporary:
        temporary.write_text(json.dumps(identity | {"counts": counts}, indent=1) + "\n", encoding="utf-8")
