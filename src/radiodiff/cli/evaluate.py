"""`radiodiff evaluate`: predictions compared with the true maps of a data set."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radiodiff.cli.model_options import Cpu, Draws, Limit, Mask, Overrides, Part, Precision, Seed, Stochastic, Window

if TYPE_CHECKING:
    from radiodiff.cli.evaluation_request import EvaluationRequest
    from radiodiff.evaluation.evaluate import EvaluationReport

__all__ = ["evaluate", "evaluation_report"]


def evaluate(
    overrides: Overrides = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of a data set; with --bench, of a benchmark set that was built."),
    ] = None,
    bench: Annotated[
        str | None,
        typer.Option("--bench", help="Scenario of the benchmark set in the place of --data: street, rooftop or all."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="Target of the benchmark set: DPM, RL or RT, by default all. Repeat for more."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a model or its run, or name of a bundled one. Repeat for more."),
    ] = None,
    pred: Annotated[
        list[Path] | None,
        typer.Option(
            "--pred",
            help="Folder of grey images named as the examples, <map>_<tx>.png; with --bench <scenario>/<map>_<tx>.png. "
            "Repeat for more.",
        ),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            metavar="NAME[:PRESET]",
            help="dominant-path, free-space, log-distance, multi-wall, over-roofs, ray-launching, ray-tracing, umi; "
            "with --bench and no other predictor: free-space, log-distance, umi, over-roofs, dominant-path. Repeat for "
            "more.",
        ),
    ] = None,
    split: Part = "test",
    steps: Annotated[
        list[int] | None,
        typer.Option("--steps", help="Steps of a draw, by default those of the model. Repeat for more."),
    ] = None,
    draws: Draws = 1,
    seed: Seed = 0,
    stochastic: Stochastic = None,
    pred_scale: Annotated[
        str | None,
        typer.Option(
            "--pred-scale",
            help="Scale of images that do not name theirs: raw or thresholded; db (rooms), binary (edges).",
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option("--scale", help="Scale of the figures, by default that of the data: raw or thresholded."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="New folder for metrics.csv, metrics.json and overview.png.")
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the summary as JSON; '-' prints nothing else.")
    ] = None,
    missing: Annotated[
        int,
        typer.Option(
            "--missing", help="Buildings, up to 4, left out of what models and engines see; targets have all."
        ),
    ] = 0,
    limit: Limit = None,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Maps, and draws, at a time.")] = 16,
    boundary: Annotated[
        float, typer.Option("--boundary", help="Cells this close to a building are its boundary.")
    ] = 3.0,
    far: Annotated[float, typer.Option("--far", help="Cells further than this from the transmitter are far.")] = 100.0,
    resamples: Annotated[int, typer.Option("--resamples", help="Resamples of the cities for the intervals.")] = 1_000,
    published: Annotated[
        bool, typer.Option("--published/--no-published", help="Print the figures of other methods beside ours.")
    ] = True,
    window: Window = "auto",
    precision: Precision = "fp32",
    mask: Mask = True,
    cpu: Cpu = False,
) -> None:
    """Compare predictions with the true maps of a data set, by all metrics, and say by which protocol.

    Several predictors see the same maps; ratios are to the first one. The data are those of the first model, with its
    settings; without a model those of RadioMapSeer (DPM, raw scale) unless changed, such as data.simulation=IRT2.
    With --bench each target of the benchmark set is compared; cells without a true value count in no figure.

    Example: radiodiff evaluate --model runs/diffusion --engine free-space --data data/city --steps 1 --steps 5
    """
    from radiodiff.atomic_file import atomic_write, check_target
    from radiodiff.cli.evaluate_bench import FIRST_ENGINES, BenchRequest, check_data, run_bench
    from radiodiff.cli.evaluation_request import EvaluationRequest
    from radiodiff.cli.model_data import PipelineData
    from radiodiff.cli.new_folder import check_new_folder
    from radiodiff.cli.recipe_keys import keys_in_errors
    from radiodiff.cli.second_stage import DrawRequest

    wanted = None if bench is None else BenchRequest(bench, tuple(target or ()), data)
    check_data(data, target, wanted)
    if wanted is not None and not (model or pred or engine):
        engine = list(FIRST_ENGINES)
    request = EvaluationRequest(
        data=data or Path(),
        overrides=overrides or [],
        models=model or [],
        folders=pred or [],
        engines=engine or [],
        split=split,
        steps=steps or [],
        pred_scale=pred_scale,
        scale=scale,
        limit=limit,
        regions={"boundary_cells": boundary, "far_cells": far},
        num_resamples=resamples,
        cpu=cpu,
        drawing=DrawRequest(draws, seed, stochastic, batch_size, window, precision, mask),
        missing=missing,
    )
    if out is not None:
        check_new_folder(out)
    if json_file not in (None, "-"):
        check_target(str(json_file))
    if wanted is not None:
        run_bench(wanted, request, out, json_file)
        return
    with keys_in_errors(PipelineData):
        report = evaluation_report(request, out)
    if json_file is not None:
        from radiodiff.cli.evaluation_files import report_content

        text = json.dumps(report_content(report), indent=1)
        if json_file == "-":
            typer.echo(text)
            return
        with atomic_write(json_file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    from radiodiff.cli.evaluation_tables import print_evaluation, print_published

    print_evaluation(report)
    if published:
        print_published(report)
    for path in filter(None, (out, json_file)):
        typer.echo(f"{path}: written")


def evaluation_report(request: "EvaluationRequest", out: Path | None, title: str = "evaluating") -> "EvaluationReport":
    """Predict and compare, and write what is wanted.

    Args:
        request: What is asked for.
        out: New folder for files, or None.
        title: What the bar on the terminal says.

    Raises:
        RadiodiffError: Something is not there, damaged, or does not fit.
    """
    from radiodiff.cli.new_folder import new_folder
    from radiodiff.cli.progress import tracked, waiting

    with waiting("loading"):
        from radiodiff.cli.evaluation_files import write_evaluation

        evaluation = request.open(with_previews=out is not None)
    total = len(evaluation.examples.numbers)
    with new_folder(out) as folder:
        for _ in tracked(evaluation.run(request.drawing.batch_size), total, title, "maps"):
            pass
        report = evaluation.report()
        if folder is not None:
            write_evaluation(report, folder)
    return report
