"""Train the models of the package: data, training, evaluation, bundle, each part once, within a time budget.

    python scripts/train_default.py --folder runs/default --max-minutes 150

The same command goes on where an earlier one ended: what is whole is not made again, what is unfinished is taken up.
`--bench DIR` takes a training part that is there (radiodiff dataset bench --part train); it is joined with maps of
generated cities, `--city-scenes` of each scenario. `--only NAME` does some parts alone, and `--plan` prints them.

Everything lies in the folder: `bench`, `city-*` and `truth` are data sets, `baseline`, `autoencoder` and `diffusion`
runs, `evaluation` is the table of the benchmark's test part, `bundle` the baseline as it comes with the package,
`minutes.json` the time that each part has taken.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from radiodiff.atomic_file import atomic_write

SCENARIOS = ("street", "rooftop")

CITY_SEED = 3027
"""Seed of the generated cities; the benchmark set has another."""


UNFINISHED = "the same command goes on\n"
"""How a command says that its time did not suffice; a training begins its line with `go on:`."""


@dataclass(frozen=True)
class Part:
    """A part of the work.

    Attributes:
        name: Its name.
        command: Arguments of radiodiff.
        budget: Option that takes the time left, and how many of its units are a minute; None where it takes none.
        run: Folder of a training, or None for other commands.
    """

    name: str
    command: tuple[object, ...]
    budget: tuple[str, float] | None = None
    run: Path | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--max-minutes", type=float, default=600.0, help="end after so many minutes")
    parser.add_argument("--bench", type=Path, help="a training part of the benchmark set that is there")
    parser.add_argument("--layouts", type=Path, help="folder of radiodiff layouts extract")
    parser.add_argument("--city-scenes", type=int, default=40, help="generated cities of each scenario; 0 for none")
    parser.add_argument("--precision", default="bf16", help="of the training: fp32, bf16 or fp16")
    parser.add_argument("--only", nargs="+", help="parts to do, by their names")
    parser.add_argument("--plan", action="store_true", help="print the parts and end")
    options = parser.parse_args()
    every = list(plan(options))
    names = [part.name for part in every]
    if unknown := set(options.only or ()) - set(names):
        parser.error(f"--only must name parts, {', '.join(names)}; got {', '.join(sorted(unknown))}")
    parts = [part for part in every if options.only is None or part.name in options.only]
    if options.plan:
        for part in parts:
            print(f"{part.name}: radiodiff {' '.join(map(str, part.command))}")
        return
    raise SystemExit(work(parts, options.folder, options.max_minutes))


def plan(options: argparse.Namespace) -> Iterator[Part]:
    """The parts, in order."""
    folder: Path = options.folder
    bench: Path = options.bench or folder / "bench"
    hours = ("--max-hours", 1 / 60)
    if options.bench is None:
        layouts = () if options.layouts is None else ("--layouts", options.layouts)
        command = ("dataset", "bench", "--out", bench, "--part", "train", "--preset", "fast", *layouts)
        yield Part("bench", command, hours)
    sets = [bench / scenario for scenario in SCENARIOS]
    if options.city_scenes:
        for number, scenario in enumerate(SCENARIOS):
            made = folder / f"city-{scenario}"
            wanted = ("--engine", "ray-tracing", "--preset", "fast", "--scenario", scenario, "--missing", 2)
            size = ("--maps", options.city_scenes, "--tx-per-map", 16, "--seed", CITY_SEED + number)
            yield Part(made.name, ("dataset", "create", "--out", made, *wanted, *size), hours)
            sets.append(made)
    truth = folder / "truth"
    yield Part("truth", ("dataset", "join", "--out", truth, *sets))
    given = (f"data.root={truth}", f"trainer.precision={options.precision}")
    yield training("baseline", folder, *given)
    prior = f"prior.model={folder / 'baseline'}"
    yield training("autoencoder", folder, *given, prior)
    first_stage = (f"autoencoder={folder / 'autoencoder'}", f"latents.cache={folder / 'latents'}")
    yield training("diffusion", folder, *given, prior, *first_stage)
    yield Part(
        "bundle", ("convert", "bundle", "--model", folder / "baseline", "--data", truth, "--out", folder / "bundle")
    )
    models = ("--model", folder / "baseline", "--model", folder / "diffusion")
    out = ("--out", folder / "evaluation")
    yield Part("evaluation", ("evaluate", "--bench", "all", "--target", "RT", *models, *out))


def training(stage: str, folder: Path, *settings: str) -> Part:
    """A part that trains the default recipe of a stage."""
    run = folder / stage
    command = ("train", stage, "--config", f"{stage}/default", f"trainer.run_dir={run}", *settings)
    return Part(stage, command, ("trainer.max_minutes=", 1.0), run)


def work(parts: Sequence[Part], folder: Path, max_minutes: float) -> int:
    """Do the parts one after another; the exit status, 3 where the time did not suffice."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / "minutes.json"
    minutes: dict[str, dict[str, float | bool]] = json.loads(notes.read_text()) if notes.is_file() else {}
    end = monotonic() + 60 * max_minutes
    for part in parts:
        found = minutes.setdefault(part.name, {"minutes": 0.0, "is_whole": False})
        if found["is_whole"]:
            continue
        left = (end - monotonic()) / 60
        if left <= 0:
            print(f"The time is up before {part.name}: run the same command again.")
            return 3
        start = monotonic()
        is_whole = do(part, left)
        found["minutes"] += (monotonic() - start) / 60
        found["is_whole"] = is_whole
        with atomic_write(notes) as temporary:
            temporary.write_text(json.dumps(minutes, indent=1) + "\n", encoding="utf-8")
        if not is_whole:
            print(f"The time is up within {part.name}: run the same command again.")
            return 3
    return 0


def do(part: Part, minutes: float) -> bool:
    """Do a part in the minutes that are left; whether it is whole."""
    command = part.command
    if part.run is not None and any((part.run / "checkpoints").glob("step-*")):
        command = ("train", command[1], "--resume", part.run)
    if part.budget is not None:
        option, of_a_minute = part.budget
        value = minutes * of_a_minute
        command += (f"{option}{value:.2f}",) if option.endswith("=") else (option, f"{value:.3f}")
    process = subprocess.Popen(
        [sys.executable, "-m", "radiodiff", *map(str, command)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    is_whole = True
    for line in process.stdout:
        print(line, end="", flush=True)
        is_whole = is_whole and not (line.startswith("go on:") or line.endswith(UNFINISHED))
    if process.wait() != 0:
        raise SystemExit(process.returncode)
    return is_whole


if __name__ == "__main__":
    main()
