"""`radiodiff dataset patterns`: what the antennas of the ICASSP 2025 data set are like."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["patterns"]


def patterns(
    root: Annotated[Path, typer.Argument(help="The data set, or a folder of files such as Ant1_Pattern.csv.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of patterns.csv and one polar figure per pattern.")],
) -> None:
    """Measure radiation patterns: range, half-power beam width, front-to-back ratio, class.

    Example: radiodiff dataset patterns ICASSP2025_Dataset --out out/patterns
    """
    from radiodiff.cli.progress import counted
    from radiodiff.data.icassp.pattern_table import PATTERN_TABLE, write_pattern_table

    counted(write_pattern_table(root, out), "drawing", "patterns")
    typer.echo((out / PATTERN_TABLE).read_text(encoding="utf-8").rstrip("\n"))
