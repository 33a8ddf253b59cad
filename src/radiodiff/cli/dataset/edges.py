"""`radiodiff dataset edges`: edge images of radio maps."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from radiodiff.data.edges import EdgeAnalysis, EdgeReport

__all__ = ["edges"]


def edges(
    source: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of grey PNG images, at any depth, or of a data set.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the edges; unfinished, it is completed.")
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="canny, sobel, laplacian, prewitt, gradient, contour or ridge.")
    ] = None,
    split: Annotated[
        float | None, typer.Option("--split", help="Share of maps in train/; each part has image/ and edge/.")
    ] = None,
    preserve: Annotated[bool, typer.Option("--preserve", help="Keep the structure of DIR. The default.")] = False,
    rest: Annotated[
        str, typer.Option("--rest", help="Name of the other part of a split: test or validation.")
    ] = "test",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split.")] = 0,
    size: Annotated[int | None, typer.Option("--size", help="Resize images to so many rows and columns first.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Setting of the detector, such as contour_scale=thresholded. Repeat for more."),
    ] = None,
    analyze_only: Annotated[
        bool, typer.Option("--analyze-only", help="Write nothing; print how many edges there would be.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes, by default one per core; the files do not depend on it.")
    ] = None,
) -> None:
    """Detect the edges of radio maps and write them as images of 0 and 255.

    Images that cannot be read are listed in failures.csv and end the command with exit code 2, after all others.

    Example: radiodiff dataset edges data/city/gain/DPM --out data/edges --method canny --split 0.8
    """
    from os import cpu_count

    from radiodiff.cli.progress import counted_result
    from radiodiff.data.edges import (
        EDGE_METHODS,
        DetectOptions,
        EdgeSettings,
        analyze_edges,
        check_failures,
        generate_edges,
    )
    from radiodiff.data.edges.generate import FAILURES
    from radiodiff.errors import InputError

    if split is not None and preserve:
        raise InputError(
            "Edges are laid out either by --split or by --preserve",
            value=f"--split {split} --preserve",
            remedy="Leave one of them out.",
        )
    if not analyze_only and (out is None or method is None):
        raise InputError(
            "Edges need a method and a folder to be written to",
            value=f"--out {out or 'not given'}, --method {method or 'not given'}",
            remedy="Give for example --out edges --method canny, or --analyze-only to write nothing.",
        )
    processes = (cpu_count() or 1) if workers is None else workers
    options = DetectOptions(**_settings(option or []))
    values: dict[str, Any] = {"method": EDGE_METHODS[0] if method is None else method, "rest": rest}
    settings = EdgeSettings(**values, options=options, train_share=split, seed=seed, size=size)
    if analyze_only or out is None:
        methods = EDGE_METHODS if method is None else (settings.method,)
        found = counted_result(
            analyze_edges(source, methods, options, size=size, workers=processes), "analyzing", "images"
        )
        typer.echo(json.dumps(found.to_dict(), indent=1) if as_json else _table(found))
        check_failures(found.failures, found.images, "The output above")
    else:
        report = counted_result(generate_edges(source, out, settings, workers=processes), "detecting", "images")
        typer.echo(json.dumps(report.to_dict(), indent=1) if as_json else f"{out}: {_sentence(report)}")
        check_failures(report.failures, report.images, str(out / FAILURES))


def _settings(pairs: list[str]) -> dict[str, Any]:
    """Settings of NAME=VALUE pairs; values are JSON, or else text."""
    from radiodiff.errors import InputError

    settings: dict[str, Any] = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not (is_pair and name and name not in settings):
            raise InputError(
                "--option must be NAME=VALUE, each name once",
                value=pair,
                remedy="Give for example --option thin=false.",
            )
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


def _sentence(report: "EdgeReport") -> str:
    """The counts of a run in words."""
    said = [f"edges of {report.written + report.kept} of {report.images} images, {report.kept} there already"]
    if report.split_by is not None:
        shares = ", ".join(f"{count} in {part}" for part, count in report.parts.items())
        said.append(f"{shares}, split by {report.split_by}")
    if report.split_by == "file":
        said.append("their names say no map, and images of one place may be in both parts")
    return "; ".join([*said, *_remarks(report)])


def _table(found: "EdgeAnalysis") -> str:
    """The counts of an analysis as a table."""
    content = found.to_dict()
    sizes = ", ".join(f"{count} of {size}" for size, count in content["sizes"].items())
    lines = ["; ".join([f"{found.images} images: {sizes or 'none readable'}", *_remarks(found)])]
    if content["edge_share"]:
        lines += ["", f"{'edge cells [%]':<16}{'min':>8}{'median':>8}{'max':>8}"]
    for method, shares in content["edge_share"].items():
        lines.append(f"{method:<16}" + "".join(f"{100 * shares[key]:>8.2f}" for key in ("min", "median", "max")))
    return "\n".join(lines + [f"failed: {failure.path}: {failure.reason}" for failure in found.failures])


def _remarks(found: "EdgeReport | EdgeAnalysis") -> list[str]:
    failed = [f"{len(found.failures)} failed"] if found.failures else []
    return failed + ([f"{found.others} files that are no PNG left out"] if found.others else [])
