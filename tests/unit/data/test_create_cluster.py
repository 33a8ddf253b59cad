"""Workers of a scheduler: what is checked before work begins, and work on them."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs dask[distributed]")

from distributed import LocalCluster

from command_line import tree
from radiodiff.data.create import MANIFEST, CreateSettings, RunOptions, create_data_set, read_manifest
from radiodiff.data.create import cluster as tasks_on_dask
from radiodiff.data.create.task import MapTask, WorkPlan, make_maps
from radiodiff.errors import DataSetError
from radiodiff.layouts import CitySettings
from troubled_engines import Slow

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


def refused(tmp_path: Path, scheduler: str) -> str:
    with pytest.raises(DataSetError) as caught:
        list(create_data_set(tmp_path / "city", SETTINGS, options=RunOptions(scheduler=scheduler)))
    assert not list(tmp_path.glob("city/gain/DPM/*"))
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


SLOW = replace(SETTINGS, maps=40, engines={"DPM": Slow(0.2)})


def test_a_scheduler_that_ends_in_the_middle(tmp_path: Path) -> None:
    cluster = here(1)
    steps = create_data_set(tmp_path / "city", SLOW, options=RunOptions(scheduler=cluster.scheduler_address))
    assert [next(steps), next(steps)] == [(0, 40), (1, 40)]
    cluster.close()
    with pytest.raises(DataSetError, match="The scheduler must stay until the work is done"):
        list(steps)
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
