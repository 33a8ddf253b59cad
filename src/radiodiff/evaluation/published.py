"""Printed figures of other methods on RadioMapSeer, and what keeps them from being compared with ours.

Printed numbers of this field follow at least four protocols. Where a source does not say its scale or split, the row
says nothing either. All but those of the dominant path law are taken over as printed; none were measured here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from radiodiff.encoding import path_loss_channel
from radiodiff.evaluation.examples import DataFacts

__all__ = ["PUBLISHED", "PublishedRow", "rows_for"]

Span = float | tuple[float, float]
"""A figure, or the lowest and the highest of several sets."""

SIMULATIONS = {"DPM": "SRM", "carsDPM": "DRM"}
"""Other names of RadioMapSeer's simulations, as papers have them."""


@dataclass(frozen=True)
class PublishedRow:
    """Figures of one method on one data set.

    Attributes:
        method: Name of the method.
        source: Who printed the figures.
        simulation: Folder of the gain images, such as "DPM"; empty where the source does not say.
        scale: Scale of the levels; None where the source does not say.
        split: Split by its name here; None where the source does not say.
        nmse: Squared error over squared truth.
        rmse: Root mean squared error of levels.
        ssim: Structural similarity.
        psnr: Peak signal-to-noise ratio [dB].
        rmse_db: Root mean squared error, where it was printed in decibels [dB].
        size: Parameters or memory, as printed.
        time: Time per map, as printed.
        data: "RadioMapSeer", or the name of another data set.
    """

    method: str
    source: str
    simulation: str = ""
    scale: Literal["raw", "thresholded"] | None = None
    split: str | None = None
    nmse: Span | None = None
    rmse: Span | None = None
    ssim: float | None = None
    psnr: float | None = None
    rmse_db: Span | None = None
    size: str = ""
    time: str = ""
    data: str = "RadioMapSeer"

    @property
    def set_name(self) -> str:
        """The maps, as papers and as folders have them; empty where the source does not say."""
        alias = SIMULATIONS.get(self.simulation)
        return self.simulation if alias is None else f"{alias} ({self.simulation})"

    def decibels(self) -> Span | None:
        """`rmse` in decibels of its own scale, which is exact; it is no figure of the other scale [dB]."""
        if self.rmse_db is not None or self.rmse is None or self.scale is None:
            return self.rmse_db
        span_db = path_loss_channel(self.scale).span_db
        assert span_db is not None
        if isinstance(self.rmse, tuple):
            return self.rmse[0] * span_db, self.rmse[1] * span_db
        return self.rmse * span_db

    def differences(self, facts: DataFacts, scale: str) -> tuple[str, ...]:
        """What keeps the row from being compared with figures of ours; empty where nothing is known to.

        Args:
            facts: Our data.
            scale: Scale of our figures.
        """
        return tuple(self._differences(facts, scale))

    def _differences(self, facts: DataFacts, scale: str) -> Iterator[str]:
        # Nobody but the organisers has the maps of the challenges: no origin of ours is theirs.
        if not facts.origin == self.data == "RadioMapSeer":
            yield "other data"
        elif self.simulation and self.simulation != facts.simulation:
            yield f"other data ({self.simulation})"
        elif facts.buildings != "complete":
            yield "other input (ours lacks buildings)"
        elif facts.num_maps != facts.num_examples:
            yield "other data (a share of the part)"
        else:
            if not self.simulation:
                yield "set not stated"
            if self.split is None:
                yield "split not stated"
            elif (self.split, "test") != (facts.split, facts.part):
                yield f"other split ({self.split})"
        if self.scale is not None and self.scale != scale:
            yield f"other scale ({self.scale})"
        elif self.scale is None and self.rmse_db is None:
            yield "scale not stated"


