"""`make demo`: maps of a real building layout by the model that comes with the package, beside the dominant path."""

from pathlib import Path
from time import perf_counter

import numpy as np

import radiodiff as rd
from radiodiff.viz import save_figure

ROOT = Path(__file__).parents[1]


def main() -> None:
    print("Munich, old town, 300 x 300 m (outlines: OpenStreetMap contributors, ODbL)")
    scene = rd.read_scene(ROOT / "examples/data/munich.geojson").scene
    street = rd.Transmitter.at_cell(scene.grid, col=155, row=100, height_m=2.5)
    row, col = np.unravel_index(int(np.nanargmax(scene.roof_height_m)), scene.grid.shape)
    roof_m = float(scene.roof_height_m[row, col])
    rooftop = rd.Transmitter.at_cell(scene.grid, col=int(col), row=int(row), height_m=roof_m + 3.0)

    print("Predicting; the first run ever also compiles, which takes longer.", flush=True)
    seconds = []
    maps = []
    for tx in (street, rooftop, street):
        start = perf_counter()
        maps.append(rd.predict(scene, tx))
        seconds.append(perf_counter() - start)
    first, other, again = seconds
    print(f"first map {first:.1f} s with loading, another transmitter {other:.2f} s, again {again:.2f} s")

    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    for name, tx, radio_map in zip(("street", "rooftop"), (street, rooftop), maps, strict=False):
        dominant = rd.DominantPath().radio_map(scene, tx)
        difference_db = (dominant.path_loss_db - radio_map.path_loss_db)[radio_map.has_value]
        print(
            f"{name}: transmitter at {tx.height_m:g} m, median {np.nanmedian(radio_map.path_loss_db):.1f} dB; "
            f"the dominant path differs by {np.median(difference_db):+.1f} dB in the median"
        )
        rd.write_radio_map(radio_map, out / f"munich_{name}.tif")
        save_figure(radio_map.plot().figure, out / f"munich_{name}.png")
        print(f"  out/munich_{name}.tif, out/munich_{name}.png")


if __name__ == "__main__":
    main()
