"""Workers of a scheduler: what is checked before work begins, and work on them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs dask[distributed]")

from distributed import LocalCluster

from command_line import tree
from radiodiff.data.create import MANIFEST, CreateSettings, RunOptions, create_data_set
from radiodiff.data.create import cluster as tasks_on_dask
from radiodiff.data.create.task import MapTask, WorkPlan, make_maps
from radiodiff.errors import DataSetError
from radiodiff.layouts import CitySettings

SETTINGS = CreateSettings(3, 2, 5, city=CitySettings(rows=64, cols=64))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with one worker, both in this process."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None, memory_limit=0
    ) as cluster:
        yield cluster.scheduler_address


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
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as empty:
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
