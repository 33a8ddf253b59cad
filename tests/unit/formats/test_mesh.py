"""Buildings read from triangle meshes, against bodies whose plan and height are known."""

import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from city_meshes import level, polygon_faces, prism, rectangle, slope, walls, write_mitsuba, write_obj, write_ply
from radiodiff.errors import FormatError, GridError, SceneError
from radiodiff.formats import SceneOptions, checks, read_mesh_buildings, read_mesh_scene, read_scene
from radiodiff.formats.mesh import SurfaceMesh, read_meshes

pytest.importorskip("trimesh", reason="meshes need trimesh")

GROUND = level(rectangle(-50, -50, 100, 100), 0.0)
HOUSE = rectangle(-10, 5, 20, 12)
HALL = rectangle(20, -30, 15, 25)


def by_height(footprints):
    return {round(footprint.height_m, 6): footprint.polygon for footprint in footprints}


def test_prisms_come_back_with_plan_and_height(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a.obj", {"ground": GROUND, "house": prism(HOUSE, 0, 9), "hall": prism(HALL, 0, 6.5)})
    footprints, report = read_mesh_buildings(path)
    found = by_height(footprints)
    assert found.keys() == {9.0, 6.5}
    assert found[9.0].equals(shapely.Polygon(HOUSE))
    assert found[6.5].equals(shapely.Polygon(HALL))
    assert (report.objects, report.outlines, report.flat, report.has_ground) == (2, 2, 0, True)
    assert report.roof_area_m2 == report.area_m2 == 20 * 12 + 15 * 25
    assert report.spread_m == 0.0
    assert len(report.notes()) == 1


def test_the_local_frame_has_y_down_and_begins_at_whole_cells(tmp_path: Path) -> None:
    path = write_obj(
        tmp_path / "a.obj", {"house": prism(rectangle(-9.5, 5, 19.5, 12), 0, 9), "hall": prism(HALL, 0, 6)}
    )
    scene, _ = read_mesh_scene(path)
    assert (scene.grid.shape, scene.grid.crs) == ((17 + 30, 35 + 10), None)
    assert scene.source == "a.obj"
    # The house is the one in the north.
    high, low = sorted(scene.footprints, key=lambda footprint: -footprint.height_m)
    assert high.polygon.bounds == (0.5, 0.0, 20.0, 12.0)
    assert low.polygon.bounds == (30.0, 22.0, 45.0, 47.0)
    assert scene.buildings.sum() == 20 * 12 + 15 * 25  # Cell centres on the left wall count as inside.
    assert scene.roof_height_m[40, 40] == 6.0


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".off"])
def test_a_file_with_one_object_is_split_where_nothing_is_shared(tmp_path: Path, suffix: str) -> None:
    import trimesh

    ply = write_ply(tmp_path / "all.ply", GROUND + prism(HOUSE, 0, 9) + prism(HALL, 0, 6.5))
    path = tmp_path / f"b{suffix}"
    path.write_bytes(ply.read_bytes()) if suffix == ".ply" else trimesh.load(ply, process=False).export(path)
    footprints, report = read_mesh_buildings(path)
    assert by_height(footprints).keys() == {9.0, 6.5}
    assert report.has_ground


def test_the_direction_of_faces_does_not_matter(tmp_path: Path) -> None:
    turned = [corners[::-1] for corners in prism(HOUSE, 0, 9)]
    path = write_obj(tmp_path / "a.obj", {"ground": GROUND, "house": turned})
    assert by_height(read_mesh_buildings(path)[0])[9.0].equals(shapely.Polygon(HOUSE))


def test_walls_and_roof_of_a_mitsuba_scene_are_one_building(tmp_path: Path) -> None:
    objects = {"ground": GROUND, "House_1-wall": walls(HOUSE, 0, 9), "House_1-roof": level(HOUSE, 9)}
    path = write_mitsuba(tmp_path / "town", "town", objects)
    assert [mesh.name for mesh in read_meshes(path)] == ["ground", "House_1"]
    footprints, report = read_mesh_buildings(path)
    assert [footprint.height_m for footprint in footprints] == [9.0]
    assert report.objects == 1


def test_heights_count_from_the_foot_of_each_building_on_a_slope(tmp_path: Path) -> None:
    # The foot is at the ground under the middle of the building, as terrain tools put it.
    left, right = rectangle(-40, 0, 10, 10), rectangle(30, 0, 10, 10)
    objects = {
        "ground": slope(-50, -50, 100, 100, 0.2),
        "left-wall": walls(left, 3, 11),
        "left-roof": level(left, 11),
        "right-wall": walls(right, 17, 22),
        "right-roof": level(right, 22),
    }
    footprints, report = read_mesh_buildings(write_mitsuba(tmp_path / "hill", "hill", objects))
    found = by_height(footprints)
    assert report.has_ground
    assert found[8.0].equals(shapely.Polygon(left))
    assert found[5.0].equals(shapely.Polygon(right))


