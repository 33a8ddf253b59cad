"""What the tests of evaluations share: examples of a folder, and predictors without a model."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.evaluation.config import RegionConfig
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.evaluation.regions import RegionFinder

REGION_CONFIG = RegionConfig(boundary_cells=2.0, far_cells=20.0)


def examples_of(root: Path, **settings: Any) -> EvaluationExamples:
    """All examples of a folder."""
    config = RadioMapSeerConfig(root=root, **({"part": "all"} | settings))
    source = open_data_set(config)
    return EvaluationExamples(source, config, range(len(source)), RegionFinder(REGION_CONFIG))


def truth(batch: Batch) -> np.ndarray:
    """True levels (B, rows, cols) of a batch."""
    return (batch.target[:, 0].numpy().astype(np.float64) + 1.0) / 2.0


class StandIn:
    """Predicts by a function of the batch that gives levels (B, draws, rows, cols) or (B, rows, cols)."""

    def __init__(
        self, label: str, predict: Callable[[Batch], np.ndarray], *, scale: str = "raw", facts: Any = None
    ) -> None:
        self.label, self.scale, self._predict, self._facts = label, scale, predict, facts or {"kind": "stand-in"}

    def predict(self, batch: Batch) -> list[np.ndarray]:
        found = self._predict(batch)
        return list(found if found.ndim == 4 else found[:, None])

    def facts(self) -> Mapping[str, Any]:
        return self._facts
