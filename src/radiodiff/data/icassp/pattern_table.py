"""Every radiation pattern of a folder: a table of figures, and a polar drawing of each."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from radiodiff.atomic_file import atomic_write
from radiodiff.data.icassp.pattern_analysis import PatternReport, analyse_pattern
from radiodiff.data.icassp.tables import read_pattern
from radiodiff.errors import DataSetError
from radiodiff.scene import TableAntenna

__all__ = ["PATTERN_TABLE", "find_patterns", "write_pattern_table"]

PATTERN_TABLE = "patterns.csv"


def find_patterns(root: str | Path) -> tuple[Path, ...]:
    """Pattern files of a data set, or of a folder that holds them: `Radiation_Patterns/*.csv` or `*_Pattern.csv`.

    Raises:
        DataSetError: There are none.
    """
    root = Path(root)
    folder = root / "Radiation_Patterns"
    found = folder.glob("*.csv") if folder.is_dir() else root.glob("*_Pattern.csv")
    paths = tuple(sorted(path for path in found if not path.name.startswith(".")))
    if not paths:
        raise DataSetError(
            "A folder of radiation patterns must hold files such as Ant1_Pattern.csv, itself or in Radiation_Patterns",
            value=f"{root}, {'which holds none' if root.is_dir() else 'which is no folder'}",
            remedy="Give the folder of the ICASSP 2025 data set, or its Radiation_Patterns.",
        )
    return paths


def write_pattern_table(root: str | Path, out: str | Path) -> Iterator[tuple[int, int]]:
    """Write `patterns.csv` and one `<file>.png` per pattern.

    Args:
        root: See `find_patterns`.
        out: Folder of the results; made where it is not there.

    Yields:
        (patterns done, patterns wanted).

    Raises:
        DataSetError: There are no patterns, or the folder cannot be made.
        FormatError: A pattern is damaged, or a file cannot be written.
    """
    paths, out = find_patterns(root), Path(out)
    patterns = {path.stem: read_pattern(path) for path in paths}
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataSetError(
            "The folder of the results must be writable", value=error, remedy="Check the path and the rights."
        ) from error
    reports = {name: analyse_pattern(pattern) for name, pattern in patterns.items()}
    yield 0, len(paths)
    for done, (name, pattern) in enumerate(patterns.items(), 1):
        _draw(out / f"{name}.png", name, pattern, reports[name])
        yield done, len(paths)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["pattern", "range_db", "peak_deg", "beam_width_deg", "front_to_back_db", "class"])
    for name, report in reports.items():
        width = "" if report.beam_width_deg is None else f"{report.beam_width_deg:.2f}"
        writer.writerow(
            [name, f"{report.range_db:.2f}", report.peak_deg, width, f"{report.front_to_back_db:.2f}", report.kind]
        )
    with atomic_write(out / PATTERN_TABLE) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _draw(path: Path, name: str, pattern: TableAntenna, report: PatternReport) -> None:
    import numpy as np

    from radiodiff.viz.figure_file import save_figure
    from radiodiff.viz.polar_pattern import draw_polar_pattern

    beam = "" if report.beam_width_deg is None else f", beam {report.beam_width_deg:.0f} deg"
    title = f"{name}\n{report.kind}, range {report.range_db:.1f} dB{beam}"
    save_figure(draw_polar_pattern(np.asarray(pattern.gains_db), title=title, beam_deg=report.beam_deg), path)