@pytest.mark.parametrize("grade", [0.0, 0.1])
def test_a_tower_that_begins_on_a_roof_counts_from_the_ground(tmp_path: Path, grade: float) -> None:
    tower = rectangle(-5, 8, 4, 4)
    objects = {
        "ground": slope(-50, -50, 100, 100, grade),
        "house": prism(HOUSE, 5, 14),
        "tower": prism(tower, 14, 30),
    }
    footprints, _ = read_mesh_buildings(write_obj(tmp_path / "a.obj", objects))
    # Under the tower's middle, at x = -3, the ground is at 47 * grade.
    heights = sorted(footprint.height_m for footprint in footprints)
    assert heights == pytest.approx([9.0 if grade else 14.0, 30.0 - 47.0 * grade])
    assert sum(footprint.polygon.area for footprint in footprints) == 20 * 12


def test_without_a_ground_heights_count_from_the_lowest_point(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 100, 109), "hall": prism(HALL, 200, 206.5)})
    footprints, report = read_mesh_buildings(path)
    assert by_height(footprints).keys() == {9.0, 6.5}
    assert not report.has_ground
    assert "no ground" in report.notes()[-1]


def test_a_building_beside_the_ground_counts_from_its_own_foot(tmp_path: Path) -> None:
    objects = {
        "ground": slope(-50, -50, 100, 100, 0.0),
        "house": prism(HOUSE, 0, 9),
        "hall": prism(rectangle(60, 0, 10, 10), 12, 18.5),
    }
    footprints, report = read_mesh_buildings(write_obj(tmp_path / "a.obj", objects))
    assert by_height(footprints).keys() == {9.0, 6.5}
    assert report.has_ground


def test_a_gabled_roof_has_its_mean_height_and_known_spread(tmp_path: Path) -> None:
    (x0, y0), (x1, _), (_, y1), _ = HOUSE
    middle, eaves, ridge = (y0 + y1) / 2, 6.0, 10.0
    roof = polygon_faces([(x0, y0, eaves), (x1, y0, eaves), (x1, middle, ridge), (x0, middle, ridge)])
    roof += polygon_faces([(x0, middle, ridge), (x1, middle, ridge), (x1, y1, eaves), (x0, y1, eaves)])
    footprints, report = read_mesh_buildings(
        write_obj(tmp_path / "a.obj", {"ground": GROUND, "house": walls(HOUSE, 0, eaves) + roof})
    )
    assert [footprint.height_m for footprint in footprints] == pytest.approx([8.0])
    # Uniform between eaves and ridge: (ridge - eaves) / sqrt(12).
    assert report.spread_m == pytest.approx(4.0 / np.sqrt(12.0))
    assert footprints[0].polygon.area == 240


def test_flat_and_sloped_roofs_that_share_an_edge_are_told_apart(tmp_path: Path) -> None:
    flat = level(rectangle(0, 0, 10, 10), 6.0)
    lean_to = polygon_faces([(10, 0, 6.0), (20, 0, 2.0), (20, 10, 2.0), (10, 10, 6.0)])
    path = write_obj(
        tmp_path / "a.obj", {"ground": GROUND, "house": walls(rectangle(0, 0, 20, 10), 0, 2) + flat + lean_to}
    )
    footprints, _ = read_mesh_buildings(path)
    assert {height: shape.bounds for height, shape in by_height(footprints).items()} == {
        6.0: (0, 0, 10, 10),
        4.0: (10, 0, 20, 10),
    }


def test_a_courtyard_stays_open(tmp_path: Path) -> None:
    strips = [rectangle(0, 0, 30, 5), rectangle(0, 25, 30, 5), rectangle(0, 5, 5, 20), rectangle(25, 5, 5, 20)]
    roof = [face for strip in strips for face in level(strip, 12)]
    outer, inner = rectangle(0, 0, 30, 30), rectangle(5, 5, 20, 20)
    block = walls(outer, 0, 12) + walls(inner, 0, 12) + roof
    footprints, _ = read_mesh_buildings(write_obj(tmp_path / "a.obj", {"ground": GROUND, "block": block}))
    whole = shapely.union_all([footprint.polygon for footprint in footprints])
    assert whole.equals(shapely.Polygon(outer, [inner]))


