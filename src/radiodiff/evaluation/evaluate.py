"""An evaluation: several predictors on the same maps, by the same protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radiodiff.data.loader import spread
from radiodiff.errors import InputError
from radiodiff.evaluation.bootstrap import Resampler
from radiodiff.evaluation.config import BootstrapConfig
from radiodiff.evaluation.examples import DataFacts, EvaluationExamples
from radiodiff.evaluation.levels import check_scale_change, on_scale, scale_channel
from radiodiff.evaluation.predictor import Predictor
from radiodiff.evaluation.protocol import protocol_of
from radiodiff.evaluation.regions import REGIONS
from radiodiff.evaluation.scores import Figure, ScoreSheet

__all__ = ["Evaluation", "EvaluationReport", "PredictorReport"]


@dataclass(frozen=True)
class PredictorReport:
    """What was found of one predictor.

    Attributes:
        label: Its short name.
        facts: What predicts and how.
        means: Mean of each figure over maps, by name.
        pooled: Figures of all cells of all maps together, by name.
        ratios: Pooled `rmse` over that of the first predictor, by region; empty for the first.
        sheet: Figures of each map, and maps for a picture.
    """

    label: str
    facts: Mapping[str, Any]
    means: Mapping[str, Figure]
    pooled: Mapping[str, Figure]
    ratios: Mapping[str, Figure]
    sheet: ScoreSheet


@dataclass(frozen=True)
class EvaluationReport:
    """What was found.

    Attributes:
        data: The data.
        scale: Scale of all figures.
        protocol: How it was measured, by topic, in words.
        num_cells: Cells of each region over all maps.
        num_cities: Cities that the maps are of.
        predictors: What was found of each predictor.
        num_unknown: Cells outside buildings without a true value, which count in no figure; None where all have one.
    """

    data: DataFacts
    scale: str
    protocol: Mapping[str, str]
    num_cells: Mapping[str, int]
    num_cities: int
    predictors: Sequence[PredictorReport]
    num_unknown: int | None = None


class Evaluation:
    """Compares predictors with the true maps of examples.

    Args:
        examples: What is predicted.
        predictors: Who predicts, each with a label of its own.
        scale: Scale of the figures; None takes that of the data. "thresholded" is possible for raw data and
            predictions, too.
        bootstrap: How intervals are made.
        num_previews: How many maps to keep for a picture, spread evenly.

    Raises:
        InputError: There is no predictor, two have one label, or the scale of the data or of a predictor cannot be
            changed to that of the figures.
    """

    def __init__(
        self,
        examples: EvaluationExamples,
        predictors: Sequence[Predictor],
        *,
        scale: str | None = None,
        bootstrap: BootstrapConfig | None = None,
        num_previews: int = 0,
    ) -> None:
        labels = [predictor.label for predictor in predictors]
        if not labels or len(set(labels)) != len(labels):
            raise InputError(
                "An evaluation needs at least one predictor, and each needs a name of its own",
                value=", ".join(labels) or "none",
                remedy="Give each folder of predictions, model and engine once.",
            )
        self.examples = examples
        self.predictors = predictors
        self.scale = examples.source.scale if scale is None else scale
        self._bootstrap = bootstrap or BootstrapConfig()
        target = examples.source.encoding.target
        self._channel = scale_channel(target, examples.source.scale, self.scale)
        for predictor in predictors:
            check_scale_change(predictor.scale, self.scale, predictor.label)
        self.sheets = [ScoreSheet() for _ in predictors]
        self._shown = frozenset(spread(len(examples.numbers), num_previews) if num_previews > 0 else ())

    def run(self, batch_size: int = 16) -> Iterator[str]:
        """Predict and compare all maps.

        Args:
            batch_size: Maps at a time.

        Yields:
            The name of each map that is done.

        Raises:
            RadiodiffError: What the data set and the predictors raise.
        """
        for batch in self.examples.batches(batch_size):
            true_maps = self.examples.true_maps(batch, self.scale)
            predicted = [predictor.predict(batch) for predictor in self.predictors]
            for i, true in enumerate(true_maps):
                is_shown = len(self.sheets[0].rows) in self._shown
                for predictor, sheet, maps in zip(self.predictors, self.sheets, predicted, strict=True):
                    sheet.add(true, on_scale(maps[i], predictor.scale, self.scale), is_shown=is_shown)
                yield true.name

    def report(self) -> EvaluationReport:
        """What was found.

        Raises:
            InputError: No map was looked at.
        """
        resampler = Resampler.of_cities(self.sheets[0].cities, self._bootstrap)
        reports = []
        for predictor, sheet in zip(self.predictors, self.sheets, strict=True):
            found = (
                {}
                if sheet is self.sheets[0]
                else {region: sheet.rmse_ratio(self.sheets[0], region, resampler) for region in REGIONS}
            )
            reports.append(
                PredictorReport(
                    label=predictor.label,
                    facts=dict(predictor.facts()),
                    means=sheet.means(resampler),
                    pooled=sheet.pooled(resampler),
                    ratios={region: ratio for region, ratio in found.items() if ratio is not None},
                    sheet=sheet,
                )
            )
        return EvaluationReport(
            data=self.examples.facts(),
            scale=self.scale,
            protocol=protocol_of(
                self.examples,
                self._channel,
                self.scale,
                self.sheets[0],
                self._bootstrap,
                {predictor.label: predictor.facts() for predictor in self.predictors},
            ),
            num_cells=self.sheets[0].num_cells(),
            num_cities=resampler.num_cities,
            predictors=reports,
            num_unknown=self.sheets[0].num_unknown,
        )
