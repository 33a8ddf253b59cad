"""What `radiodiff reconstruct` writes."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from radiodiff.formats import LevelMeaning, write_level_png
from radiodiff.training.reconstructed_maps import ReconstructedMap, draw_maps
from radiodiff.training.reconstruction import ReconstructionReport
from radiodiff.version import __version__

__all__ = ["write_map", "write_report"]

MAPS = "maps"


def write_map(found: ReconstructedMap, folder: Path, scale: str) -> None:
    """Write a reconstruction as 8-bit grey, `round(255 g)`, one image for each channel.

    A text chunk `radiodiff-channel` says what the grey levels are.

    Args:
        found: The map.
        folder: Where the folder `maps` is.
        scale: Scale of the target.

    Raises:
        FormatError: The system refuses.
    """
    target = folder / MAPS
    target.mkdir(exist_ok=True)
    for channel, levels in zip(found.channels, found.prediction, strict=True):
        name = found.name if len(found.channels) == 1 else f"{found.name}_{channel.name}"
        meaning = LevelMeaning(scale, channel.name, channel.low, channel.high)
        write_level_png(target / f"{name}.png", levels, meaning)


def write_report(report: ReconstructionReport, folder: Path, source: Mapping[str, str]) -> None:
    """Write metrics.csv, metrics.json and overview.png.

    Args:
        report: What was found.
        folder: Where to.
        source: What was used, by name.

    Raises:
        FormatError: The system refuses.
    """
    names = list(dict.fromkeys(name for row in report.per_example.values() for name in row))
    with open(folder / "metrics.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["name", *names], restval="")
        writer.writeheader()
        writer.writerows({"name": name, **row} for name, row in report.per_example.items())
    content = {
        **source,
        "radiodiff": __version__,
        "protocol": report.protocol,
        "num_maps": len(report.per_example),
        "num_cells": report.num_cells,
        "num_outdoor_cells": report.num_outdoor_cells,
        "means": dict(report.means),
        "pooled": dict(report.pooled),
    }
    (folder / "metrics.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw_maps(report.previews, folder / "overview.png")
