"""What cores make in a day, and what it costs to store and read: the tables of docs/capacity.md.

They follow from `results/generation.json`, `results/ray_tracing.json` and `results/loader.json`. `--write` puts them
into the page; a test compares page and results.

Radio maps of a day: 86,400 s x cores x (1 - overhead) / processor seconds of a radio map, the overhead that of two
workers. The ray tracer's scenario `rooftop` and its preset `reference` are not in generation.json: their time is that
of the solver alone (layout and files take some hundredths of a second), the rest that of `fast` on the street.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "capacity.md"
BEGIN = "<!-- begin: python -m benchmarks.capacity --write -->"
END = "<!-- end -->"

CORES = (1, 64, 1000)
DAY_S = 86_400.0
MILLION = 1_000_000

GENERATION, TRACING, LOADER = "generation", "ray_tracing", "loader"
MEASURED_BY = f"python -m benchmarks.{GENERATION}"
TRACED = "ray-tracing:fast"


@dataclass(frozen=True)
class Source:
    """An engine with its preset, and what a radio map of it takes.

    Attributes:
        name: Name of the engine and preset.
        scenario: Where the transmitters stand.
        cpu_s: Processor time of a radio map with its share of the layout and all files [s].
        overhead: Share of the workers' time that is no task.
        tree_bytes: All files [B].
        packed_bytes: The same packed [B].
        standard_error_db: Noise; None where there is none [dB].
        main_cpu_s: What the process that sends tasks and records them takes; None where that was not measured [s].
    """

    name: str
    scenario: str
    cpu_s: float
    overhead: float
    tree_bytes: float
    packed_bytes: float
    standard_error_db: float | None = None
    main_cpu_s: float | None = None

    def of_a_day(self, cores: int) -> float:
        """Radio maps that so many cores make in a day."""
        return DAY_S * cores * (1.0 - self.overhead) / self.cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/capacity.md")
    options = parser.parse_args()
    text = tables(RESULTS)
    print(text)
    if options.write:
        before, _, after = split_page(PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(before + text + after, encoding="utf-8")


def split_page(page: str) -> tuple[str, str, str]:
    """A page before, between and after its marks, which belong to what is around."""
    before, rest = page.split(f"{BEGIN}\n")
    between, after = rest.split(END)
    return f"{before}{BEGIN}\n", between, f"{END}{after}"


def tables(results: Path) -> str:
    """The tables as Markdown; a sentence where generation was not measured."""
    generation = read_result(results, GENERATION)
    loader = read_result(results, LOADER)
    if not generation:
        return f"No figures are recorded yet: `{MEASURED_BY}`.\n"
    found = [*generated(generation)]
    found += traced(found, read_result(results, TRACING))
    parts = [
        f"Measured on {generation['machine']['cpu']}, {generation['options']['workers']} workers, "
        f"{generation['options']['tx_per_map']} transmitters on each city of 256 x 256 cells:",
        rates(found),
        "A million radio maps, stored, and read once in random order on two cores "
        f"({loader['machine']['cpu']}, two threads):",
        room(found, loader),
    ]
    return "\n\n".join(parts) + "\n"


def read_result(results: Path, name: str) -> dict[str, Any]:
    """A result, empty where it was not measured."""
    path = results / f"{name}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def generated(generation: dict[str, Any]) -> Iterator[Source]:
    """What data sets were made with."""
    num_tx = generation["options"]["tx_per_map"]
    main_cpu_s = generation["feeding"]["main_cpu_s"] / num_tx if "feeding" in generation else None
    for name, found in generation.items():
        if isinstance(found, dict) and "radio_map_cpu_s" in found:
            yield Source(
                name,
                "street",
                found["radio_map_cpu_s"],
                found["overhead"],
                found["tree_bytes"],
                found["packed_bytes"],
                found.get("standard_error_db"),
                main_cpu_s,
            )


def traced(found: Sequence[Source], tracing: dict[str, Any]) -> Iterator[Source]:
    """What the ray tracer was timed with beside that."""
    usual = [source for source in found if source.name == TRACED]
    if not usual or not tracing:
        return
    for preset in ("fast", "reference"):
        for scenario, figures in tracing.get(f"time_{preset}", {}).items():
            if (preset, scenario) != ("fast", "street"):
                yield replace(
                    usual[0],
                    name=f"ray-tracing:{preset}",
                    scenario=scenario,
                    cpu_s=figures["cpu_s"]["median"],
                    standard_error_db=figures["standard_error_db"]["median"],
                )


def rates(found: Sequence[Source]) -> str:
    """Radio maps of a day."""
    heads = ["engine, scenario", "CPU s", "noise, dB", *(f"{cores:,} core{'s' * (cores > 1)}" for cores in CORES)]
    rows = [
        [
            f"`{source.name}`, {source.scenario}",
            rounded(source.cpu_s),
            "" if source.standard_error_db is None else f"{source.standard_error_db:.1f}",
            *(rounded(source.of_a_day(cores)) for cores in CORES),
            "" if source.main_cpu_s is None else rounded(source.cpu_s / source.main_cpu_s),
        ]
        for source in found
    ]
    return table([*heads, "cores that one command feeds"], rows)


def room(found: Sequence[Source], loader: dict[str, Any]) -> str:
    """What a million radio maps cost to store and to read."""
    rates_per_s = [loader[form]["2 threads"]["examples_per_s"]["median"] for form in ("PNG tree", "packed")]
    rows = [
        [
            f"`{source.name}`",
            *(f"{rounded(size * MILLION / 1e9)} GB" for size in (source.tree_bytes, source.packed_bytes)),
            *(f"{rounded(MILLION / rate / 60.0)} min" for rate in rates_per_s),
        ]
        for source in {source.name: source for source in reversed(found)}.values()
    ]
    return table(["engine", "files", "packed", "reading files", "reading packed"], rows[::-1])


def rounded(value: float) -> str:
    """A number with two digits that count, and whole above ten."""
    short = float(f"{value:.2g}")
    return f"{short:,.0f}" if short >= 10 else f"{short:g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
