"""`radiodiff dataset arrange-icassp`: square maps around the transmitter from the ICASSP 2025 data set."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["arrange_icassp"]


def arrange_icassp(
    root: Annotated[Path, typer.Argument(help="The data set: the folder that holds Inputs and Outputs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the squares; an unfinished one is completed.")],
    task: Annotated[int, typer.Option("--task", help="Task of the challenge: 1, 2 or 3.")] = 3,
    size: Annotated[int, typer.Option("--size", help="Rows and columns of a square, in pixels of 0.25 m.")] = 256,
    split_seed: Annotated[int, typer.Option("--split-seed", help="Seed of the split by building.")] = 0,
    azimuth: Annotated[
        str,
        typer.Option(
            "--azimuth",
            help="What azimuths mean: <right|down|left|up>-<cw|ccw>-<cw|ccw> for where 0 points, how azimuths turn, "
            "how rows of patterns turn; or auto, to find it from the maps.",
        ),
    ] = "right-cw-ccw",
    workers: Annotated[
        int | None, typer.Option("--workers", help="Processes, by default one per core; the files do not depend on it.")
    ] = None,
) -> None:
    """Cut square maps with the transmitter in the middle, with split, manifest and statistics.

    The statistics of the channels are those of the train part alone.

    Example: radiodiff dataset arrange-icassp ICASSP2025_Dataset --out data/indoor --task 1
    """
    from os import cpu_count
    from time import perf_counter
    from typing import cast

    from radiodiff.cli.progress import counted, waiting
    from radiodiff.data.icassp.arrange import ArrangeSettings, arrange_icassp
    from radiodiff.data.icassp.arranged_manifest import MANIFEST_FILE, read_manifest
    from radiodiff.data.icassp.azimuth import AzimuthConvention
    from radiodiff.data.icassp.decide_azimuth import decide_azimuth_in

    settings = ArrangeSettings(task, size, split_seed)
    start = perf_counter()
    if azimuth == "auto":
        with waiting("finding the azimuth convention"):
            decision = decide_azimuth_in(root, task)
        azimuth = decision.best
        typer.echo(
            f"azimuth convention {azimuth}: correlation {decision.correlations[decision.best]:.3f} over "
            f"{decision.samples} radio maps"
            + (f"; as good: {', '.join(decision.tied)}" if len(decision.tied) > 1 else "")
        )
    settings = ArrangeSettings(task, size, split_seed, cast("AzimuthConvention", azimuth))
    processes = (cpu_count() or 1) if workers is None else workers
    counted(arrange_icassp(root, out, settings, workers=processes), "arranging", "radio maps")
    count = len(read_manifest(out / MANIFEST_FILE))
    typer.echo(f"{out}: {count} radio maps of task {task}, {size} x {size} pixels ({perf_counter() - start:.1f} s)")
