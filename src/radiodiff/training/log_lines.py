"""Logs of training runs, read back: ours (train.log and log.jsonl) and those of RadioDiff's published code.

A log may be cut short, hold the lines of other programs, and hold steps twice where a run went on from a checkpoint. A
line that is not whole gives no number; it is counted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError

__all__ = ["LogKind", "ParsedLog", "parse_log"]

LogKind = Literal["text", "json", "original"]
"""train.log, log.jsonl, or a log of the published code."""

HEAD = re.compile(r"\[(?P<word>Train Step|step|validation|guard|message)\] (?P<step>\d+)?(?:/\d+)?(?P<colon>:?) ?")

NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf|infinity)"
PAIRS = re.compile(rf"(?:[^:,\[\]]+: {NUMBER}(?:, |,?$))+", re.IGNORECASE)
PAIR = re.compile(rf"([^:,\[\]]+): ({NUMBER})(?:, |,?$)", re.IGNORECASE)

COMMENTS = ("guard", "message")
"""Our lines without numbers."""


@dataclass(frozen=True, eq=False)
class ParsedLog:
    """Numbers of a log.

    Attributes:
        steps: (n,) int64, rising, each once.
        values: (n,) float64 by name, NaN where a step has none. Metrics of validations begin with `validation/`.
        kind: What kind of log it is.
        skipped_lines: Lines that give no number: of other programs, garbled or cut short. Empty lines and our own
            messages are not counted.
        num_repeated: Lines whose step had one before, as after a resume; the last one counts.
    """

    steps: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    kind: LogKind
    skipped_lines: int
    num_repeated: int


@dataclass(frozen=True)
class Line:
    """What a line says: of a step or of a validation after it; None for both where it has no numbers."""

    step: int | None
    is_validation: bool
    values: Mapping[str, float]


def parse_log(path: str | Path) -> ParsedLog:
    """Read a log.

    Raises:
        FormatError: The file cannot be read, or holds no step.
    """
    file = Path(path)
    try:
        # Progress bars of other programs end their lines with carriage returns: they count as line ends, too.
        text = file.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise FormatError(
            "A log must be a file that can be read",
            value=f"{file} ({error.strerror or error})",
            remedy="Give train.log or log.jsonl of a run.",
        ) from error
    lines = [line for line in text.split("\n") if line.strip()]
    is_last_whole = text.endswith("\n")
    kind = _kind(lines)
    if kind is None:
        raise FormatError(
            "A log must hold a step",
            value=f"{file} with {len(lines)} lines, none of a step",
            remedy="Give train.log or log.jsonl of a run, or a log of the published code.",
        )
    return _gather(_json_lines(lines) if kind == "json" else _text_lines(lines, kind, is_last_whole), kind)


def _kind(lines: list[str]) -> LogKind | None:
    """What the first line with a step shows."""
    for line in lines:
        if line.startswith("{") and _json_line(line) is not None:
            return "json"
        head = HEAD.search(line)
        if head is not None and head["step"] is not None and head["word"] in ("Train Step", "step"):
            return "original" if head["word"] == "Train Step" else "text"
    return None


def _gather(lines: Iterator[Line | None], kind: LogKind) -> ParsedLog:
    found: dict[tuple[int, bool], Mapping[str, float]] = {}
    skipped = repeated = 0
    for line in lines:
        if line is None:
            skipped += 1
        elif line.step is not None:
            repeated += (line.step, line.is_validation) in found
            found[line.step, line.is_validation] = line.values
    steps = np.array(sorted({step for step, _ in found}), dtype=np.int64)
    rows = {step: row for row, step in enumerate(steps.tolist())}
    names = dict.fromkeys(name for values in found.values() for name in values)
    columns = {name: np.full(len(steps), np.nan) for name in names}
    for (step, _), values in found.items():
        for name, value in values.items():
            columns[name][rows[step]] = value
    return ParsedLog(steps, columns, kind, skipped, repeated)


def _text_lines(lines: list[str], kind: LogKind, is_last_whole: bool) -> Iterator[Line | None]:
    for number, line in enumerate(lines, 1):
        found = _text_line(line)
        # Lines of the published code end in a comma; ours could stop amid a number.
        is_whole = number < len(lines) or is_last_whole or (kind == "original" and line.rstrip().endswith(","))
        yield found if is_whole else None


def _text_line(line: str) -> Line | None:
    """A line of train.log or of the published code, or None where it is neither or not whole."""
    head = HEAD.search(line)
    if head is None:
        return None
    if head["word"] in COMMENTS:
        return Line(None, False, {})
    rest = line[head.end() :].rstrip()
    if not (head["step"] and head["colon"] and PAIRS.fullmatch(rest)):
        return None
    is_validation = head["word"] == "validation"
    prefix = "validation/" if is_validation else ""
    values = {prefix + name.strip(): float(number) for name, number in PAIR.findall(rest)}
    return Line(int(head["step"]), is_validation, values)


def _json_lines(lines: list[str]) -> Iterator[Line | None]:
    for line in lines:
        yield _json_line(line)


def _json_line(line: str) -> Line | None:
    """A line of log.jsonl, or None where it is something else or not whole."""
    try:
        content = json.loads(line)
        step = content["step"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(step, int) or isinstance(step, bool):
        return None
    values = {
        name: float("nan") if value is None else float(value)
        for name, value in content.items()
        if name != "step" and (value is None or (isinstance(value, int | float) and not isinstance(value, bool)))
    }
    return Line(step, any(name.startswith("validation/") for name in content), values)
