"""Workers of a scheduler: what is checked before work begins, and work on them."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs dask[distributed]")

from distributed import LocalCluster

from command_line import tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.create import MANIFEST, CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.create import cluster as tasks_on_dask
from radiodiff.data.create.task import MapTask, WorkPlan, make_maps
from radiodiff.errors import DataSetError
from radiodiff.layouts import CitySettings
from troubled_engines import Slow, fill_disk

SETTINGS = CreateSettings(3, 2, 5, city=CitySettings(rows=64, cols=64))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with one worker, both in this process."""
    with here(1) as cluster:
        yield cluster.scheduler_address


def here(num_workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=num_workers,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        memory_limit=0,
    )


def files(root: Path) -> dict[str, bytes | None]:
    return {name: content for name, content in tree(root).items() if name != MANIFEST}


def test_the_workers_of_a_scheduler_write_the_same_bytes(tmp_path: Path, scheduler: str) -> None:
    list(create_data_set(tmp_path / "here", SETTINGS))
    list(create_data_set(tmp_path / "there", SETTINGS, options=RunOptions(scheduler=scheduler)))
    assert files(tmp_path / "there") == files(tmp_path / "here")


def test_what_a_killed_worker_left_unfinished_is_taken_away(tmp_path: Path, scheduler: str) -> None:
    steps = create_data_set(tmp_path / "city", SETTINGS, options=RunOptions(scheduler=scheduler))
    next(steps)
    leftover = tmp_path / f"city/gain/DPM/{TEMPORARY_PREFIX}0.png"
    leftover.touch()
    list(steps)
    assert not leftover.exists()


def test_a_full_disk_of_a_worker_ends_the_run_and_loses_nothing(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, options = tmp_path / "city", RunOptions(scheduler=scheduler)
    fill_disk(monkeypatch, 3)
    with pytest.raises(
        DataSetError, match=r"free space on the disk; got .*No space left on device.*what is done is kept"
    ):
        list(create_data_set(root, SETTINGS, options=options))
    assert [record["map"] for record in read_manifest(root)] == [0]
    assert not list(root.rglob(f"{TEMPORARY_PREFIX}*"))
    kept = {name: content for name, content in files(root).items() if content is not None}
    monkeypatch.undo()
    list(create_data_set(root, SETTINGS, options=options))
    list(create_data_set(tmp_path / "here", SETTINGS))
    assert kept.items() <= files(root).items()
    assert files(root) == files(tmp_path / "here")


def refused(tmp_path: Path, scheduler: str) -> str:
    with pytest.raises(DataSetError) as caught:
        list(create_data_set(tmp_path / "city", SETTINGS, options=RunOptions(scheduler=scheduler)))
    assert not list(tmp_path.iterdir())
    return str(caught.value)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "carrier-pigeon://roof:1"])
def test_a_scheduler_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(tasks_on_dask, "CONNECT_S", 0.5)
    message = refused(tmp_path, address)
    assert "The scheduler must answer" in message
    assert address in message


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_on_dask, "CONNECT_S", 0.5)
    with here(0) as empty:
        message = refused(tmp_path, empty.scheduler_address)
    assert "A scheduler must have workers" in message


def test_workers_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str) -> None:
    monkeypatch.setattr(tasks_on_dask, "__version__", "9.9")
    message = refused(tmp_path, scheduler)
    assert "All workers must have radiodiff 9.9" in message
    assert "pip install radiodiff==9.9" in message


def test_a_worker_of_another_version_that_came_later(tmp_path: Path) -> None:
    """Checked where the task runs: workers may join at any time."""
    with pytest.raises(DataSetError, match=r"All workers must have radiodiff 9\.9"):
        make_maps(WorkPlan(tmp_path, SETTINGS, "9.9"), [MapTask(0)])


PRINT_MASKS = """
import signal
from radiodiff.data.create.cluster import open_workers

if __name__ == "__main__":
    with open_workers(2, None, None) as client:
        masks = client.run(signal.pthread_sigmask, signal.SIG_BLOCK, [])
    print(sorted(signal.SIGINT in mask for mask in masks.values()))
"""


