"""The tables of `radiodiff evaluate`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer

from radiodiff.cli.tables import new_table, print_table
from radiodiff.evaluation.evaluate import EvaluationReport, PredictorReport
from radiodiff.evaluation.published import PublishedRow, rows_for
from radiodiff.evaluation.regions import ALL_CELLS, OUTDOOR, REGIONS
from radiodiff.evaluation.scores import DRAW_FIGURES, Figure, figure_name

__all__ = ["print_evaluation", "print_published"]

FIGURES = (
    "mse",
    "mae",
    "rmse",
    "nmse",
    "ssim",
    "psnr",
    "brightest_point_distance",
    "relative_error",
    "sharpness_ratio",
    "rmse_db",
    "mae_db",
)

MOST_NAMED = 3
"""Figures named in a note."""

POOLED = ("mse", "mae", "rmse", "nmse", "rmse_db", "mae_db")

TITLES = {ALL_CELLS: "all cells", OUTDOOR: "outside buildings"}

Find = Callable[[PredictorReport, str], Figure | None]


def print_evaluation(report: EvaluationReport) -> None:
    """Print figures with their intervals, region by region, then the protocol."""
    for region in (ALL_CELLS, OUTDOOR):
        if region in report.num_cells:
            _print(f"{TITLES[region]}: mean over maps", FIGURES, report.predictors, _mean_in(region))
            _print(f"{TITLES[region]}: pooled", POOLED, report.predictors, _pooled_in(region))
    regions = [region for region in REGIONS if report.num_cells.get(region)]
    name = "rmse_db" if any("rmse_db" in one.means for one in report.predictors) else "rmse"
    _print(
        f"{name} by region: mean over maps",
        regions,
        report.predictors,
        lambda one, region: one.means.get(figure_name(region, name)),
    )
    basis = OUTDOOR if OUTDOOR in report.num_cells else ALL_CELLS
    _print(f"draws, {TITLES[basis]}: mean over maps", DRAW_FIGURES, report.predictors, _mean_in(basis))
    if len(report.predictors) > 1:
        title = f"pooled rmse, divided by that of {report.predictors[0].label}"
        _print(title, regions, report.predictors, lambda one, region: one.ratios.get(region))
    if report.num_cities > 1:
        typer.echo("In brackets: interval over cities, see the protocol.")
    _print_lacking(report)
    typer.echo("protocol:")
    for topic, words in report.protocol.items():
        typer.echo(f"  {topic}: {words}")


def print_published(report: EvaluationReport) -> None:
    """Print figures of ours, then those that others have printed, and what keeps them from being compared."""
    rows = rows_for(report.data)
    if not rows:
        return
    numbers = ("nmse", "rmse", "ssim", "psnr", "rmse [dB]")
    columns = ("method", "source", "set", "scale", *numbers, "size", "time", "differs from ours in")
    table = new_table("ours (all cells, mean over maps) and printed figures", *columns, numbers=numbers)
    for predictor in report.predictors:
        table.add_row(
            predictor.label,
            "this run",
            report.data.simulation,
            report.scale,
            *(_cell(predictor.means.get(name)) for name in ("nmse", "rmse", "ssim", "psnr", "rmse_db")),
            "",
            _time(predictor.facts),
            "",
        )
    for row in rows:
        table.add_row(*_published_cells(row), ", ".join(row.differences(report.data, report.scale)))
    print_table(table)
    typer.echo("Decibels are levels on the scale of the row, times 99.16 (raw) or 79.33 (thresholded).")


def _time(facts: Mapping[str, Any]) -> str:
    """Time per map, and what it is the time of."""
    if "seconds_per_map" not in facts:
        return ""
    counts = {"step": facts.get("num_inference_steps"), "draw": facts.get("num_draws")}
    words = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count is not None]
    return ", ".join([f"{1000 * facts['seconds_per_map']:.3g} ms", *words, str(facts["device"])])


def _print(title: str, names: Sequence[str], predictors: Sequence[PredictorReport], find: Find) -> None:
    """Print a table with a row for each name that any predictor has, and a column for each that has one."""
    shown = [predictor for predictor in predictors if any(find(predictor, name) for name in names)]
    if not shown:
        return
    found = {name: [find(predictor, name) for predictor in shown] for name in names}
    labels = [predictor.label for predictor in shown]
    table = new_table(title, "", *labels, numbers=tuple(labels))
    for name, figures in found.items():
        if any(figures):
            table.add_row(name, *map(_with_interval, figures))
    print_table(table)


def _mean_in(region: str) -> Find:
    return lambda predictor, name: predictor.means.get(figure_name(region, name))


def _pooled_in(region: str) -> Find:
    return lambda predictor, name: predictor.pooled.get(figure_name(region, name))


def _print_lacking(report: EvaluationReport) -> None:
    """Say of which figures some maps have none."""
    for predictor in report.predictors:
        num_maps = len(predictor.sheet.rows)
        lacking = {name: figure.num_maps for name, figure in predictor.means.items() if figure.num_maps < num_maps}
        # Named once for each count: a region that a map lacks takes all its figures along.
        for count in sorted(set(lacking.values())):
            names = [name for name, found in lacking.items() if found == count]
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            shown = ", ".join(names[:MOST_NAMED]) + more
            typer.echo(f"note: {predictor.label}: {count} of {num_maps} maps have {shown}; the means are over these")


def _with_interval(figure: Figure | None) -> str:
    if figure is None:
        return ""
    if figure.interval is None:
        return f"{figure.value:.4g}"
    low, high = figure.interval
    return f"{figure.value:.4g} ({low:.4g} .. {high:.4g})"


def _cell(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.value:.4g}"


def _published_cells(row: PublishedRow) -> list[str]:
    return [
        row.method,
        row.source,
        row.set_name or ("" if row.data == "RadioMapSeer" else row.data),
        row.scale or "",
        *(_printed(value) for value in (row.nmse, row.rmse, row.ssim, row.psnr)),
        _printed(row.decibels(), digits=3),
        row.size,
        row.time,
    ]


def _printed(value: float | tuple[float, float] | None, digits: int = 4) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"{value[0]:.{digits}g} .. {value[1]:.{digits}g}"
    return f"{value:.{digits}g}"
