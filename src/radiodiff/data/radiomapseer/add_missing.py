"""Draw the layers with missing buildings for a data set that is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radiodiff.data.create import RECORD, check_count, check_variants
from radiodiff.data.create.manifest import MANIFEST, Manifest, file_sha256
from radiodiff.data.create.settings import MISSING_KEY
from radiodiff.data.missing_layers import USUAL_SEED, missing_layers, outlines_left, write_missing_layers
from radiodiff.data.radiomapseer.packed import is_packed
from radiodiff.data.radiomapseer.store import PngTree
from radiodiff.data.work_folder import begin_folder, is_whole, make_folders
from radiodiff.data.worker_pool import run_tasks
from radiodiff.errors import DataSetError
from radiodiff.formats import read_json
from radiodiff.scene import Grid

__all__ = ["add_missing_layers"]


def add_missing_layers(root: Path, variants: int, *, workers: int = 1) -> Iterator[tuple[int, int]]:
    """Write `radiodiff.data.missing_layers` of a data set, or what an interrupted run left missing of them.

    They are those that `radiodiff.data.create.create_data_set` writes for the seed of the data set's record. Record and
    manifest then say that they are there.

    Args:
        root: Its PNG tree, with outlines.
        variants: Draws of each number of buildings, 1 to 6; those that are there already stay.
        workers: Processes.

    Yields:
        (maps done, maps wanted).

    Raises:
        DataSetError: The folder is no such tree, or has layers of this name that are others.
        FormatError: Record or outlines are absent or damaged, or a file cannot be written.
        InputError: A count is out of its range.
    """
    check_variants("variants", variants, 1)
    check_count("workers", workers, 1)
    if is_packed(root):
        raise DataSetError(
            "Missing buildings can be drawn for a data set in folders alone",
            value=f"{root}, which is packed",
            remedy="Draw them for the folder that it was packed from, and pack that again with --layer.",
        )
    tree = PngTree(root)
    grid = Grid(*tree.shape, tree.cell_size_m)
    record: dict[str, Any] = read_json(root / RECORD) if (root / RECORD).is_file() else {}
    most = max(variants, record.get(MISSING_KEY, 0))
    make_folders(root, (f"{kind}/{layer}" for layer in missing_layers(most) for kind in ("polygon", "png")))
    task = _Task(root, grid, record.get("seed", USUAL_SEED), most)
    map_ids = tree.map_ids()
    sums: dict[int, dict[str, str]] = {}
    yield 0, len(map_ids)
    for map_id, found in run_tasks(task, map_ids, workers):
        sums[map_id] = found
        yield len(sums), len(map_ids)
    if (root / MANIFEST).is_file():
        _tell_manifest(root, sums)
    if record:
        # Last of all: what the record says is there.
        begin_folder(root, RECORD, record | {MISSING_KEY: most})


@dataclass(frozen=True)
class _Task:
    """Writes the layers of one map; gives its number, and the checksums of their files."""

    root: Path
    grid: Grid
    seed: int
    variants: int

    def __call__(self, map_id: int) -> tuple[int, dict[str, str]]:
        seed = (self.seed, map_id)
        files = []
        for layer, rings in outlines_left(self.root, map_id, seed, self.variants).items():
            files += [f"polygon/{layer}/{map_id}.json", f"png/{layer}/{map_id}.png"]
            _check_own(self.root / files[-2], self.root / files[-1], rings)
        if not all(is_whole(self.root / file) for file in files):
            write_missing_layers(self.root, map_id, self.grid, seed, self.variants)
        return map_id, {file: file_sha256(self.root / file) for file in files}


def _check_own(outlines: Path, image: Path, rings: list[Any]) -> None:
    """Make sure that the files of a layer, where there are any, are those that would be drawn.

    Raises:
        DataSetError: They are others.
    """
    is_there = is_whole(outlines)
    if (is_there and read_json(outlines) != rings) or (image.is_file() and not is_there):
        raise DataSetError(
            "Layers with missing buildings that are there must be those of the data set's seed",
            value=f"{outlines if is_there else image}, of another draw",
            remedy="They can be read as they are; to have others, take their folders away.",
        )


def _tell_manifest(root: Path, sums: dict[int, dict[str, str]]) -> None:
    """Put the files into the manifest, for dataset create --verify."""
    manifest = Manifest(root)
    records = [record for record in manifest.records() if "sha256" in record and record["map"] in sums]
    for record in records:
        new = sums[record["map"]]
        record["num_bytes"] += sum((root / file).stat().st_size for file in new if file not in record["sha256"])
        record["sha256"] |= new
    manifest.append(records)
    manifest.write()
