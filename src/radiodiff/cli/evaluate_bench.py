"""`radiodiff evaluate --bench`: every target of the benchmark set, one after the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.cli.evaluation_request import EvaluationRequest
    from radiodiff.evaluation.bench import BenchCase, BenchContent
    from radiodiff.evaluation.evaluate import EvaluationReport

    Found = Sequence[tuple[BenchCase, EvaluationReport]]

__all__ = ["FIRST_ENGINES", "BenchRequest", "check_data", "run_bench"]

FIRST_ENGINES = ("free-space", "log-distance", "umi", "dominant-path")
"""What is evaluated where nothing is named."""

GIVEN = {
    "data.split": "null",
    "data.cars": "false",
    "data.mix_weight": "null",
    "data.stored_scale": "raw",
    "data.tx_per_map": "null",
    "data.edge_weights": "null",
    "data.geometry_cache": "null",
    # Models that see the dominant path are compared on its maps, too; the table marks them.
    "data.allow_answer_channels": "true",
}
"""Settings of the data that the benchmark set gives, whatever a model was trained with."""


@dataclass(frozen=True)
class BenchRequest:
    """What is asked of the benchmark set.

    Attributes:
        scenario: A scenario, or "all".
        targets: Targets; empty takes all.
        folder: Folder of a set that was built, or None for the one of the package.
    """

    scenario: str
    targets: tuple[str, ...]
    folder: Path | None


def check_data(data: Path | None, targets: list[str] | None, bench: BenchRequest | None) -> None:
    """Check that there are data, and that nothing is said of a benchmark set without one.

    Raises:
        InputError: There are none, or targets come without --bench.
    """
    if bench is None and data is None:
        raise InputError(
            "An evaluation needs --data or --bench", value="none", remedy="Give the folder of a data set: --data DIR."
        )
    if bench is None and targets:
        raise InputError(
            "--target belongs to --bench",
            value=", ".join(targets),
            remedy="Name the simulation of a data set by data.simulation=RT.",
        )


def run_bench(bench: BenchRequest, request: "EvaluationRequest", out: Path | None, json_file: str | None) -> None:
    """Evaluate, print the tables, and write what is wanted.

    Args:
        bench: Which targets.
        request: What is asked of each of them.
        out: New folder with a folder for each target, or None.
        json_file: File for the summaries, "-" for standard output alone, or None.

    Raises:
        RadiodiffError: The set is not there or damaged, or something does not fit.
    """
    from radiodiff.atomic_file import atomic_write
    from radiodiff.cli.evaluate import evaluation_report
    from radiodiff.cli.evaluation_files import report_content
    from radiodiff.cli.model_data import PipelineData
    from radiodiff.cli.new_folder import new_folder
    from radiodiff.cli.recipe_keys import keys_in_errors
    from radiodiff.evaluation.bench import open_bench

    _check_request(request)
    opened = open_bench(bench.folder)
    found = []
    with new_folder(out) as folder, keys_in_errors(PipelineData):
        for case in opened.cases(bench.scenario, bench.targets):
            own = None if folder is None else folder / case.name
            found.append((case, evaluation_report(_of_case(request, case), own, case.name)))
    if json_file is not None:
        cases = [{"scenario": case.scenario, "target": case.simulation, **report_content(one)} for case, one in found]
        text = json.dumps({"bench": {"part": opened.content.part, "made_by": opened.content.radiodiff}, "cases": cases})
        if json_file == "-":
            typer.echo(text)
            return
        with atomic_write(json_file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    print_bench(found, opened.content)
    for path in filter(None, (out, json_file)):
        typer.echo(f"{path}: written")


def _check_request(request: "EvaluationRequest") -> None:
    given = [name for name in ("data.simulation", *GIVEN) if any(_key(text) == name for text in request.overrides)]
    if given:
        raise InputError(
            "--bench gives these settings of the data itself",
            value=", ".join(given),
            remedy="Leave them out; --target chooses targets.",
        )
    if request.folders or request.split != "test":
        raise InputError(
            "--bench compares models and engines on the test part",
            value="--pred" if request.folders else f"--split {request.split}",
            remedy="Leave it out, or unpack the set and give its folder as --data.",
        )


def _key(override: str) -> str:
    return override.partition("=")[0].strip()


def _of_case(request: "EvaluationRequest", case: "BenchCase") -> "EvaluationRequest":
    given = [f"{name}={value}" for name, value in (GIVEN | {"data.simulation": case.simulation}).items()]
    return replace(request, data=case.root, overrides=[*request.overrides, *given])


def print_bench(found: "Found", content: "BenchContent") -> None:
    """Print a table for each target: errors outdoors, time per map, cells that the predictor leaves open."""
    from radiodiff.cli.tables import new_table, print_table

    numbers = ("rmse [dB]", "line of sight", "behind buildings", "mae [dB]", "nmse", "time per map", "without a path")
    is_marked = False
    for case, report in found:
        outdoors = report.num_cells["outdoor"]
        unknown = report.num_unknown or 0
        title = (
            f"{case.scenario}, {case.simulation}: maps {report.data.num_maps}, scenes {report.num_cities}; "
            f"{unknown / max(outdoors + unknown, 1):.1%} of the cells outside buildings have no true value"
        )
        table = new_table(title, "outside buildings, mean over maps", *numbers, numbers=numbers)
        for one in report.predictors:
            mark = " *" if _knows(one.facts, case, content) else ""
            is_marked |= bool(mark)
            names = ("outdoor/rmse_db", "los/rmse_db", "nlos/rmse_db", "outdoor/mae_db", "outdoor/nmse")
            figures = [one.means.get(name) for name in names]
            seconds, without = one.facts.get("seconds_per_map"), one.facts.get("cells_without_path")
            table.add_row(
                one.label + mark,
                *("" if figure is None else f"{figure.value:.3g}" for figure in figures),
                "" if seconds is None else f"{1000 * seconds:.3g} ms",
                "" if without is None else f"{without / max(outdoors + unknown, 1):.1%}",
            )
        print_table(table)
    if is_marked:
        typer.echo("* The target was made by this engine, or follows from a channel that the model sees.")
    typer.echo("Times are without the first batch. Cells that a predictor leaves without a path count as level 0.")


def _knows(facts: "object", case: "BenchCase", content: "BenchContent") -> bool:
    """Whether a predictor is the engine of the target, or sees what it follows from."""
    from radiodiff.data.radiomapseer.config import ANSWER_CHANNELS
    from radiodiff.propagation.registry import ENGINES

    assert isinstance(facts, dict)
    made_by = content.scenarios[case.scenario].simulations[case.simulation].engine.get("name")
    if facts.get("kind") == "engine" and made_by in ENGINES:
        return str(facts["engine"]).startswith(f"{ENGINES[made_by].__name__}(")
    seen = facts.get("condition", ())
    return case.simulation == "DPM" and isinstance(seen, list) and bool(set(seen) & set(ANSWER_CHANNELS))
