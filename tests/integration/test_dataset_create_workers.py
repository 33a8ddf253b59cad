"""`radiodiff dataset create` on worker processes: what happens when they end, when maps fail, when the disk is full."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import Run, tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.create import MANIFEST, CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.create.cluster import LOCAL_CONFIG
from radiodiff.errors import DataSetError, InputError, PropagationError
from radiodiff.layouts import CitySettings
from radiodiff.propagation import FreeSpace
from troubled_engines import Failing, Killing, Slow, Telling, fill_disk

SIZE, SEED, TX = 64, 5, 2
CITY = CitySettings(rows=SIZE, cols=SIZE)
LISTS = {"dataset.csv", "dataset.json", "split.json"}


def settings(maps: int, **changes: object) -> CreateSettings:
    return replace(CreateSettings(maps, TX, SEED, city=CITY), **changes)


def files(root: Path) -> dict[str, bytes | None]:
    """All but the manifest, which holds times."""
    return {name: content for name, content in tree(root).items() if name != MANIFEST}


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    engines = {"DPM": Killing(3, str(tmp_path / "told"))}
    steps = list(create_data_set(tmp_path / "two", settings(6, engines=engines), workers=2))
    assert (tmp_path / "told").exists()
    assert steps[0] == (0, 6)
    assert steps[-1] == (6, 6)
    list(create_data_set(tmp_path / "one", settings(6, engines=engines)))
    assert files(tmp_path / "two") == files(tmp_path / "one")
    assert [record["map"] for record in read_manifest(tmp_path / "two")] == list(range(6))


def worker_processes(parent: int) -> list[int]:
    """Numbers of the worker processes of a run."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            is_child = folder.name.isdecimal() and int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if is_child == parent and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs the list of processes in /proc")
def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    maps = 40
    options = ["--maps", maps, "--tx-per-map", TX, "--seed", SEED, "--size", SIZE, "--workers", 2]
    command = [sys.executable, "-m", "radiodiff", "dataset", "create", "--out", "two", *map(str, options)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(list(tmp_path.glob("two/gain/DPM/*.png"))) < 2:
        time.sleep(0.002)
    os.kill(worker_processes(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert out.startswith(f"two: {maps} cities, {maps * TX} radio maps (")
    list(create_data_set(tmp_path / "one", settings(maps)))
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_a_map_that_kills_every_worker_is_reported_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each death takes seconds: one is enough to put a batch off, and one more to give its map up.
    monkeypatch.setitem(LOCAL_CONFIG, "distributed.scheduler.allowed-failures", 0)
    root = tmp_path / "city"
    steps = create_data_set(root, settings(5, engines={"DPM": Killing(2)}), workers=2)
    with pytest.raises(DataSetError, match=r"4 of 5, and 1 that failed: map 2 \(seed 5, 2\): the worker process ended"):
        list(steps)
    assert sorted(int(path.stem) for path in root.glob("antenna/*.json")) == [0, 1, 3, 4]
    assert set(files(root)) >= LISTS
    assert not list(root.rglob(f"{TEMPORARY_PREFIX}*"))


UNFORESEEN = "ZeroDivisionError: no rays"
REFUSED = "PropagationError: A city must have a sky; got none. Look up"


@pytest.mark.parametrize(
    ("workers", "is_unforeseen", "text"), [(1, False, REFUSED), (1, True, UNFORESEEN), (2, True, UNFORESEEN)]
)
def test_maps_that_always_fail_are_reported_and_the_others_are_made(
    tmp_path: Path, workers: int, is_unforeseen: bool, text: str
) -> None:
    root = tmp_path / "city"
    engines = {"DPM": Failing((1, 4), is_unforeseen)}
    with pytest.raises(DataSetError) as caught:
        list(create_data_set(root, settings(6, engines=engines), workers=workers))
    message = str(caught.value)
    assert "4 of 6, and 2 that failed" in message
    for map_id in (1, 4):
        assert f"map {map_id} (seed 5, {map_id}): {text}" in message
    names = set(files(root))
    assert names >= LISTS
    # Nothing of a failed map is left for readers to stumble over.
    assert not [name for name in names if Path(name).stem.split("_")[0] in ("1", "4")]
    records = {record["map"]: record for record in read_manifest(root)}
    assert "troubled_engines.py" in records[4]["traceback"]
    assert "error" not in records[5]
    split = json.loads((root / "split.json").read_text())
    assert sorted(map_id for ids in split["parts"].values() for map_id in ids) == [0, 2, 3, 5]


def test_failed_maps_are_tried_again(tmp_path: Path) -> None:
    """A failure of the moment: the settings are the same, the map succeeds."""
    root, told = tmp_path / "city", tmp_path / "told"
    engines = {"DPM": Killing(1, str(told))}
    told.touch()
    list(create_data_set(root, settings(3, engines=engines)))
    whole = files(root)
    records = read_manifest(root)
    lines = [{"format": "radiodiff-manifest", "format_version": 1}, *records]
    lines[2] = {"map": 1, "seed": [5, 1], "error": "MemoryError"}
    (root / MANIFEST).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "antenna/1.json").unlink()
    list(create_data_set(root, settings(3, engines=engines)))
    assert files(root) == whole
    assert not [record for record in read_manifest(root) if "error" in record]


def test_a_failed_map_that_is_wanted_no_more_leaves_no_trace(tmp_path: Path) -> None:
    root = tmp_path / "city"
    engines = {"DPM": Failing((4,))}
    with pytest.raises(DataSetError, match="4 of 5, and 1 that failed"):
        list(create_data_set(root, settings(5, engines=engines)))
    list(create_data_set(root, settings(4, engines=engines)))
    assert [record["map"] for record in read_manifest(root)] == [0, 1, 2, 3]


def test_too_few_maps_for_a_split_keep_none_of_an_earlier_run(tmp_path: Path) -> None:
    root = tmp_path / "city"
    split = root / "split.json"
    list(create_data_set(root, settings(3)))
    assert split.is_file()
    for name in [name for name in files(root) if Path(name).stem.split("_")[0] == "2"]:
        (root / name).unlink()
    list(create_data_set(root, settings(2), options=RunOptions(verify=True)))
    assert not split.exists()
    # One of the user's own stays.
    split.write_text(own := '{"format": "radiodiff-split", "format_version": 1, "name": "own", "parts": {"all": [0]}}')
    list(create_data_set(root, settings(2)))
    assert split.read_text() == own


def test_a_run_in_which_nothing_succeeds_ends(tmp_path: Path) -> None:
    root = tmp_path / "city"
    engines = {"DPM": Failing(tuple(range(1, 1000)))}
    list(create_data_set(root, settings(1, engines=engines)))
    with pytest.raises(
        DataSetError, match=r"At least one of the first maps .* 10 failures, the first map 1 \(seed 5, 1\)"
    ):
        list(create_data_set(root, settings(1000, engines=engines)))
    assert (root / "antenna/0.json").is_file()


def test_settings_that_the_first_maps_refuse_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PropagationError, match="must have a sky"):
        list(create_data_set(tmp_path / "city", settings(9, engines={"DPM": Failing((0, 1, 2))})))
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataSetError, match="7 of 9, and 2 that failed"):
        list(create_data_set(tmp_path / "city", settings(9, engines={"DPM": Failing((0, 1))})))