def test_roof_heights_agree_with_the_highest_face_over_each_cell(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    boxes = [(*rng.integers(0, 60, 2), *rng.integers(5, 25, 2), rng.integers(3, 40)) for _ in range(40)]
    objects = {f"b{i}": prism(rectangle(*map(float, box[:4])), 0, float(box[4])) for i, box in enumerate(boxes)}
    ground = level(rectangle(-20, -20, 130, 130), 0.0)
    scene, report = read_mesh_scene(write_obj(tmp_path / "a.obj", {"ground": ground, **objects}))
    left, top = min(box[0] for box in boxes), max(box[1] + box[3] for box in boxes)
    truth = np.zeros(scene.grid.shape)
    for x, y, width, depth, height in boxes:
        part = truth[top - y - depth : top - y, x - left : x - left + width]
        np.maximum(part, height, out=part)
    assert np.array_equal(scene.roof_height_m, truth)
    assert report.area_m2 == (truth > 0).sum()
    shapes = [footprint.polygon for footprint in scene.footprints]
    assert shapely.area(shapes).sum() == shapely.union_all(shapes).area


def test_things_without_height_are_left_out_and_counted(tmp_path: Path) -> None:
    lawn = level(rectangle(-40, -40, 10, 10), 0.05)
    path = write_obj(tmp_path / "a.obj", {"ground": GROUND, "lawn": lawn, "house": prism(HOUSE, 0, 9)})
    footprints, report = read_mesh_buildings(path)
    assert (len(footprints), report.flat) == (1, 1)
    assert "1 objects have no height" in report.notes()[1]


@pytest.mark.parametrize(
    "objects",
    [{"ground": GROUND}, {"ground": GROUND, "house": prism(HOUSE, 0, 0.0)}, {"wall": walls(HOUSE, 0, 9)}],
    ids=["ground only", "zero height", "walls only"],
)
def test_a_mesh_without_roofs_is_refused(tmp_path: Path, objects) -> None:
    with pytest.raises(SceneError, match=r"surfaces at least 1 m above their ground; got .*a\.obj with \d objects"):
        read_mesh_buildings(write_obj(tmp_path / "a.obj", objects))


def test_a_mesh_without_faces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 0\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n"
    )
    with pytest.raises(FormatError, match="must hold triangles"):
        read_meshes(tmp_path / "a.ply")


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".off"])
def test_a_damaged_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"ply\nformat binary_little_endian 1.0\nelement vertex 9\nf 1 2 700\n")
    with pytest.raises(FormatError, match=r"mesh"):
        read_meshes(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dxf").write_text("0")
    with pytest.raises(FormatError, match=r"must end in \.ply, \.obj, \.stl, \.off, \.xml; got .*a\.dxf"):
        read_meshes(tmp_path / "a.dxf")
    with pytest.raises(FormatError, match="must exist"):
        read_meshes(tmp_path / "b.ply")


def test_without_trimesh_the_message_has_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 0, 9)})
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(FormatError, match=r"need the package trimesh.*pip install 'radiodiff\[raytrace\]'"):
        read_meshes(path)


def test_a_mitsuba_scene_that_is_no_xml(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<scene><shape></scene>")
    with pytest.raises(FormatError, match="must be XML"):
        read_meshes(tmp_path / "a.xml")


@pytest.mark.parametrize(
    "shape",
    [
        '<shape type="sphere" id="s"/>',
        '<shape type="ply" id="s"/>',
        '<shape type="ply" id="s"><string name="filename" value="m.ply"/><transform name="to_world"/></shape>',
    ],
    ids=["a sphere", "no file", "a transform"],
)
def test_other_shapes_of_mitsuba_are_refused(tmp_path: Path, shape: str) -> None:
    (tmp_path / "a.xml").write_text(f"<scene>{shape}</scene>")
    with pytest.raises(FormatError, match=r"must be mesh files .* without a transform; got 's'"):
        read_meshes(tmp_path / "a.xml")


def test_a_mitsuba_scene_whose_mesh_is_not_there(tmp_path: Path) -> None:
    path = write_mitsuba(tmp_path / "town", "town", {"house": prism(HOUSE, 0, 9)})
    (path.parent / "meshes/house.ply").unlink()
    with pytest.raises(FormatError, match=r"must exist; got .*house\.ply"):
        read_meshes(path)


def test_arrays_that_are_no_mesh() -> None:
    vertices, faces = np.zeros((3, 3)), np.array([[0, 1, 2]])
    for bad_vertices, bad_faces in ((np.zeros((3, 2)), faces), (vertices * np.nan, faces), (vertices, faces[:, :2])):
        with pytest.raises(SceneError, match="finite vertices"):
            SurfaceMesh("a", bad_vertices, bad_faces)
    for bad_faces in (faces + 1, faces - 1):
        with pytest.raises(SceneError, match=r"must name its vertices, 0\.\.2"):
            SurfaceMesh("a", vertices, bad_faces)


def test_a_mesh_too_large_for_a_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MAX_CELLS", 100)
    with pytest.raises(FormatError, match="at most 100 cells"):
        read_mesh_scene(write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 0, 9)}))


def test_a_mesh_of_one_building_has_no_free_cell(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="at least one cell outside its buildings"):
        read_mesh_scene(write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 0, 9)}))


def test_a_margin_gives_it_a_street(tmp_path: Path) -> None:
    file = write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 0, 9)})
    scene = read_scene(file, SceneOptions(margin_m=3.0)).scene
    assert scene.grid.shape == (12 + 6, 20 + 6)
    np.testing.assert_array_equal(scene.buildings, np.pad(np.ones((12, 20), dtype=bool), 3))


def test_cells_without_a_size(tmp_path: Path) -> None:
    with pytest.raises(GridError, match="cell_size_m must be a finite number above 0"):
        read_mesh_scene(tmp_path / "a.obj", cell_size_m=0.0)


def test_read_scene_knows_meshes(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a.obj", {"house": prism(HOUSE, 0, 9), "hall": prism(HALL, 0, 6.5)})
    found = read_scene(path)
    assert found.scene.buildings.sum() == 20 * 12 + 15 * 25
    assert "2 buildings" in found.notes[0]