def test_processes_of_this_machine_never_see_an_interrupt(tmp_path: Path) -> None:
    """A fresh process: what multiprocessing starts for the first child matters."""
    (tmp_path / "masks.py").write_text(PRINT_MASKS)
    done = subprocess.run([sys.executable, tmp_path / "masks.py"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[True, True]\n", "")


def test_workers_that_do_not_see_the_folder(tmp_path: Path, scheduler: str) -> None:
    with (
        pytest.raises(DataSetError, match="must see the folder"),
        tasks_on_dask.open_workers(1, scheduler, WorkPlan(tmp_path / "elsewhere", SETTINGS)),
    ):
        pass


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataSetError, match=r"pip install 'dask\[distributed\]'"):
        list(create_data_set(tmp_path / "city", SETTINGS, workers=2))


def test_the_time_given_on_workers(tmp_path: Path, scheduler: str) -> None:
    steps = create_data_set(tmp_path / "city", SETTINGS, options=RunOptions(scheduler=scheduler, max_hours=1e-9))
    assert list(steps) == [(0, 3)]


class TwoThreads:
    """A client that keeps what it is given."""

    def nthreads(self) -> dict[str, int]:
        return {"one": 1, "other": 1}

    def submit(self, *arguments: object, **options: object) -> object:
        return object()


def test_work_begins_where_it_ends_in_time(tmp_path: Path) -> None:
    """A batch waits for the one before it."""
    run = tasks_on_dask._Run(WorkPlan(tmp_path, SETTINGS), [MapTask(i) for i in range(9)], TwoThreads())
    run.submit(lambda _: True)
    assert len(run.running) == 2
    run.map_s = 60.0
    run.submit(lambda seconds: seconds < 120.0)
    assert len(run.running) == 2
    run.submit(lambda seconds: seconds <= 120.0)
    assert len(run.running) == 4


SLOW = replace(SETTINGS, maps=40, engines={"DPM": Slow(0.2)})


def test_a_scheduler_that_ends_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_on_dask, "CONNECT_S", 0.5)
    cluster = here(1)
    steps = create_data_set(tmp_path / "city", SLOW, options=RunOptions(scheduler=cluster.scheduler_address))
    assert [next(steps), next(steps)] == [(0, 40), (1, 40)]
    client_log = logging.getLogger("distributed.client")
    assert not client_log.isEnabledFor(logging.CRITICAL)
    cluster.close()
    with pytest.raises(DataSetError, match=r"The scheduler must stay until the work is done; got [\w ]+\. Start it"):
        list(steps)
    assert client_log.isEnabledFor(logging.CRITICAL)
    assert read_manifest(tmp_path / "city")


def test_workers_that_all_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_on_dask, "WORKERLESS_S", 0.3)
    monkeypatch.setattr(tasks_on_dask, "POLL_S", 0.1)
    with here(1) as cluster:
        steps = create_data_set(tmp_path / "city", SLOW, options=RunOptions(scheduler=cluster.scheduler_address))
        assert [next(steps), next(steps)] == [(0, 40), (1, 40)]
        cluster.scale(0)
        with pytest.raises(DataSetError, match=r"A scheduler must have workers; got none for 0\.3 s"):
            list(steps)


def test_a_batch_on_a_worker_of_another_version_ends_the_run(tmp_path: Path, scheduler: str) -> None:
    list(create_data_set(tmp_path / "city", SETTINGS))
    plan = WorkPlan(tmp_path / "city", SETTINGS)
    with (
        tasks_on_dask.open_workers(1, scheduler, plan) as client,
        pytest.raises(DataSetError, match=r"All workers must have radiodiff 9\.9"),
    ):
        list(tasks_on_dask.run_on_workers(replace(plan, radiodiff="9.9"), [MapTask(0)], client, lambda _: True))
