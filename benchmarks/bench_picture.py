"""Picture of the benchmark set: targets of one street and one rooftop map, and engines beside them.

Protocol. Of the scene in the middle of each scenario, the transmitter of middle height; path loss of 50 to 147 dB
on one colour scale; white cells have no path or lie below the range.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from radiodiff.evaluation.bench import open_bench
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import OverRoofs
from radiodiff.scene import Transmitter
from radiodiff.viz.figure_file import save_figure
from radiodiff.viz.path_loss import PATH_LOSS_LABEL, path_loss_image

FIGURE = Path(__file__).parents[1] / "docs" / "images" / "bench.png"
NAMES = {"DPM": "dominant path", "RL": "ray launching", "RT": "ray tracing"}
COLUMNS = {"street": ("DPM", "RL", "RT"), "rooftop": ("DPM", "over-roofs", "RT")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the set; by default that of the package")
    bench = open_bench(parser.parse_args().data)
    figure = Figure(figsize=(12.0, 8.2), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, (scenario, columns) in zip(panels, COLUMNS.items(), strict=True):
        (case,) = bench.cases(scenario, ("RT",))
        store = case.examples().source.store
        map_id = store.map_ids()[len(store.map_ids()) // 2]
        scene = store.scene("buildings_complete", map_id)
        assert scene is not None
        heights_m = store.tx_heights_m(map_id)
        tx_id = int(np.argsort(heights_m)[len(heights_m) // 2])
        (row_of_tx, col), height_m = store.tx_cells(map_id)[tx_id].tolist(), float(heights_m[tx_id])
        tx = Transmitter.at_cell(scene.grid, col, row_of_tx, height_m=height_m)
        for axes, name in zip(row, columns, strict=True):
            if name in NAMES:
                grey = store.gain(name, map_id, tx_id)
                loss_db = np.where(grey > 0, RADIOMAPSEER_GREY.to_path_loss_db(grey, thresholded=False), np.nan)
            else:
                loss_db = OverRoofs().radio_map(scene, tx).path_loss_db.astype(np.float64)
                loss_db[loss_db > -RADIOMAPSEER_GREY.min_gain_db] = np.nan
            image = path_loss_image(axes, loss_db, scene.grid, tx=tx, scene=scene)
            image.set_clim(50.0, -RADIOMAPSEER_GREY.min_gain_db)
            axes.set_title(f"{scenario}, {height_m:g} m: {NAMES.get(name, 'over roofs')}")
    bar = figure.colorbar(image, ax=panels, label=PATH_LOSS_LABEL, shrink=0.6)
    bar.ax.invert_yaxis()
    save_figure(figure, FIGURE, dpi=90)
    print(f"{FIGURE.name} written")


if __name__ == "__main__":
    main()
