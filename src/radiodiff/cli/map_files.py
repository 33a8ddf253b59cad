"""The files that radio maps of one building layout go to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import typer

from radiodiff.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radiodiff.radio_map import RadioMap

__all__ = ["MapFiles"]

GREY_SCALES = ("raw", "thresholded")


@dataclass(frozen=True)
class MapFiles:
    """Where radio maps and figures of them go, one each for each transmitter.

    Attributes:
        outs: Files of the maps.
        plots: Files of the figures; empty where there are none.
        grey: Scale of `.png` maps, or None.
    """

    outs: list[Path]
    plots: list[Path] = field(default_factory=list)
    grey: str | None = None

    @classmethod
    def of(cls, out: Path, plot: Path | None, grey: str | None, *, count: int, inputs: Iterable[Path]) -> Self:
        """The files for so many transmitters, checked before the work that fills them.

        Args:
            out: File of the map.
            plot: File of the figure, or None.
            grey: Scale of a `.png` map, or None.
            count: Transmitters.
            inputs: Files that are read.

        Raises:
            InputError: A scale is none or goes with another suffix, or two files are the same.
            FormatError: A file cannot be written.
        """
        from radiodiff.formats import check_radio_map_path

        if grey is not None and (grey not in GREY_SCALES or out.suffix.lower() != ".png"):
            raise InputError(
                "--grey must be raw or thresholded, and goes with a .png",
                value=f"--grey {grey} --out {out}",
                remedy="Leave it out for other files: they hold dB.",
            )
        files = cls(_numbered(out, count), _numbered(plot, count) if plot else [], grey)
        _check_different(inputs, [*files.outs, *files.plots])
        for path in files.outs:
            check_radio_map_path(path)
        if files.plots:
            from radiodiff.viz import check_figure_path

            for path in files.plots:
                check_figure_path(path)
        return files

    def write(self, radio_maps: "Sequence[RadioMap]", figure_of: "Callable[[int], Figure]") -> None:
        """Write the maps and their figures, and say so.

        Args:
            radio_maps: The maps.
            figure_of: Makes the figure of a map by its number.

        Raises:
            FormatError: A file cannot be written.
        """
        from radiodiff.formats import write_radio_map

        for radio_map, path in zip(radio_maps, self.outs, strict=True):
            write_radio_map(radio_map, path, thresholded=None if self.grey is None else self.grey == "thresholded")
            typer.echo(f"{path}: {_summary(radio_map)}")
            if radio_map.ensemble is not None and path.suffix.lower() == ".png":
                typer.echo(
                    "note: a .png holds the mean of the draws alone; .npz, .tif and .csv hold their spread, too."
                )
        if self.plots:
            from radiodiff.viz import save_figure

            for number, path in enumerate(self.plots):
                save_figure(figure_of(number), path)
                typer.echo(f"{path}: figure")


def _numbered(path: Path, count: int) -> list[Path]:
    """The path itself, or one per transmitter: name_0.suffix, name_1.suffix, ..."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{index}{path.suffix}") for index in range(count)]


def _check_different(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Make sure that no output takes the place of an input or of another output."""
    seen = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in seen:
            raise InputError(
                "Inputs, --out and --plot must be different files", value=path, remedy="Give another name."
            )
        seen.add(path.resolve())


def _summary(radio_map: "RadioMap") -> str:
    import numpy as np

    low, middle, high = np.nanquantile(radio_map.path_loss_db, [0.0, 0.5, 1.0])
    rows, cols = radio_map.grid.shape
    facts = [f"{cols} x {rows} cells", f"path loss {low:.1f} to {high:.1f} dB", f"median {middle:.1f} dB"]
    meta, ensemble = radio_map.meta, radio_map.ensemble
    if "standard_error_db" in meta:
        missed = "" if meta.get("noise_target_reached", True) else " (more than asked for)"
        facts.append(f"noise {meta['standard_error_db']:.2f} dB{missed}")
    if radio_map.tx is not None and meta.get("tx_height_m", radio_map.tx.height_m) != radio_map.tx.height_m:
        facts.append(f"transmitter raised to {meta['tx_height_m']:g} m")
    if meta.get("tx_moved_m", 0.0):
        facts.append(f"transmitter moved by {meta['tx_moved_m']:g} m out of a wall")
    if meta.get("num_default_heights", 0):
        facts.append(
            f"{meta['num_default_heights']} buildings without a height taken as {meta['default_height_m']:g} m high"
        )
    if meta.get("num_cells_without_path", 0):
        facts.append(f"{meta['num_cells_without_path']} cells outdoors without a path")
    if ensemble is not None:
        spread_db = np.nanmedian(ensemble.std_db)
        facts.append(f"standard deviation of {ensemble.num_draws} draws {spread_db:.1f} dB (median)")
    return ", ".join(facts)
