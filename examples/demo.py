"""`make demo`: a radio map of a real building layout, saved as NumPy file and GeoTIFF, and drawn."""

from pathlib import Path
from time import perf_counter

import radiodiff as rd
from radiodiff.viz import save_figure

ROOT = Path(__file__).parents[1]


def main() -> None:
    print("Munich, old town, 300 x 300 m (outlines: OpenStreetMap contributors, ODbL)")
    scene = rd.read_scene(ROOT / "examples/data/munich.geojson").scene
    tx = rd.Transmitter.at_cell(scene.grid, col=155, row=100)
    print("Computing; the first run ever also compiles, which takes about 15 s.", flush=True)
    start = perf_counter()
    radio_map = rd.DominantPath().radio_map(scene, tx)
    print(f"Path loss at {radio_map.has_value.sum():,} cells in {perf_counter() - start:.2f} s")

    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    rd.write_radio_map(radio_map, out / "munich.npz")
    rd.write_radio_map(radio_map, out / "munich.tif")
    save_figure(radio_map.plot().figure, out / "munich.png")
    for name in ("munich.npz", "munich.tif", "munich.png"):
        print(f"  out/{name}")
    x, y = scene.grid.cells_to_map(200, 110)
    print(f"At ({x:.0f}, {y:.0f}) in {scene.grid.crs}: {radio_map.at(x, y):.1f} dB")


if __name__ == "__main__":
    main()
