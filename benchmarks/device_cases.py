"""Benchmarks of another device: cases one after another within a time budget, each on disk when it is done."""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import RESULTS, machine
from radiodiff.atomic_file import atomic_write

__all__ = ["Case", "measure_cases", "timed"]

Case = Mapping[str, Any]


def measure_cases(
    name: str, protocol: str, cases: Iterable[Case], measure: Callable[[Case, torch.device, bool], dict[str, Any]]
) -> None:
    """Measure the cases that a file of results does not hold yet, as the command line says.

    Args:
        name: Name of the file among the results.
        protocol: What is measured and how.
        cases: Settings of each; "fp16" as "precision" is left out without a GPU.
        measure: Figures of a case on a device; the last argument asks for small networks.
    """
    parser = argparse.ArgumentParser(description=protocol, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="small networks, to try the script")
    parser.add_argument("--max-minutes", type=float, default=8.0)
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json")
    options = parser.parse_args()
    device = torch.device(options.device)
    end = time.monotonic() + 60 * options.max_minutes
    result: dict[str, Any] = json.loads(options.out.read_text()) if options.out.exists() else {"cases": {}}
    kind = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    result |= {"protocol": protocol.strip(), "machine": machine() | {"device": kind, "torch": torch.__version__}}
    for case in cases:
        label = ", ".join(f"{key}={value}" for key, value in case.items())
        if label in result["cases"] or (device.type != "cuda" and case["precision"] == "fp16"):
            continue
        if time.monotonic() > end:
            print("the time budget is used up; run it again for the rest")
            break
        result["cases"][label] = found = measure(case, device, options.small)
        print(label, {key: value["median"] if isinstance(value, dict) else value for key, value in found.items()})
        with atomic_write(options.out) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def timed(action: Callable[[], object], device: torch.device) -> float:
    """Wall time of an action on a device that is synchronised before and after [s]."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
