"""A picture of a few maps: truth, prediction, difference and spread of each predictor."""

import math
from collections.abc import Sequence
from pathlib import Path

from radiodiff.evaluation.evaluate import PredictorReport
from radiodiff.evaluation.scores import Preview
from radiodiff.viz import ReconstructionRow, draw_reconstructions

__all__ = ["draw_overview"]


def draw_overview(predictors: Sequence[PredictorReport], path: Path) -> Path:
    """Draw the maps that the predictors' sheets keep, map by map, in physical values.

    Args:
        predictors: What was found of each, on the same maps.
        path: Where to: .png, .pdf or .svg.

    Raises:
        InputError: There are no maps.
        FormatError: The path cannot be written.
    """
    shown = zip(*(predictor.sheet.previews for predictor in predictors), strict=True)
    rows = [
        _row(preview, predictor.label if len(predictors) > 1 else "")
        for previews in shown
        for preview, predictor in zip(previews, predictors, strict=True)
    ]
    return draw_reconstructions(rows, path)


def _row(preview: Preview, label: str) -> ReconstructionRow:
    true, channel = preview.true, preview.true.channel
    counting = true.regions["all"]
    errors = (preview.prediction - true.levels)[counting]
    spread = None if preview.spread is None else preview.spread * abs(channel.high - channel.low)
    return ReconstructionRow(
        title=true.name,
        made_by=label,
        truth=channel.decode(2.0 * true.levels - 1.0),
        prediction=channel.decode(2.0 * preview.prediction - 1.0),
        label=channel.label,
        dark=channel.low,
        bright=channel.high,
        rmse=math.sqrt(float((errors**2).mean())) if errors.size else None,
        spread=spread,
    )
