"""The tables of docs/capacity.md: what they say by hand calculation, and that the page is that of the results."""

import json
from pathlib import Path

import pytest
from benchmarks.capacity import PAGE, Source, split_page, tables
from benchmarks.measure import RESULTS

FAST = {
    "radio_map_cpu_s": 2.5,
    "overhead": 0.04,
    "tree_bytes": 20_000.0,
    "packed_bytes": 80_000.0,
    "standard_error_db": 0.9,
}
LOADER = {
    name: {"2 threads": {"examples_per_s": {"median": rate}}} for name, rate in (("PNG tree", 500), ("packed", 2000))
}


def solver(seconds: float) -> dict:
    return {"cpu_s": {"median": seconds}, "standard_error_db": {"median": 0.3}}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    machine = {"machine": {"cpu": "a core"}}
    written = {
        "generation": machine
        | {
            "options": {"workers": 2, "tx_per_map": 8},
            "tasks of 0.1 s": {},
            "feeding": {"main_cpu_s": 0.02},
            "ray-tracing:fast": FAST,
        }
        | {"dominant-path": {**FAST, "radio_map_cpu_s": 0.03, "standard_error_db": None}},
        "ray_tracing": {"time_fast": {"street": solver(2.4), "rooftop": solver(3.0)}}
        | {"time_reference": {"street": solver(60.0)}},
        "loader": machine | LOADER,
    }
    for name, content in written.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_a_day_has_so_many_seconds() -> None:
    source = Source("x", "street", 0.5, 0.25, 1.0, 1.0)
    assert source.of_a_day(64) == pytest.approx(24 * 60 * 60 * 64 * 0.75 / 0.5)


def test_the_tables_follow_from_the_results(results: Path) -> None:
    lines = tables(results).splitlines()
    # 86,400 x 0.96 / 2.5 = 33,178 and so on; 2.5 s x 8 transmitters for 0.02 s of the process that sends them.
    assert "| `ray-tracing:fast`, street | 2.5 | 0.9 | 33,000 | 2,100,000 | 33,000,000 | 1,000 |" in lines
    assert "| `ray-tracing:fast`, rooftop | 3 | 0.3 | 28,000 | 1,800,000 | 28,000,000 | 1,200 |" in lines
    assert "| `ray-tracing:reference`, street | 60 | 0.3 | 1,400 | 88,000 | 1,400,000 | 24,000 |" in lines
    assert "| `dominant-path`, street | 0.03 |  | 2,800,000 | 180,000,000 | 2,800,000,000 | 12 |" in lines
    # A million: 20 kB and 80 kB each, at 500 and 2,000 a second.
    assert "| `ray-tracing:fast` | 20 GB | 80 GB | 33 min | 8.3 min |" in lines


def test_without_figures_there_is_no_table(results: Path) -> None:
    (results / "ray_tracing.json").unlink()
    assert "rooftop" not in tables(results)
    (results / "generation.json").unlink()
    assert tables(results) == "No figures are recorded yet: `python -m benchmarks.generation`.\n"


def test_the_page_is_that_of_the_results() -> None:
    _, between, _ = split_page(PAGE.read_text(encoding="utf-8"))
    assert between == tables(RESULTS), "python -m benchmarks.capacity --write"
