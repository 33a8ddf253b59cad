"""The machine: what computes, and in which precision."""

import os
from collections.abc import Iterator
from pathlib import Path

from radiodiff.recipes.check.rows import CheckRow
from radiodiff.recipes.schema import Recipe

__all__ = ["check_machine", "computes_bf16"]

GIB = 2**30
CPU_FLAGS = Path("/proc/cpuinfo")
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def check_machine(recipe: Recipe) -> Iterator[CheckRow]:
    """Look at devices, threads and precision."""
    import torch

    trainer = recipe.trainer
    num_gpus = 0 if trainer.cpu else torch.cuda.device_count()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if num_gpus:
        gpu = torch.cuda.get_device_properties(0)
        finding = f"{num_gpus} GPU, {gpu.name} with {gpu.total_memory / GIB:.0f} GiB"
    else:
        finding = f"CPU with {cores} cores, {torch.get_num_threads()} threads for torch"
    yield CheckRow("device", "ok", f"{finding}, {trainer.loader_threads} threads that read ahead")
    if num_gpus > 1:
        batch = trainer.batch_size * trainer.accumulation
        yield CheckRow(
            "device",
            "warning",
            f"one process uses one of {num_gpus} GPUs",
            f"torchrun --nproc_per_node {num_gpus} -m radiodiff train ...: {batch * num_gpus} examples in a step.",
        )
    if trainer.loader_threads > cores:
        yield CheckRow(
            "device",
            "warning",
            f"trainer.loader_threads={trainer.loader_threads} on {cores} cores",
            f"Set trainer.loader_threads={cores} or less.",
        )
    yield _precision(recipe, has_gpu=num_gpus > 0)
    for key in ("tf32", "compile") if not num_gpus else ():
        if getattr(trainer, key):
            text = "has no effect without a GPU" if key == "tf32" else "takes a minute or more before the first step"
            yield CheckRow(
                "precision" if key == "tf32" else "device", "warning", f"trainer.{key} {text}", "Leave it out."
            )


def _precision(recipe: Recipe, *, has_gpu: bool) -> CheckRow:
    precision = recipe.trainer.precision
    if precision == "fp16" and not has_gpu:
        return CheckRow("precision", "error", "fp16 needs a GPU", "Set trainer.precision to fp32 or bf16.")
    if precision == "bf16" and not computes_bf16(has_gpu=has_gpu):
        where = "GPU" if has_gpu else "CPU"
        return CheckRow("precision", "warning", f"this {where} does not compute in bf16: it is slow", "Use fp32.")
    return CheckRow("precision", "ok", precision)


def computes_bf16(*, has_gpu: bool, flags: Path = CPU_FLAGS) -> bool:
    """Whether bf16 is fast here, as far as the machine says it.

    Args:
        has_gpu: Ask the GPU, not the CPU.
        flags: Where Linux lists what the CPU can do.
    """
    if has_gpu:
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not flags.is_file():
        return False
    return bool(BF16_FLAGS & set(flags.read_text(encoding="utf-8", errors="replace").split()))
