"""`radiodiff evaluate --bench`: every target of the benchmark set, one after the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from radiodiff.cli.evaluation_request import changes_setting
from radiodiff.errors import InputError

if TYPE_CHECKING:
    from radiodiff.cli.evaluation_request import EvaluationRequest
    from radiodiff.evaluation.bench import BenchCase, BenchContent
    from radiodiff.evaluation.evaluate import EvaluationReport
    from radiodiff.evaluation.scores import Figure

    Found = Sequence[tuple[BenchCase, EvaluationReport]]

__all__ = ["FIRST_ENGINES", "BenchRequest", "check_data", "run_bench"]

FIRST_ENGINES = ("free-space", "log-distance", "umi", "over-roofs", "dominant-path")
"""What is evaluated where nothing is named."""

ERRORS = {"rmse [dB]": "outdoor", "line of sight": "los", "behind buildings": "nlos"}
"""Regions of the errors in the table, by its columns."""

OTHERS = {"nmse": "nmse", "ssim": "ssim", "psnr [dB]": "psnr"}
"""Further figures outdoors, likewise."""

GIVEN = {
    "data.split": "null",
    "data.cars": "false",
    "data.buildings.layer": "complete",
    "data.buildings.share": "1.0",
    "data.mix_weight": "null",
    "data.stored_scale": "raw",
    "data.tx_per_map": "null",
    "data.edge_weights": "null",
    "data.geometry_cache": "null",
    # Models that see the dominant path are compared on its maps, too; the table marks them.
    "data.allow_answer_channels": "true",
}
"""Settings of the data that the benchmark set gives, whatever a model was trained with."""

BUILDINGS = "data.buildings."


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
    cases = list(opened.cases(bench.scenario, bench.targets))
    _check_folders(request, {case.scenario for case in cases})
    found = []
    with new_folder(out) as folder, keys_in_errors(PipelineData):
        for case in cases:
            own = None if folder is None else folder / case.name
            report = evaluation_report(_of_case(request, case), own, case.name)
            found.append((case, report))
            if json_file != "-":
                # At once: what comes later may take hours, or fail.
                _print_case(case, report, opened.content, request.missing)
    if json_file is not None:
        contents = [
            {"scenario": case.scenario, "target": case.simulation, "share_without_truth": _unknown_share(one)}
            | report_content(one)
            for case, one in found
        ]
        made = {"part": opened.content.part, "made_by": opened.content.radiodiff, "missing_buildings": request.missing}
        text = json.dumps({"bench": made, "cases": contents})
        if json_file == "-":
            typer.echo(text)
            return
        with atomic_write(json_file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    _print_notes(found, opened.content, request.missing)
    for path in filter(None, (out, json_file)):
        typer.echo(f"{path}: written")


def _check_request(request: "EvaluationRequest") -> None:
    fixed = ("data.simulation", "data.buildings", *GIVEN)
    given = [text for text in request.overrides if any(changes_setting(text, name) for name in fixed)]
    if given:
        raise InputError(
            "--bench gives these settings of the data itself",
            value=", ".join(given),
            remedy="Leave them out; --target chooses targets, --missing leaves buildings out.",
        )
    if request.split != "test":
        raise InputError(
            "--bench compares on the test part",
            value=f"--split {request.split}",
            remedy="Leave it out, or give the folder of a scenario as --data.",
        )


def _check_folders(request: "EvaluationRequest", scenarios: set[str]) -> None:
    """Look for the predictions of all scenarios before the first of them is evaluated."""
    wanted = [folder / scenario for folder in request.folders for scenario in sorted(scenarios)]
    if missing := [folder for folder in wanted if not folder.is_dir()]:
        raise InputError(
            "A folder of predictions of the benchmark set must hold one for each scenario, with <map>_<tx>.png",
            value=", ".join(map(str, missing)) + (", which is not there" if len(missing) == 1 else ", not there"),
            remedy="Make it, or evaluate one scenario: --bench street.",
        )


def _unknown_share(report: "EvaluationReport") -> float:
    """Share of the cells outside buildings that have no true value."""
    unknown = report.num_unknown or 0
    return unknown / max(report.num_cells["outdoor"] + unknown, 1)


def _of_case(request: "EvaluationRequest", case: "BenchCase") -> "EvaluationRequest":
    settings = GIVEN | {"data.simulation": case.simulation}
    # --missing says which buildings are shown.
    chosen = {name: value for name, value in settings.items() if not (request.missing and name.startswith(BUILDINGS))}
    given = [f"{name}={value}" for name, value in chosen.items()]
    # Heights are all shown, unless somebody asks what it costs to lack some.
    overrides = ["data.unknown_heights=0.0", *request.overrides, *given]
    return replace(request, data=case.root, overrides=overrides, below=case.scenario)


def _print_case(case: "BenchCase", report: "EvaluationReport", content: "BenchContent", missing: int) -> None:
    """Print the table of a target: errors outdoors, time per map, cells that the predictor leaves open."""
    from radiodiff.cli.tables import new_table, print_table
    from radiodiff.evaluation.scores import figure_name

    numbers = (*ERRORS, *OTHERS, "time per map", "without a path")
    num_cells = max(report.num_cells["outdoor"] + (report.num_unknown or 0), 1)
    lacking = f"{missing} {'building' if missing == 1 else 'buildings'} missing from the input; " if missing else ""
    title = (
        f"{case.scenario}, {case.simulation}: maps {report.data.num_maps}, scenes {report.num_cities}; {lacking}"
        f"{_unknown_share(report):.1%} of the cells outside buildings have no true value"
    )
    table = new_table(title, "outside buildings, mean over maps", *numbers, numbers=numbers)
    for one in report.predictors:
        mark = " *" if _knows(one.facts, case, content) else ""
        seconds, without = one.facts.get("seconds_per_map"), one.facts.get("cells_without_path")
        table.add_row(
            one.label + mark,
            *(_with_interval(one.means.get(figure_name(region, "rmse_db"))) for region in ERRORS.values()),
            *(_plain(one.means.get(figure_name("outdoor", name))) for name in OTHERS.values()),
            "" if seconds is None else f"{float(f'{1000 * seconds:.3g}'):g} ms",
            "" if without is None else f"{without / num_cells:.1%}",
        )
    print_table(table)


def _print_notes(found: "Found", content: "BenchContent", missing: int) -> None:
    """Print what the tables need to be read."""
    if any(report.num_cities > 1 for _, report in found):
        typer.echo("In brackets: interval over scenes. --json FILE holds it of every figure, and the protocol.")
    if any(_knows(one.facts, case, content) for case, report in found for one in report.predictors):
        scene = ", of the whole scene" if missing else ""
        typer.echo(f"* The target was made by this engine, or follows from a channel that the model sees{scene}.")
    typer.echo(
        "Times are without the first batch; those of models hold their geometry channels. Cells that a predictor "
        "leaves without a path count as level 0."
    )


def _plain(figure: "Figure | None") -> str:
    return "" if figure is None else f"{figure.value:.3g}"


def _with_interval(figure: "Figure | None") -> str:
    if figure is None or figure.interval is None:
        return _plain(figure)
    low, high = figure.interval
    return f"{figure.value:.3g} ({low:.3g} .. {high:.3g})"


def _knows(facts: "object", case: "BenchCase", content: "BenchContent") -> bool:
    """Whether a predictor is the engine of the target, or sees what it follows from."""
    from radiodiff.data.radiomapseer.config import ANSWER_CHANNELS
    from radiodiff.propagation.registry import ENGINES

    assert isinstance(facts, dict)
    made_by = content.scenarios[case.scenario].simulations[case.simulation].engine.get("name")
    if facts.get("kind") == "engine" and made_by in ENGINES:
        return str(facts["engine"]).startswith(f"{ENGINES[made_by].__name__}(")
    seen = facts.get("condition", ())
    return isinstance(seen, list) and bool(set(seen) & ANSWER_CHANNELS.get(case.simulation, frozenset()))
