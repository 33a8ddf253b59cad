"""What `radiodiff evaluate` writes."""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from radiodiff.evaluation.evaluate import EvaluationReport
from radiodiff.evaluation.overview import draw_overview
from radiodiff.evaluation.published import rows_for
from radiodiff.evaluation.scores import Figure
from radiodiff.version import __version__

__all__ = ["report_content", "write_evaluation"]


def report_content(report: EvaluationReport) -> dict[str, Any]:
    """All that was found of the whole data set, JSON types; figures of single maps are in the CSV file."""
    return {
        "radiodiff": __version__,
        "data": asdict(report.data),
        "scale": report.scale,
        "protocol": dict(report.protocol),
        "num_cells": dict(report.num_cells),
        "num_unknown_cells": report.num_unknown,
        "num_cities": report.num_cities,
        "predictors": [
            {
                "label": predictor.label,
                "facts": dict(predictor.facts),
                "means": _figures(predictor.means),
                "pooled": _figures(predictor.pooled),
                "rmse_ratio_to_first": _figures(predictor.ratios),
            }
            for predictor in report.predictors
        ],
        "published": [
            asdict(row) | {"rmse_db": row.decibels(), "differences": row.differences(report.data, report.scale)}
            for row in rows_for(report.data)
        ],
    }


def write_evaluation(report: EvaluationReport, folder: Path) -> None:
    """Write metrics.csv, metrics.json and overview.png.

    Args:
        report: What was found.
        folder: Where to.

    Raises:
        FormatError: The system refuses.
    """
    names = list(
        dict.fromkeys(name for predictor in report.predictors for row in predictor.sheet.rows for name in row.figures)
    )
    with open(folder / "metrics.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["predictor", "name", "map_id", "tx_id", *names], restval="")
        writer.writeheader()
        for predictor in report.predictors:
            for row in predictor.sheet.rows:
                known = {"predictor": predictor.label, "name": row.name, "map_id": row.map_id, "tx_id": row.tx_id}
                writer.writerow(known | dict(row.figures))
    text = json.dumps(report_content(report), indent=1) + "\n"
    (folder / "metrics.json").write_text(text, encoding="utf-8")
    draw_overview(report.predictors, folder / "overview.png")


def _figures(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": figure.value, "interval": figure.interval, "num_maps": figure.num_maps}
        for name, figure in figures.items()
    }
