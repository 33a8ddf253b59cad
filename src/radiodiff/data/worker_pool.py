"""Work in several processes, which end with the one that started them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TypeVar

from radiodiff.errors import DataSetError
from radiodiff.interrupts import interrupts_kept_out

__all__ = ["run_in_processes", "run_tasks"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_tasks(task: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """`task(item)` of every item as they are done: in this process where one is enough, else in several.

    Args:
        task: What pickle can send, as its items and results.
        items: What to do.
        workers: Most processes.

    Raises:
        DataSetError: A process ended before its work was done.
    """
    if workers == 1 or len(items) <= 1:
        yield from map(task, items)
    else:
        yield from run_in_processes(task, items, min(workers, len(items)))


def run_in_processes(task: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """`task(item)` of every item, as they are done.

    Args:
        task: What pickle can send, as its items and results.
        items: Taken as they are needed.
        workers: Processes.

    Raises:
        DataSetError: A process ended before its work was done.
    """
    waiting = iter(items)
    running: set[Future[Result]] = set()
    # Fresh processes: forking one that has threads (numba, rich) can deadlock.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        while True:
            # A short queue: an interrupted run stops soon, and memory does not grow with the work.
            with interrupts_kept_out():
                running |= {pool.submit(task, item) for item in islice(waiting, 2 * workers - len(running))}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise DataSetError(
            "A worker process must live until its work is done",
            value="one that the system ended",
            remedy="Memory may have run out: take fewer workers. Run it again to go on where this run stopped.",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end when its parent is killed: its own end of the queue would keep it waiting for ever."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
