"""The shortest way from buildings to a radio map."""

import radiodiff as rd

scene = rd.read_scene("examples/data/munich.geojson").scene
tx = rd.Transmitter.at_cell(scene.grid, col=155, row=100)
radio_map = rd.DominantPath().radio_map(scene, tx)

x, y = scene.grid.cells_to_map(200, 110)
print(f"{radio_map.at(x, y):.1f} dB at ({x:.0f}, {y:.0f}) in {scene.grid.crs}")
