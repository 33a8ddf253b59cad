"""`radiodiff dataset validate`: check every file of a data set."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from radiodiff.data.inspect import ValidationReport

__all__ = ["validate"]


def validate(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a data set, of any layout.")],
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="disjoint, radiounet, radiodiff or a manifest, by default the folder's (not icassp, edges).",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes, by default one per core.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all findings as JSON.")
    ] = None,
    shown: Annotated[int, typer.Option("--show", help="Findings shown of each kind; all are in the JSON.")] = 5,
) -> None:
    """Check every file of a data set, and how they fit together.

    Ends with exit code 0 where the data set is sound, and 2 where it has faults; notes are no faults.

    Example: radiodiff dataset validate data/RadioMapSeer --json findings.json
    """
    from os import cpu_count

    from radiodiff.atomic_file import atomic_write, check_target
    from radiodiff.cli.progress import counted_result
    from radiodiff.data.inspect import validate_data_set
    from radiodiff.errors import DataSetError

    if json_file is not None:
        check_target(json_file)
    processes = (cpu_count() or 1) if workers is None else workers
    steps = validate_data_set(root, split=split, workers=processes)
    report = counted_result(steps, "validating", "items")
    if json_file is not None:
        with atomic_write(json_file) as temporary:
            temporary.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
    if report.findings:
        _print(report, max(shown, 0))
    if report.faults:
        first = report.faults[0]
        where = f"All are in {json_file}." if json_file is not None else "Add --json FILE to have all of them listed."
        raise DataSetError(
            "A data set must be sound",
            value=f"{root} with {len(report.faults)} faults in {report.num_files} files, first: {first.kind}, "
            f"{first.file} ({first.reason.rstrip('.')})",
            remedy=where,
        )
    scale = "" if report.scale is None else f", scale {report.scale}"
    notes = f", {len(report.findings)} notes" if report.findings else ""
    typer.echo(f"{root}: sound, {report.num_files} files{scale}{notes}")


def _print(report: "ValidationReport", most: int) -> None:
    from radiodiff.cli.tables import new_table, print_table
    from radiodiff.data.inspect import KINDS

    table = new_table("findings", "kind", "file", "reason")
    for kind, count in report.counts.items():
        severity, meaning = KINDS[kind]
        table.add_row(f"{severity}: {kind} ({count})", "", meaning)
        findings = [finding for finding in report.findings if finding.kind == kind]
        for finding in findings[:most]:
            table.add_row("", finding.file, finding.reason)
        if count > most:
            table.add_row("", f"and {count - most} more", "")
    print_table(table)
