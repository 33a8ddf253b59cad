"""How near the dominant path engine comes to WinProp's maps in RadioMapSeer.

Protocol: map 419 (test part of the RadioUNet split), transmitters 0 to 3, thresholded scale. The engine's path loss is
clipped to the window and compared in dB with the decoded grey levels, without rounding it to grey itself. NMSE:
`sum (p - y)^2 / sum y^2` over all 256 x 256 pixels, p rounded to grey. Outside: cells that neither the building PNG nor
the outlines count as indoors. Transmitter 0 is an exact file; 1 to 3 carry an error of 0.6 to 0.9 levels RMS (0.31 dB
each) from their recovery. The sample is not part of the repository: give its folder.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measure import write
from radiodiff import RADIOMAPSEER_GREY, DominantPath, Scene, Transmitter
from radiodiff.formats import read_building_png, read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.propagation.dominant_path.corner_graph import CornerGraph
from radiodiff.viz import draw_comparison, save_figure

SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "radiomapseer-sample"
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "fidelity.png"
MAP, TXS = 419, range(4)


def grey_of(path: Path) -> NDArray[np.float64]:
    return np.asarray(Image.open(path), dtype=np.float64)


def compare(scene: Scene, tx: Transmitter, grey: NDArray[np.float64], outside: NDArray[np.bool_]) -> dict[str, Any]:
    loss_db = DominantPath().radio_map(scene, tx).path_loss_db
    level = 255.0 * RADIOMAPSEER_GREY.to_level(loss_db, thresholded=True)
    step_db = RADIOMAPSEER_GREY.step_db(thresholded=True)
    error_db = np.abs(level - grey) * step_db
    rounded = np.rint(level)
    squared = (rounded - grey) ** 2
    graph = CornerGraph.of_scene(scene)
    size = scene.grid.cell_size_m
    view = graph.view(*graph.free_point(tx.x_m / size, tx.y_m / size))
    paths = graph.paths(view, DominantPath().law)
    regions = {
        "indoors in either": ~outside,
        "line of sight": outside & paths.is_los,
        "around corners": outside & ~paths.is_los,
    }
    return {
        "median_abs_error_db": float(np.median(error_db[outside])),
        "p90_abs_error_db": float(np.quantile(error_db[outside], 0.9)),
        "rmse_db": float(np.sqrt((error_db[outside] ** 2).mean())),
        "nmse": float(squared.sum() / (grey**2).sum()),
        "share_of_corner_cells_off_by_2_db": float((error_db[regions["around corners"]] > 2.0).mean()),
        "share_of_corner_cells_off_by_5_db": float((error_db[regions["around corners"]] > 5.0).mean()),
        "share_of_squared_error": {
            name: float(squared[region].sum() / squared.sum()) for name, region in regions.items()
        },
        "median_abs_error_db_by_region": {
            name: float(np.median(error_db[region])) for name, region in regions.items() if name != "indoors in either"
        },
    }


def line_of_sight_share(sample: Path, exponent: float) -> dict[str, Any]:
    """Share of the raw maps' line-of-sight pixels beyond 5 m at which the law, rounded, is the stored level.

    The maps come without buildings: pixels within 3 levels of the law count as line of sight. The transmitter is the
    brightest pixel.
    """
    exact = total = 0
    for path in sorted((sample / "gain_raw_without_layout").glob("*.png")):
        grey = grey_of(path)
        row, col = np.unravel_index(int(grey.argmax()), grey.shape)
        rows, cols = np.mgrid[: grey.shape[0], : grey.shape[1]]
        distance_m = np.hypot(rows - row, cols - col)
        loss_db = DominantPath().law.reference_loss_db + 10.0 * exponent * np.log10(np.maximum(distance_m, 1.0))
        level = 255.0 * RADIOMAPSEER_GREY.to_level(loss_db, thresholded=False)
        is_los = (distance_m > 5.0) & (grey > 0) & (np.abs(grey - level) < 3.0)
        exact += int((np.rint(level) == grey)[is_los].sum())
        total += int(is_los.sum())
    return {"exponent": exponent, "pixels": total, "share_exact": exact / total}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLE, help="folder of the RadioMapSeer sample")
    sample = parser.parse_args().data
    if not sample.is_dir():
        print(f"skipped: no RadioMapSeer sample in {sample} (give it with --data)")
        return
    png = grey_of(sample / f"png/buildings_complete/{MAP}.png") > 0
    outlines = read_radiomapseer_scene(sample, MAP)
    cases = {
        "DPM, outlines": ("DPM", outlines),
        "DPM, raster of the gain's footprint": ("DPM", Scene(outlines.grid, outlines.buildings.copy())),
        "DPM, building PNG alone": ("DPM", read_building_png(sample / f"png/buildings_complete/{MAP}.png")),
        "carsDPM, outlines and cars": ("carsDPM", read_radiomapseer_scene(sample, MAP, cars=True)),
    }
    cells = read_radiomapseer_transmitters(sample, MAP)
    results: dict[str, Any] = {}
    for name, (simulation, scene) in cases.items():
        results[name] = []
        for index in TXS:
            grey = grey_of(sample / f"gain_thresholded/{simulation}/{MAP}_{index}.png")
            tx = Transmitter.at_cell(scene.grid, *cells[index])
            figures = compare(scene, tx, grey, ~(scene.buildings | png))
            results[name].append({"tx": index, **figures})
            print(
                f"{name:38} tx {index}: median {figures['median_abs_error_db']:.3f} dB, 90th percentile "
                f"{figures['p90_abs_error_db']:.2f} dB, RMSE {figures['rmse_db']:.2f} dB, NMSE {figures['nmse']:.5f}"
            )
    raw = [line_of_sight_share(sample, exponent) for exponent in (2.495, 2.5, 2.505)]
    print("line of sight, raw maps:", raw)
    protocol = " ".join(__doc__.split("Protocol: ")[1].split())
    write("fidelity", {"protocol": protocol, "results": results, "line_of_sight_on_raw_maps": raw})
    draw(sample, outlines, Transmitter.at_cell(outlines.grid, *cells[0]))


def draw(sample: Path, scene: Scene, tx: Transmitter) -> None:
    """The figure of the README: truth, prediction and difference of transmitter 0, within the window."""
    grey = grey_of(sample / f"gain_thresholded/DPM/{MAP}_0.png")
    truth_db = RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=True)
    floor_db = RADIOMAPSEER_GREY.to_path_loss_db(0, thresholded=True)
    prediction_db = np.minimum(DominantPath().radio_map(scene, tx).path_loss_db, floor_db)
    truth_db[scene.buildings] = np.nan
    figure = draw_comparison(truth_db, prediction_db, scene.grid, tx=tx, scene=scene, difference_limit_db=5.0)
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, FIGURE, dpi=110)


if __name__ == "__main__":
    main()
