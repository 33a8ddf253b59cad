import os
from functools import partial

import pytest

from radiodiff.data.worker_pool import run_in_processes, run_tasks
from radiodiff.errors import DataSetError, SceneError


def squared(offset: int, number: int) -> int:
    return number**2 + offset


def refuse(number: int) -> int:
    raise SceneError("A number must be even", value=number, remedy="Add one.")


def end_at_once(number: int) -> int:
    os._exit(number)


def test_every_item_is_done_once() -> None:
    assert sorted(run_in_processes(partial(squared, 100), iter(range(9)), 2)) == [100 + n**2 for n in range(9)]


def test_an_error_comes_back_as_it_was_raised() -> None:
    with pytest.raises(SceneError, match=r"must be even; got 3\. Add one\."):
        list(run_in_processes(refuse, [3], 1))


def test_a_process_that_dies_is_reported() -> None:
    with pytest.raises(DataSetError, match="must live until its work is done"):
        list(run_in_processes(end_at_once, [7], 1))


def test_work_may_be_left_half_way() -> None:
    results = run_in_processes(partial(squared, 0), range(1000), 1)
    # Two tasks wait for the one worker: both may be done before the first is looked at.
    assert next(results) in (0, 1)
    results.close()


def test_one_worker_or_one_item_needs_no_process() -> None:
    numbers: list[int] = []
    for items, workers in (([1, 2], 1), ([3], 2)):
        assert list(run_tasks(numbers.append, items, workers)) == [None] * len(items)
    # What another process appends stays there.
    assert numbers == [1, 2, 3]


def test_several_workers_do_every_task_once() -> None:
    assert sorted(run_tasks(partial(squared, 1), range(5), 2)) == [1, 2, 5, 10, 17]