PUBLISHED = (
    PublishedRow(
        method="GeoRayMap",
        source="its README, 2026",
        simulation="DPM",
        scale="thresholded",
        nmse=0.00479,
        rmse=0.01288,
        ssim=0.9564,
        psnr=38.12,
        size="10.9 M",
        time="5.5 ms, H100",
    ),
    PublishedRow(
        method="GeoRayMap without ray channels",
        source="its README, 2026",
        simulation="DPM",
        scale="thresholded",
        nmse=0.00672,
        psnr=36.51,
    ),
    PublishedRow(
        method="GeoRayMap",
        source="its README, 2026",
        simulation="IRT2",
        scale="thresholded",
        nmse=0.01540,
        psnr=33.74,
    ),
    PublishedRow(
        method="RadioUNet",
        source="run again by GeoRayMap",
        simulation="DPM",
        scale="thresholded",
        nmse=0.01068,
        rmse=0.01961,
        ssim=0.9240,
        psnr=34.45,
        size="13.3 M",
        time="2.6 ms, H100",
    ),
    PublishedRow(
        method="RadioDiff",
        source="run again by GeoRayMap",
        simulation="DPM",
        scale="thresholded",
        nmse=0.01265,
        rmse=0.02126,
        ssim=0.9231,
        psnr=33.69,
        size="280 M",
        time="2,497 ms, H100",
    ),
    PublishedRow(
        method="RadioFlow",
        source="its authors",
        simulation="DPM",
        scale="thresholded",
        nmse=0.0023,
        rmse=0.0103,
        ssim=0.9249,
        psnr=39.83,
        size="53 M",
        time="8.8 ms, H100",
    ),
    PublishedRow(
        method="RadioFlow",
        source="run again by GeoRayMap",
        simulation="DPM",
        scale="thresholded",
        nmse=0.01355,
        rmse=0.02301,
        ssim=0.8452,
        psnr=32.94,
        size="53 M",
        time="8.8 ms, H100",
    ),
    PublishedRow(
        method="R2Net-Out",
        source="its authors",
        scale="thresholded",
        nmse=0.0046,
        rmse=0.0156,
        ssim=0.9491,
        psnr=37.00,
        size="85 M",
        time="214 ms",
    ),
    PublishedRow(
        method="RadioDiff",
        source="Wang et al. 2025",
        simulation="DPM",
        scale="raw",
        split="radiodiff",
        nmse=0.0049,
        rmse=0.0190,
        ssim=0.969,
        psnr=35.1,
        time="600 ms",
    ),
    PublishedRow(
        method="RadioDiff",
        source="Wang et al. 2025",
        simulation="carsDPM",
        scale="raw",
        split="radiodiff",
        nmse=0.0057,
        rmse=0.0215,
        ssim=0.954,
        psnr=34.9,
    ),
    PublishedRow(
        method="RadioUNet",
        source="Wang et al. 2025",
        simulation="DPM",
        scale="raw",
        split="radiodiff",
        nmse=0.0074,
        rmse=0.0244,
        ssim=0.959,
        psnr=32.0,
        time="60 ms",
    ),
    PublishedRow(
        method="ControlRadio",
        source="its authors",
        simulation="DPM",
        scale="raw",
        nmse=0.0024,
        rmse=0.0166,
        ssim=0.9787,
        psnr=35.86,
        size="13.7 GB",
        time="15 to 50 steps",
    ),
    PublishedRow(
        method="ControlRadio",
        source="its authors",
        simulation="IRT4",
        scale="raw",
        nmse=0.0040,
        rmse=0.0210,
        ssim=0.9688,
        psnr=33.46,
    ),
    PublishedRow(method="RMF, 1 step", source="its authors", rmse=0.0136, ssim=0.9674, psnr=37.24, time="50 ms"),
    PublishedRow(
        method="dominant path law, no training",
        source="this project, real maps",
        simulation="DPM",
        scale="thresholded",
        nmse=(0.008, 0.034),
        rmse=(0.029, 0.037),
        size="5 numbers",
    ),
    PublishedRow(
        method="ten best of the challenge",
        source="ICASSP 2025",
        rmse_db=(9.41, 14.47),
        data="ICASSP 2025, weighted over tasks",
    ),
    PublishedRow(
        method="IPP-Net", source="ICASSP 2025", rmse_db=9.50, time="10 ms", data="ICASSP 2025, weighted over tasks"
    ),
    PublishedRow(
        method="best with measured points", source="MLSP 2025", rmse_db=4.80, data="MLSP 2025, sampling-assisted"
    ),
)
"""All rows, in the order in which they are shown."""


def rows_for(facts: DataFacts) -> tuple[PublishedRow, ...]:
    """The rows to show beside figures on some data: those of outdoor maps, or those of the indoor challenges."""
    is_indoor = facts.kind == "icassp"
    if facts.kind not in ("radiomapseer", "icassp"):
        return ()
    return tuple(row for row in PUBLISHED if (row.data != "RadioMapSeer") == is_indoor)
