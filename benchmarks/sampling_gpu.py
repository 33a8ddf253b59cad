"""How many radio maps a second a GPU draws, and how long one takes.

Protocol: pipelines of `benchmarks.sampling` (networks of the recipes with their first stages, random weights) on random
conditions of 256 x 256 cells that are already on the device; channels last. `pipeline.predict` with 1 and 5 steps, one
draw of each map; three predictions as warm-up, of which the first compiles where the case says so, then the median and
quartiles of ten, each timed with a synchronised device. Memory is the peak of the allocator. "difference" is the
largest and the mean difference to the same draws in float32 without compiling, on [-1, 1], of the first four maps. The
best batch is the one with the most maps a second. Every case is written when it is done; a second run does those that
are missing.

    python -m benchmarks.sampling_gpu --out results.json --max-minutes 8

`--device cpu --small` tries the script on `diffusion/tiny` with conditions of 64 x 64 cells.
"""

from typing import Any

import torch
from torch import Tensor

from benchmarks.device_cases import Case, measure_cases, timed
from benchmarks.measure import spread
from benchmarks.sampling import CELLS, predict, random_pipeline

CASES = [
    {"recipe": recipe, "steps": steps, "precision": precision, "compile": compiled, "batch": batch}
    for precision, compiled in (("bf16", False), ("fp32", False), ("bf16", True))
    for recipe in ("diffusion/radiomapseer-dpm-small", "diffusion/radiomapseer-dpm", "diffusion/tiny")
    for batch in (1, 16, 64)
    for steps in (1, 5)
]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def main() -> None:
    measure_cases("sampling_gpu", __doc__ or "", CASES, measure)


def measure(case: Case, device: torch.device, is_small: bool) -> dict[str, Any]:
    """Time, memory and rate of one case, and what its precision changes."""
    torch.compiler.reset()
    pipe = random_pipeline("diffusion/tiny" if is_small else case["recipe"])
    pipe.set_progress_bar_config(disable=True)
    edge = 64 if is_small else CELLS
    random = torch.Generator().manual_seed(0)
    condition = torch.rand(case["batch"], len(pipe.record.encoding.names), edge, edge, generator=random) * 2 - 1
    condition = condition.to(device)
    pipe.to(device)
    exact = predict(pipe, condition[:4], case["steps"])
    pipe.to(DTYPES[case["precision"]])
    pipe.prepare(channels_last=True, compile=case["compile"])

    def run() -> Tensor:
        return predict(pipe, condition, case["steps"])

    first_s = timed(run, device)
    for _ in range(2):
        run()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    taken = spread([timed(run, device) for _ in range(2 if is_small else 10)])
    error = (run()[:4] - exact).abs()
    return {
        "batch_s": taken,
        "maps_per_s": case["batch"] / taken["median"],
        "first_s": first_s,
        "difference": {"max": error.max().item(), "mean": error.mean().item(), "median": error.median().item()},
        "peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None,
    }


if __name__ == "__main__":
    main()
