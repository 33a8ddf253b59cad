"""Heights beside RadioMapSeer's files."""

import json
from pathlib import Path

import numpy as np
import pytest
from shapely import box

from radiodiff.errors import FormatError, SceneError
from radiodiff.formats import (
    read_grey_image,
    read_heights_json,
    read_radiomapseer_scene,
    write_heights_json,
    write_radiomapseer_polygons,
    write_roof_heights_png,
)
from radiodiff.scene import Footprint, Grid, Transmitter

GRID = Grid(256, 256)
HOUSES = (Footprint(box(10, 20, 30, 40), 12.5), Footprint(box(100, 100, 120, 130), 31.0))


def write_map(root: Path, heights_m: list[float]) -> None:
    for folder in ("buildings_complete", "heights"):
        (root / "polygon" / folder).mkdir(parents=True)
    write_radiomapseer_polygons(root / "polygon/buildings_complete/3.json", HOUSES, GRID)
    write_heights_json(root / "polygon/heights/3.json", heights_m)


def test_scenes_have_the_heights_of_their_outlines(tmp_path: Path) -> None:
    write_map(tmp_path, [12.5, 31.0])
    scene = read_radiomapseer_scene(tmp_path, 3)
    assert scene.footprints is not None
    assert [footprint.height_m for footprint in scene.footprints] == [12.5, 31.0]
    assert scene.roof_height_m[30, 20] == 12.5
    # A mast above a roof is legal, one inside the building is not.
    scene.check_transmitter(Transmitter.at_cell(GRID, 20, 30, height_m=15.5))
    with pytest.raises(ValueError, match="above a roof"):
        scene.check_transmitter(Transmitter.at_cell(GRID, 20, 30, height_m=12.0))


def test_a_dropped_outline_takes_its_height_along(tmp_path: Path) -> None:
    write_map(tmp_path, [12.5, 31.0])
    path = tmp_path / "polygon/buildings_complete/3.json"
    rings = json.loads(path.read_text())
    path.write_text(json.dumps([rings[0], [[1, 1], [5, 5]], rings[1]]))
    write_heights_json(tmp_path / "polygon/heights/3.json", [12.5, 99.0, 31.0])
    footprints = read_radiomapseer_scene(tmp_path, 3).footprints
    assert [footprint.height_m for footprint in footprints or ()] == [12.5, 31.0]


def test_there_must_be_a_height_for_each_outline(tmp_path: Path) -> None:
    write_map(tmp_path, [12.5])
    with pytest.raises(FormatError, match="1 heights for 2"):
        read_radiomapseer_scene(tmp_path, 3)


@pytest.mark.parametrize("content", ['{"a": 1}', "[0]", "[-3.0]", '["12"]', "[true]", "[NaN]", "[1e999]"])
def test_heights_are_positive_numbers(tmp_path: Path, content: str) -> None:
    path = tmp_path / "heights.json"
    path.write_text(content)
    with pytest.raises(FormatError, match="numbers above 0"):
        read_heights_json(path)


def test_no_height_of_zero_is_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="above 0"):
        write_heights_json(tmp_path / "heights.json", [3.0, 0.0])
    assert not list(tmp_path.iterdir())


def test_the_image_of_roofs_holds_whole_metres(tmp_path: Path) -> None:
    heights = np.array([[0.0, 0.2, 12.4], [12.6, 255.0, 326.0]], dtype=np.float32)
    write_roof_heights_png(tmp_path / "roofs.png", heights)
    grey, _ = read_grey_image(tmp_path / "roofs.png")
    assert grey.tolist() == [[0, 1, 12], [13, 255, 255]]


def test_a_roof_of_unknown_height_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="1 cells under roofs of unknown height"):
        write_roof_heights_png(tmp_path / "roofs.png", np.array([[0.0, np.nan]]))
    assert not list(tmp_path.iterdir())
