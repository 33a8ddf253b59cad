"""Processes that work together: those that `torchrun` or `accelerate launch` started, or this one alone."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch

from radiodiff.errors import ConfigError, RadiodiffError

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["in_all_processes", "in_first_process", "start_processes"]

Result = TypeVar("Result")


def start_processes(*, on_cpu: bool) -> "Accelerator":
    """The processes and their devices.

    Args:
        on_cpu: Use the CPU even where there is a GPU.

    Raises:
        ConfigError: Several processes were started, and this one does not find the others.
    """
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs

    wanted = int(os.environ.get("WORLD_SIZE", "1"))
    # Without a GPU accelerate takes each of several processes for one that is alone, unless it is told so.
    is_on_cpu = on_cpu or (wanted > 1 and not torch.cuda.is_available())
    parallel = DistributedDataParallelKwargs(gradient_as_bucket_view=True)
    accelerator = Accelerator(mixed_precision="no", cpu=is_on_cpu, kwargs_handlers=[parallel])
    if accelerator.num_processes != wanted:
        raise ConfigError(
            "Processes that were started together must find each other",
            value=f"WORLD_SIZE={wanted}, {accelerator.num_processes} found",
            remedy="Start them by torchrun --standalone --nproc_per_node N -m radiodiff ...",
        )
    return accelerator


def in_first_process(accelerator: "Accelerator", action: Callable[[], Result]) -> Result | None:
    """Do something in the first process while the others wait; what it raises is raised in all of them.

    Returns:
        What the action gives, in the first process; None in the others.
    """
    from accelerate.utils import broadcast_object_list

    result: Result | None = None
    failure: list[Exception | None] = [None]
    if accelerator.is_main_process:
        try:
            result = action()
        except (RadiodiffError, OSError) as error:
            failure = [error]
    if accelerator.num_processes > 1:
        broadcast_object_list(failure)
    if failure[0] is not None:
        raise failure[0]
    return result


def in_all_processes(accelerator: "Accelerator", action: Callable[[], Result]) -> Result:
    """Do something in each process and wait until all have done; where one fails, all of them end.

    Raises:
        RadiodiffError: What the action raises here; or ConfigError where it failed in another process.
        OSError: Likewise.
    """
    from accelerate.utils import gather_object

    failure: Exception | None = None
    results: list[Result] = []
    try:
        results.append(action())
    except (RadiodiffError, OSError) as error:
        failure = error
    others = [text for text in gather_object([None if failure is None else str(failure)]) if text is not None]
    if failure is not None:
        raise failure
    if others:
        raise ConfigError(
            "Every process must be able to do its share",
            value=f"another process that could not: {others[0].removesuffix('.')}",
            remedy="Mend that and run the same command again: what is finished is kept.",
        )
    return results[0]
