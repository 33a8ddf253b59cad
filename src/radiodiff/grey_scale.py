"""Grey levels of radio-map images: the one place that turns path loss in dB into grey and back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import InputError

__all__ = ["RADIOMAPSEER_GREY", "GreyScale"]


@dataclass(frozen=True)
class GreyScale:
    """Linear map between path gain in dB and grey 0..255, raw or thresholded.

    Raw: `g = (path_gain_db - min_gain_db) / (max_gain_db - min_gain_db)`, clipped to [0, 1], stored as
    `round(255 g)`. Thresholded: `g' = max(0, (g - threshold) / (1 - threshold))`. A cell without a value
    (inside a building) is grey 0, which also means "at or below the range": a zero pixel is ambiguous.

    Attributes:
        min_gain_db: Path gain of grey 0 [dB].
        max_gain_db: Path gain of grey 255 [dB].
        threshold: The raw g that becomes 0 on the thresholded scale, in [0, 1).

    Source: Yapar et al. (2022), "Dataset of pathloss and ToA radio maps with localization application",
    arXiv 2212.11777, section III (window -147 .. -47.84 dB, noise floor -127.2 dB).
    """

    min_gain_db: float = -147.0
    max_gain_db: float = -47.84
    threshold: float = 0.2

    def __post_init__(self) -> None:
        if not self.min_gain_db < self.max_gain_db:
            raise InputError(
                "A grey scale needs min_gain_db < max_gain_db",
                value=f"{self.min_gain_db} and {self.max_gain_db}",
                remedy="Path gains are negative: the weaker one comes first.",
            )
        if not 0.0 <= self.threshold < 1.0:
            raise InputError(
                "The threshold of a grey scale must lie in [0, 1)",
                value=self.threshold,
                remedy="RadioMapSeer uses 0.2.",
            )

    def step_db(self, *, thresholded: bool) -> float:
        """Size of one grey level [dB]."""
        span = self.max_gain_db - self.min_gain_db
        return span * ((1.0 - self.threshold) if thresholded else 1.0) / 255.0

    def to_level(self, path_loss_db: ArrayLike, *, thresholded: bool) -> NDArray[np.float64]:
        """Continuous level in [0, 1] of a path loss [dB]; NaN becomes 0. Any shape, kept."""
        gain_db = -np.asarray(path_loss_db, dtype=np.float64)
        level = (gain_db - self.min_gain_db) / (self.max_gain_db - self.min_gain_db)
        if thresholded:
            level = (level - self.threshold) / (1.0 - self.threshold)
        return np.clip(np.nan_to_num(level, nan=0.0), 0.0, 1.0)

    def to_grey(self, path_loss_db: ArrayLike, *, thresholded: bool) -> NDArray[np.uint8]:
        """Grey image (uint8, same shape) of a path-loss array [dB]."""
        return np.rint(255.0 * self.to_level(path_loss_db, thresholded=thresholded)).astype(np.uint8)

    def to_path_loss_db(self, grey: ArrayLike, *, thresholded: bool) -> NDArray[np.float64]:
        """Path loss [dB] of grey levels 0..255, same shape. Grey 0 gives the end of the range, not NaN."""
        level = np.asarray(grey, dtype=np.float64) / 255.0
        if thresholded:
            level = self.threshold + (1.0 - self.threshold) * level
        return -(self.min_gain_db + (self.max_gain_db - self.min_gain_db) * level)


RADIOMAPSEER_GREY = GreyScale()
"""The scale of RadioMapSeer (5.9 GHz)."""
