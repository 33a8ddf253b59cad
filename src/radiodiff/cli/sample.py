"""`radiodiff sample`: maps of a data set drawn by a model, as images."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radiodiff.cli.model_options import (
    Cpu,
    Data,
    Draws,
    Limit,
    Mask,
    Overrides,
    Part,
    Precision,
    Seed,
    Stochastic,
    Window,
)

if TYPE_CHECKING:
    from radiodiff.cli.second_stage import DrawRequest
    from radiodiff.data.selection import AnyConfig
    from radiodiff.evaluation.pipeline_predictor import DrawSettings
    from radiodiff.evaluation.sample_folder import SampleRow

__all__ = ["sample"]


def sample(
    model: Annotated[Path, typer.Option("--model", help="Folder of a model or its run, or name of a bundled one.")],
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the images; one of an interrupted run is gone on with.")
    ],
    overrides: Overrides = None,
    split: Part = "test",
    steps: Annotated[
        int | None, typer.Option("--steps", help="Steps of a draw, by default those of the model (diffusion models).")
    ] = None,
    draws: Draws = 1,
    seed: Seed = 0,
    std: Annotated[
        bool, typer.Option("--std", help="Write the standard deviation of the draws, too: std/NAME.npz.")
    ] = False,
    stochastic: Stochastic = None,
    limit: Limit = None,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Maps, and draws, at a time.")] = 16,
    window: Window = "auto",
    precision: Precision = "fp32",
    mask: Mask = True,
    cpu: Cpu = False,
) -> None:
    """Draw the maps of a data set: NAME.png (grey, on the scale of the model) and index.csv.

    What is finished is kept: the same command goes on where a run was interrupted.

    Example: radiodiff sample --model runs/diffusion --data data/city --out samples --steps 1

    Several processes: torchrun --standalone --nproc_per_node 2 -m radiodiff sample ...
    """
    from radiodiff.cli.model_data import PipelineData
    from radiodiff.cli.recipe_keys import keys_in_errors
    from radiodiff.cli.second_stage import DrawRequest, check_counts
    from radiodiff.errors import InputError

    request = DrawRequest(draws, seed, stochastic, batch_size, window, precision, mask)
    check_counts({"--steps": steps, "--limit": limit})
    if std and draws < 2:
        raise InputError(
            "--std needs at least two draws", value=f"--draws {draws}", remedy="Add --draws 8, or leave --std out."
        )
    with keys_in_errors(PipelineData), ExitStack() as at_end:
        _sample(_Wanted(model, data, out, overrides or [], split, steps, std, limit, cpu, request), at_end)


@dataclass(frozen=True)
class _Wanted:
    """What the user gave."""

    model: Path
    data: Path
    out: Path
    overrides: list[str]
    split: str
    steps: int | None
    std: bool
    limit: int | None
    cpu: bool
    request: "DrawRequest"


def _sample(wanted: _Wanted, at_end: ExitStack) -> None:
    from radiodiff.cli.progress import counted, waiting

    with waiting("loading"):
        from radiodiff.cli.model_data import pipeline_data
        from radiodiff.cli.second_stage import load_second_stage
        from radiodiff.data.loader import spread
        from radiodiff.evaluation.examples import file_names
        from radiodiff.evaluation.pipeline_predictor import PipelinePredictor
        from radiodiff.evaluation.sample_folder import SampleFolder
        from radiodiff.evaluation.sampling import draw_groups, sample_groups
        from radiodiff.training.processes import in_all_processes, in_first_process, start_processes

        processes = start_processes(on_cpu=wanted.cpu)
        pipeline = load_second_stage(wanted.model, wanted.request.precision, processes.device)
        wanted.request.check_kind(pipeline, [wanted.steps])
        source, config = pipeline_data(pipeline.record, wanted.data, wanted.split, wanted.overrides)
        predictor = PipelinePredictor("model", pipeline, None, wanted.request.settings(pipeline, wanted.steps, source))
        numbers = spread(len(source), wanted.limit or len(source))
        names = file_names(source, numbers)
        folder = SampleFolder(wanted.out, _identity(wanted, config, predictor.settings), with_spread=wanted.std)
        at_end.callback(folder.close)

        def begin() -> None:
            predictor.check(source[numbers[0]].condition.shape[1:])
            folder.begin()

        in_first_process(processes, begin)
        finished = folder.finished()
        groups = draw_groups(numbers, names, finished, wanted.request.batch_size)
    mine = groups[processes.process_index :: processes.num_processes]

    def draw() -> Iterator[tuple[int, int]]:
        done, total = 0, sum(map(len, mine))
        for count in sample_groups(predictor, source, mine, folder, processes.process_index):
            done += count
            yield done, total

    def work() -> None:
        if processes.is_main_process:
            counted(draw(), "sampling", "maps")
        else:
            for _ in draw():
                pass

    in_all_processes(processes, work)
    rows = in_first_process(processes, folder.end)
    if rows is not None:
        words = _summary(rows, f"{len(names)} maps on the {source.scale} scale", len(finished.intersection(names)))
        typer.echo(f"{wanted.out}: {words}")


def _summary(rows: "list[SampleRow]", maps: str, num_earlier: int) -> str:
    earlier = f", {num_earlier} of them from an earlier run" if num_earlier else ""
    return f"{maps}{earlier}, {sum(row.seconds for row in rows) / len(rows):.3g} s per map"


def _identity(wanted: _Wanted, config: "AnyConfig", settings: "DrawSettings") -> dict[str, Any]:
    """What two runs must share to add to one folder."""
    from radiodiff.cli.second_stage import digest_of

    return {
        "model": digest_of(wanted.model),
        "precision": wanted.request.precision,
        "data": config.model_dump(mode="json") | {"root": str(wanted.data.resolve())},
        "num_inference_steps": settings.num_inference_steps,
        "num_draws": settings.num_draws,
        "seed": settings.seed,
        "is_stochastic": settings.is_stochastic,
        "window": settings.window,
        "is_masked": settings.is_masked,
    }
