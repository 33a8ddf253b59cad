"""`radiodiff predict`: buildings and transmitters in, radio maps of a trained model out."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, cast

import typer

from radiodiff.cli.map_options import Grey, Out, Plot, takes_layout
from radiodiff.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radiodiff.cli.layout_request import LayoutRequest
    from radiodiff.pipeline.measurements import Measurements
    from radiodiff.pipeline.predict import Backend
    from radiodiff.radio_map import RadioMap
    from radiodiff.scene import Grid

__all__ = ["predict"]


@takes_layout
def predict(
    request: "LayoutRequest",
    out: Out,
    model: Annotated[
        str,
        typer.Option("--model", help="default, radiomapseer-dpm, or the folder of a trained model or of its run."),
    ] = "default",
    steps: Annotated[int, typer.Option("--steps", help="Steps of a draw (diffusion models).")] = 1,
    draws: Annotated[
        int,
        typer.Option(
            "--draws",
            help="Draws of each map (diffusion models). The map is their mean; with several, standard deviation and "
            "quantiles are written, too. One step has next to no spread: add --steps 5.",
        ),
    ] = 1,
    measurements: Annotated[
        list[Path] | None,
        typer.Option(
            "--measurements",
            help="CSV of points that the map is to agree with: row,col (or x,y) and path_loss_db. One for each --tx.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the draws (diffusion models), by default a fresh one.")
    ] = None,
    backend: Annotated[
        str, typer.Option("--backend", help="torch, or onnx: ONNX Runtime (extra onnx), with --graphs.")
    ] = "torch",
    graphs: Annotated[
        Path | None,
        typer.Option("--graphs", help="Folder of the model's ONNX graphs, exported there at the first use of a size."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="ENGINE", help="Draw an engine's map beside it, and print the RMSE."),
    ] = None,
    grey: Grey = None,
    plot: Plot = None,
) -> None:
    """Predict radio maps of a building layout by a trained model.

    Example: radiodiff predict --buildings city.png --tx 120,80 --out city.npz --plot city_map.png
    """
    from radiodiff.cli.map_files import MapFiles
    from radiodiff.cli.progress import waiting
    from radiodiff.cli.second_stage import check_counts, check_kind
    from radiodiff.propagation import make_engine

    check_counts({"--steps": steps, "--draws": draws})
    check_counts({"--seed": seed}, least=0)
    tables = measurements or []
    _check_one_each(tables, len(request.tx))
    files = MapFiles.of(out, plot, grey, count=len(request.tx), inputs=[*request.files, *tables])
    engine = None if compare is None else make_engine(compare)
    clock = _Clock()
    scene, txs = request.read()
    points = [_points(table, scene.grid) for table in tables]
    clock.take("read")
    with waiting("loading the model"):
        from radiodiff.pipeline import predict as predictions

        using = cast("Backend", backend)
        pipeline = predictions.load_model(model, using, graphs)
        check_kind(pipeline, {"--steps": steps > 1, "--draws": draws > 1, "--seed": seed is not None})
        # A bar where there is a terminal.
        pipeline.set_progress_bar_config(disable=None)  # type: ignore[no-untyped-call]
    clock.take("load")
    before = pipeline.seconds
    maps = predictions.predict(
        scene,
        txs,
        model=model,
        steps=steps,
        draws=draws,
        measurements=points or None,
        seed=seed,
        backend=using,
        graphs=graphs,
    )
    clock.split({"geometry channels": pipeline.seconds.channels - before.channels}, rest="network")
    references = None
    if engine is not None:
        with waiting(f"computing {compare}"):
            references = list(engine.radio_maps(scene, txs))
        clock.take(engine.name)
    files.write(maps, lambda number: _figure(maps[number], None if references is None else references[number], compare))
    if references is not None:
        for number, (radio_map, reference) in enumerate(zip(maps, references, strict=True)):
            typer.echo(f"{files.outs[number]}: {_difference(radio_map, reference)} of {compare}")
    clock.take("write")
    typer.echo(str(clock))


class _Clock:
    """Times of the parts of a command."""

    def __init__(self) -> None:
        self._last = perf_counter()
        self._parts: dict[str, float] = {}

    def take(self, name: str) -> None:
        """What has passed since the last part belongs to this one."""
        self.split({}, rest=name)

    def split(self, parts: dict[str, float], *, rest: str) -> None:
        """Of what has passed since the last part these belong to parts with times of their own [s]."""
        now = perf_counter()
        self._parts |= parts | {rest: now - self._last - sum(parts.values())}
        self._last = now

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self._parts.items())


def _check_one_each(tables: list[Path], count: int) -> None:
    if tables and len(tables) != count:
        raise InputError(
            "--measurements must be given once for each --tx, or not at all: points belong to one transmitter",
            value=f"{len(tables)} for {count} transmitters",
            remedy="Give a table for each, or run the command for each transmitter.",
        )


def _points(table: Path, grid: "Grid") -> "Measurements":
    from radiodiff.formats import read_measurement_csv
    from radiodiff.pipeline.measurements import Measurements

    return Measurements(*read_measurement_csv(table, grid))


def _figure(radio_map: "RadioMap", reference: "RadioMap | None", engine: str | None) -> "Figure":
    """The map, or the engine's map, the map and their difference."""
    if reference is None:
        return cast("Figure", radio_map.plot().get_figure(root=True))
    from radiodiff.viz import draw_comparison

    maps = reference.path_loss_db, radio_map.path_loss_db
    return draw_comparison(*maps, radio_map.grid, tx=radio_map.tx, scene=radio_map.scene, truth_name=str(engine))


def _difference(radio_map: "RadioMap", reference: "RadioMap") -> str:
    """RMSE over the cells where both have a value."""
    import numpy as np

    both = radio_map.has_value & reference.has_value
    rmse_db = float(np.sqrt(np.mean((radio_map.path_loss_db - reference.path_loss_db)[both].astype(np.float64) ** 2)))
    return f"RMSE {rmse_db:.2f} dB outside buildings, to the map"
