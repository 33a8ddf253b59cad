"""Tasks on dask.distributed: worker processes of this machine, or the workers of a scheduler."""

import logging
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, cast

from radiodiff.data.create.settings import RECORD
from radiodiff.data.create.task import MapTask, Outcome, WorkPlan, make_maps, other_version
from radiodiff.errors import DataSetError
from radiodiff.interrupts import interrupts_kept_out
from radiodiff.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future
    from distributed.client import VersionsDict

__all__ = ["check_workers", "open_workers", "run_here", "run_on_workers"]

CONNECT_S = 30.0
"""How long a scheduler may take to answer [s]."""

WORKERLESS_S = 120.0
"""How long work waits for a worker [s]."""

BATCH_S = 2.0
"""What a batch of small scenes should take: sending one costs some milliseconds [s]."""

LARGEST_BATCH = 64

POLL_S = 5.0
"""How often workers are counted [s]."""

DEATHS = 2
"""Workers of this machine that may end over one batch before it is put off, or over one map before it is given up."""

LOCAL_CONFIG = {
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    # One task runs, none waits behind it: a task that ends its worker takes no other with it.
    "distributed.scheduler.worker-saturation": 1.0,
    # A kernel that compiles for minutes is no dead worker.
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    # Every process looks after itself less often: the usual intervals (20 and 500 ms) take 3 % of two cores.
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "10s",
}


def run_here(
    plan: WorkPlan, tasks: Sequence[MapTask], is_time_left: Callable[[float], bool]
) -> Iterator[list[Outcome]]:
    """Outcomes of tasks, one at a time in this process.

    Args:
        plan: What they share.
        tasks: The maps.
        is_time_left: Whether a task of so many seconds may begin.
    """
    mean_s = 0.0
    start = time.perf_counter()
    for done, task in enumerate(tasks):
        if not is_time_left(mean_s):
            return
        yield make_maps(plan, [task])
        mean_s = (time.perf_counter() - start) / (done + 1)


def check_workers(scheduler: str | None) -> None:
    """Check that workers can be had, before a folder is made for their work.

    Args:
        scheduler: Address of a scheduler; None for processes of this machine.

    Raises:
        DataSetError: The package is missing, the scheduler does not answer or has no workers, or these have another
            version of radiodiff.
    """
    _check_package()
    if scheduler is not None:
        with _client_of(scheduler) as client:
            _check_versions(client, scheduler)


@contextmanager
def open_workers(count: int, scheduler: str | None, plan: WorkPlan) -> "Iterator[Client]":
    """Workers for a plan, checked before any work begins.

    Args:
        count: Processes of this machine, where there is no scheduler.
        scheduler: Address of a scheduler, such as tcp://10.0.0.1:8786; None starts processes here.
        plan: What is to be made.

    Raises:
        DataSetError: The package is missing, the scheduler does not answer or has no workers, or these have another
            version of radiodiff or do not see the folder.
    """
    _check_package()
    import dask.config

    # Brings its defaults: set before it is loaded, they would leave with the ones below.
    import distributed  # noqa: F401

    with ExitStack() as stack:
        if scheduler is None:
            stack.enter_context(dask.config.set(LOCAL_CONFIG))
            yield stack.enter_context(_local_client(count))
            return
        client = stack.enter_context(_client_of(scheduler))
        _check_versions(client, scheduler)
        _check_folder(client, plan)
        yield client


@contextmanager
def _local_client(count: int) -> "Iterator[Client]":
    """Fresh processes on this machine, with one thread each; they end with this one."""
    from distributed import Client, LocalCluster

    # The workers' own folder: nothing of theirs is left behind, even where one is killed.
    with tempfile.TemporaryDirectory(prefix="radiodiff-workers-", ignore_cleanup_errors=True) as folder:
        # It starts with the first process, and then lets interrupts through to that one.
        resource_tracker.ensure_running()
        # Processes that are started meanwhile never see Ctrl-C: it goes to all, and this one alone must answer.
        with interrupts_kept_out():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=None,
                # Its server of figures starts all the same, on a fixed port unless one is named.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs="CRITICAL",
                memory_limit=0,
                local_directory=folder,
            )
        with cluster, Client(cluster) as client:
            yield client


