"""What a validation finds."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from radiodiff.errors import InputError

__all__ = ["KINDS", "Finding", "Severity", "ValidationReport"]

Severity = Literal["fault", "note"]

FAULTS = {
    "unreadable": "a file is empty, cut short or damaged",
    "image-mode": "an image has colours, a palette or 16 bits",
    "image-size": "an image has another size than the others",
    "not-binary": "a mask has more than two levels",
    "zero-image": "an image is 0 everywhere",
    "value-range": "values are far outside what the data set has",
    "json-schema": "a JSON file holds something else",
    "missing-antenna": "a map has no antenna file",
    "missing-buildings": "a map has no image of its buildings",
    "missing-gain": "a transmitter has no gain image",
    "missing-antenna-image": "a transmitter has no image",
    "missing-layer": "a map lacks a layer that the others have",
    "tx-beyond-count": "an image is numbered beyond the transmitters of its map",
    "tx-outside-grid": "a transmitter stands off the map",
    "tx-in-building": "a transmitter stands inside a building",
    "antenna-image": "an antenna image does not show one pixel where the antenna file, or the manifest, says",
    "gain-peak": "the strongest signal is not at the transmitter",
    "tx-mirrored": "the strongest signal is where the mirrored transmitter would be",
    "tx-transposed": "the strongest signal is where the transmitter with row and column exchanged would be",
    "inverted": "grey is inverted: dark at the transmitter",
    "scale": "grey is on another scale than most of the data set",
    "scale-unknown": "most radio maps of a map have grey levels of no known scale",
    "cars": "cars are inverted, inside buildings, or differ from their outlines",
    "corner-cells": "corners of buildings are packed that lie off the map or inside a building",
    "edges": "edges are none, inverted, or those of another image",
    "outlines": "outlines and image of the buildings differ",
    "heights": "roofs and the heights of their outlines differ",
    "duplicate-gain": "two radio maps of a simulation are the same image",
    "leak": "the same buildings are in two parts of the split",
    "split": "the split does not fit the data set",
    "index": "dataset.csv, or the manifest, disagrees with the files",
    "unfinished": "the run that makes the data set has not ended",
    "missing-pair": "of an image and its counterpart (input and output, image and edges) one is missing",
    "damaged": "a part of a packed data set, or a file of geometry channels, is missing or damaged",
    "positions": "a position table is missing or does not fit the images",
    "pattern": "an antenna pattern is missing or damaged",
    "distance": "the distance channel does not belong to the position",
}
NOTES = {
    "tx-on-rim": "a transmitter stands on the rim of a building image, which lies half a cell beside the gain",
    "tx-off-map": "a transmitter stands outside the image",
    "mask-level": "a mask has another level than 255",
    "empty-layer": "a layer shows nothing",
    "scale-unclear": "too little line of sight to tell the grey scale",
    "duplicate-buildings": "two maps have the same buildings",
    "foreign-file": "a file has a name that the data set does not have",
}

KINDS: dict[str, tuple[Severity, str]] = {
    **{kind: ("fault", meaning) for kind, meaning in FAULTS.items()},
    **{kind: ("note", meaning) for kind, meaning in NOTES.items()},
}
"""Severity and meaning of each kind of finding."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found.

    Attributes:
        kind: One of `KINDS`.
        file: The file, below the folder of the data set.
        reason: What is wrong with it, one line.

    Raises:
        InputError: The kind is unknown.
    """

    kind: str
    file: str
    reason: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"The kind of a finding must be one of {', '.join(KINDS)}",
                value=repr(self.kind),
                remedy="Add the kind with its meaning.",
            )

    @property
    def severity(self) -> Severity:
        """A fault makes the data set unsound, a note does not."""
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class ValidationReport:
    """What a validation found.

    Attributes:
        root: The folder.
        layout: What it holds (`radiodiff.data.inspect.layout.Layout`).
        num_files: Files looked at.
        scale: Grey scale of most radio maps: "raw", "thresholded", "db"; None where none could be told.
        findings: Everything found: faults first, then by kind and file.
    """

    root: str
    layout: str
    num_files: int
    scale: str | None
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        ordered = sorted(self.findings, key=lambda finding: (list(KINDS).index(finding.kind), finding))
        object.__setattr__(self, "findings", tuple(ordered))

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that make the data set unsound."""
        return tuple(finding for finding in self.findings if finding.severity == "fault")

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings of each kind that occurs."""
        return dict(Counter(finding.kind for finding in self.findings))

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "root": self.root,
            "layout": self.layout,
            "num_files": self.num_files,
            "scale": self.scale,
            "num_faults": len(self.faults),
            "findings": [
                {"severity": f.severity, "kind": f.kind, "file": f.file, "reason": f.reason} for f in self.findings
            ],
        }
