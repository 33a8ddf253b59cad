"""What every benchmark shares: timing with warm-up and spread, facts about the machine, results on disk."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """The machine and the versions that decide how fast it is."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("radiodiff", "numpy", "numba", "shapely")},
    }


def seconds(action: Callable[[], object], *, warm_up: int = 2, runs: int = 9) -> dict[str, float]:
    """Median and quartiles of the wall time of an action [s]."""
    for _ in range(warm_up):
        action()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return spread(taken)


def spread(values: list[float]) -> dict[str, float]:
    """Median, quartiles and count."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": middle, "q1": low, "q3": high, "runs": len(values)}


def read(name: str) -> dict[str, Any]:
    """The result of an earlier run, without the machine; empty where there is none."""
    target = RESULTS / f"{name}.json"
    if not target.is_file():
        return {}
    content: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    del content["machine"]
    return content


def write(name: str, result: dict[str, Any]) -> None:
    """Write a result beside the others, with the machine it was measured on."""
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.json"
    target.write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n", encoding="utf-8")
    print(f"{target.relative_to(RESULTS.parent.parent)} written")