@contextmanager
def _client_of(scheduler: str) -> "Iterator[Client]":
    from distributed import Client

    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise DataSetError(
            "The scheduler must answer",
            value=f"{scheduler} ({str(error) or type(error).__name__})",
            remedy="Start it (dask scheduler) and give the address that it prints, such as tcp://10.0.0.1:8786.",
        ) from error
    with _client_log_off(), client:
        yield client


@contextmanager
def _client_log_off() -> Iterator[None]:
    """Keep what a client says of a lost scheduler off the terminal, tracebacks included: an error of ours tells it."""
    logger = logging.getLogger("distributed.client")
    earlier = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(earlier)


def _check_versions(client: "Client", scheduler: str) -> None:
    """Check that a scheduler has workers of this version.

    Raises:
        DataSetError: There are none, or they have another version of radiodiff.
    """
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        raise DataSetError(
            "A scheduler must have workers",
            value=f"{scheduler} without any for {CONNECT_S:g} s",
            remedy=f"Start some: dask worker {scheduler} --nthreads 1 --nworkers auto",
        ) from error
    found = cast("VersionsDict", client.get_versions(packages=["radiodiff"]))["workers"]
    versions = {worker: info["packages"].get("radiodiff") for worker, info in found.items()}
    others = {worker: version for worker, version in versions.items() if version != __version__}
    if others:
        raise other_version(__version__, others)


def _check_folder(client: "Client", plan: WorkPlan) -> None:
    """Check that the workers see the folder.

    Raises:
        DataSetError: One does not.
    """
    record = str(plan.root / RECORD)
    blind = sorted(worker for worker, sees in client.run(os.path.isfile, record).items() if not sees)
    if blind:
        raise DataSetError(
            "All workers must see the folder of the data set under the same path",
            value=f"{plan.root}, not there for {', '.join(blind)}",
            remedy="Use a folder on a file system that all machines share.",
        )


def run_on_workers(
    plan: WorkPlan, tasks: Sequence[MapTask], client: "Client", is_time_left: Callable[[float], bool]
) -> Iterator[list[Outcome]]:
    """Outcomes of tasks, a batch at a time as they are done.

    A batch whose worker ends is tried on another one. Where that repeats itself, its maps are tried one by one in the
    end, and one that ends its worker then has an outcome with an error.

    Args:
        plan: What the tasks share.
        tasks: The maps.
        client: Connection to the scheduler of the workers.
        is_time_left: Whether work of so many seconds may begin.

    Raises:
        DataSetError: The scheduler ended, or there was no worker for too long.
    """
    run = _Run(plan, tasks, client)
    while run.submit(is_time_left):
        for future in run.wait():
            outcomes = run.collect(future)
            if outcomes:
                yield outcomes