def test_a_full_disk_ends_the_run_with_one_message(
    radiodiff: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, 4)
    command = ("dataset", "create", "--out", "city", "--maps", 6, "--tx-per-map", TX, "--seed", SEED, "--size", SIZE)
    outcome = radiodiff(*command, "--workers", 1)
    outcome.check_refusal("free space on the disk", "No space left on device", "what is done is kept")
    root = tmp_path / "city"
    assert [record["map"] for record in read_manifest(root)] == [0, 1]
    assert not list(root.rglob(f"{TEMPORARY_PREFIX}*"))
    kept = {name: content for name, content in files(root).items() if content is not None}
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    list(create_data_set(root, settings(6)))
    assert kept.items() <= files(root).items()
    list(create_data_set(tmp_path / "one", settings(6)))
    assert files(root) == files(tmp_path / "one")


def test_a_manifest_that_cannot_be_written_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "city"
    list(create_data_set(root, settings(1)))
    (root / "antenna/0.json").unlink()
    opened = Path.open

    def refuse(path: Path, mode: str = "r", **options: object) -> object:
        if mode == "a":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataSetError, match=r"manifest of a data set must be writable; got .*No space left"):
        list(create_data_set(root, settings(1)))


def test_facts_are_in_the_manifest_and_times_in_it_alone(tmp_path: Path) -> None:
    engines = {"RT": Telling(), "free": FreeSpace()}
    for name in ("one", "two"):
        list(create_data_set(tmp_path / name, settings(1, engines=engines, scenario="street")))
    assert files(tmp_path / "one") == files(tmp_path / "two")
    (record,) = read_manifest(tmp_path / "one")
    assert record["facts"]["RT"]["standard_error_db"] == [0.75] * TX
    assert record["facts"]["RT"]["num_cells_without_path"] == [1] * TX
    assert len(set(record["facts"]["RT"]["seconds"])) == TX
    assert record["facts"]["free"] == {}
    assert set(record["seconds"]) == {"layout", "files", "RT", "free"}


def test_the_time_given_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "city"
    options = RunOptions(max_hours=1.0 / 3600.0)
    steps = create_data_set(root, settings(40, engines={"DPM": Slow(0.15)}), options=options)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report = end.value
            break
    assert 1 <= report.num_maps <= 6
    assert report.num_wanted == 40
    assert report.seconds < 1.5
    # What there is can be used: the lists name the maps that are there.
    there = {str(path.stem) for path in root.glob("antenna/*.json")}
    rows = (root / "dataset.csv").read_text().splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == there
    assert len(there) == report.num_maps


def test_a_run_without_time_says_so(radiodiff: Run, tmp_path: Path) -> None:
    command = ("dataset", "create", "--out", "city", "--maps", 4, "--tx-per-map", TX, "--seed", SEED, "--size", SIZE)
    outcome = radiodiff(*command, "--workers", 1, "--max-hours", 1e-9)
    assert (outcome.code, outcome.err) == (0, "")
    assert "0 of 4 maps in the time given; the same command goes on" in outcome.out


@pytest.mark.parametrize("hours", [0.0, -1.0, float("nan")])
def test_hours_above_zero(hours: float) -> None:
    with pytest.raises(InputError, match="hours of a run must be above 0"):
        RunOptions(max_hours=hours)