class _Run:
    """Batches that wait and batches that run."""

    def __init__(self, plan: WorkPlan, tasks: Sequence[MapTask], client: "Client") -> None:
        self.plan = plan
        self.client = client
        self.waiting = deque(tasks)
        # Maps of batches whose workers ended. Others that ran there are suspects too: in the end each is tried alone.
        self.suspects: deque[MapTask] = deque()
        self.is_alone = False
        self.running: dict[Future[Any], list[MapTask]] = {}
        self.map_s = 0.0
        self._count = self._num_threads()
        self._counted = self._last_worker = time.monotonic()
        self._number = 0

    def submit(self, is_time_left: Callable[[float], bool]) -> bool:
        """Send batches while workers are free, and one more for each; returns whether any is running."""
        count = max(self._count, 1)
        # While nobody knows how long a map takes, none waits behind another.
        depth = 2 if self.map_s else 1
        while self.waiting and len(self.running) < depth * count:
            # It begins when those before it have ended.
            if not is_time_left(self._batch_s() * (1 + len(self.running) // count)):
                break
            self._send(self._next_batch())
        if not self.running and self.suspects and is_time_left(self._batch_s()):
            self.is_alone = True
            self._send([self.suspects.popleft()])
        return bool(self.running)

    def _send(self, batch: list[MapTask]) -> None:
        self._number += 1
        # Earlier maps first.
        future = self.client.submit(make_maps, self.plan, batch, pure=False, priority=-self._number)
        self.running[future] = batch

    def wait(self) -> "list[Future[Any]]":
        """Batches that are done; none after a while.

        Raises:
            DataSetError: The scheduler ended, or there was no worker for too long.
        """
        from distributed import wait
        from distributed.client import FuturesCancelledError

        now = time.monotonic()
        try:
            if now - self._counted > POLL_S or not self._count:
                self._count, self._counted = self._num_threads(), now
            done = list(wait(list(self.running), timeout=POLL_S, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            done = []
        except (FuturesCancelledError, OSError) as error:
            raise _scheduler_ended(str(error).partition("\n")[0].rstrip(":") or type(error).__name__) from error
        if self._count or done:
            self._last_worker = now
        elif now - self._last_worker > WORKERLESS_S:
            raise DataSetError(
                "A scheduler must have workers",
                value=f"none for {WORKERLESS_S:g} s",
                remedy="Start some and run the same command again: what is done is kept.",
            )
        return done

    def collect(self, future: "Future[Any]") -> list[Outcome]:
        """Outcomes of a batch; none where its maps are tried again.

        Raises:
            DataSetError: The scheduler ended, or a worker has another version of radiodiff.
        """
        batch = self.running.pop(future)
        if future.status == "finished":
            outcomes: list[Outcome] = future.result()
            self._learn(outcomes)
            return outcomes
        if future.status != "error":
            raise _scheduler_ended(f"a batch that is {future.status}")
        error = future.exception()
        if isinstance(error, DataSetError):
            raise error
        if not self.is_alone:
            self.suspects.extend(batch)
            return []
        return [_failure(self.plan, batch[0], error)]

    def _num_threads(self) -> int:
        """Tasks that can run at once."""
        return sum(self.client.nthreads().values())

    def _next_batch(self) -> list[MapTask]:
        left = -(-len(self.waiting) // (2 * max(self._count, 1)))
        size = min(int(BATCH_S / self.map_s) if self.map_s else 1, LARGEST_BATCH, left)
        return [self.waiting.popleft() for _ in range(max(size, 1))]

    def _batch_s(self) -> float:
        return max(self.map_s, min(BATCH_S, LARGEST_BATCH * self.map_s))

    def _learn(self, outcomes: list[Outcome]) -> None:
        """Seconds of a map: the first ones, which may compile kernels, are soon forgotten."""
        seconds = [sum(outcome.record["seconds"].values()) for outcome in outcomes if "seconds" in outcome.record]
        if seconds:
            mean_s = sum(seconds) / len(seconds)
            self.map_s = 0.5 * (self.map_s + mean_s) if self.map_s else mean_s


def _failure(plan: WorkPlan, task: MapTask, error: BaseException | None) -> Outcome:
    """The outcome of a map that no worker brought to an end."""
    from distributed import KilledWorker

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, KilledWorker):
        text = "the worker process ended every time (memory may have run out)"
    return Outcome(task.map_id, {"map": task.map_id, "seed": [plan.settings.seed, task.map_id], "error": text})


def _scheduler_ended(value: str) -> DataSetError:
    return DataSetError(
        "The scheduler must stay until the work is done",
        value=value,
        remedy="Start it and run the same command again: what is done is kept.",
    )


def _check_package() -> None:
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise DataSetError(
            "Work in several processes needs the package distributed",
            value="not installed",
            remedy="pip install 'dask[distributed]', or take one worker (--workers 1).",
        )
