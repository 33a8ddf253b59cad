"""Meshes of buildings: closed, without walls inside, as high and as large as the buildings."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from shapely import Polygon, box

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing.meshes import Mesh, building_mesh, ground_mesh, outlines_with_heights
from radiodiff.scene import Footprint, Grid, Scene


def edges_of(mesh: Mesh) -> Counter[tuple[int, int]]:
    """Directed edges of the triangles and how often they occur."""
    return Counter(edge for a, b, c in mesh.triangles.tolist() for edge in pairwise((a, b, c, a)))


def areas_of(mesh: Mesh) -> np.ndarray:
    """Area vectors of the triangles, outwards [m^2]."""
    a, b, c = (mesh.vertices[mesh.triangles[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a) / 2.0


def volume_of(mesh: Mesh) -> float:
    """Volume under the surface, by the divergence of z: the floor, at z = 0, adds nothing [m^3]."""
    heights = mesh.vertices[mesh.triangles, 2].mean(axis=1)
    return float((areas_of(mesh)[:, 2] * heights).sum())


def wall_area_of(mesh: Mesh) -> float:
    """Area of the walls [m^2]."""
    areas = areas_of(mesh)
    is_wall = np.abs(areas[:, 2]) < 1e-9
    return float(np.linalg.norm(areas[is_wall], axis=1).sum())


def check_closed(mesh: Mesh) -> None:
    """Every edge is shared with one neighbour, but for those on the floor; no vertex occurs twice."""
    edges = edges_of(mesh)
    assert set(edges.values()) == {1}
    for a, b in edges:
        is_on_floor = (mesh.vertices[[a, b], 2] == 0.0).all()
        assert ((b, a) in edges) != is_on_floor
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)


SHAPES = {
    "box": [Footprint(box(10, 10, 30, 20), 8.0)],
    "clockwise": [Footprint(Polygon([(0, 0), (0, 5), (5, 5), (5, 0)]), 3.0)],
    "slanted": [Footprint(Polygon([(3.1, 2.7), (17.9, 6.2), (12.3, 21.4), (1.2, 15.5)]), 11.0)],
    "courtyard": [Footprint(box(0, 0, 20, 20).difference(box(5, 5, 15, 15)), 12.0)],
    "overlap": [Footprint(box(0, 0, 10, 10), 5.0), Footprint(box(5, 3, 15, 8), 9.0)],
    "tower": [Footprint(box(0, 0, 20, 20), 5.0), Footprint(box(5, 5, 10, 10), 30.0)],
    "terrace": [Footprint(box(0, 0, 10, 10), 5.0), Footprint(box(10, 2, 20, 7), 5.0)],
    "step": [Footprint(box(0, 0, 10, 10), 5.0), Footprint(box(10, 2, 20, 7), 8.0)],
    "apart": [Footprint(box(0, 0, 4, 4), 5.0), Footprint(box(6, 6, 9, 9), 7.0)],
}


@pytest.mark.parametrize("split_m", [(), (1.5, 2.5), (6.0,)], ids=str)
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_surfaces_are_closed_and_hold_the_volume(name: str, split_m: tuple[float, ...]) -> None:
    mesh = building_mesh(SHAPES[name], split_m)
    check_closed(mesh)
    # Lebesgue: over the heights, the area of what is at least as high.
    import shapely

    levels = sorted({0.0} | {float(footprint.height_m or 0.0) for footprint in SHAPES[name]})
    expected = sum(
        (high - low) * shapely.union_all([f.polygon for f in SHAPES[name] if (f.height_m or 0.0) >= high]).area
        for low, high in pairwise(levels)
    )
    assert volume_of(mesh) == pytest.approx(expected, rel=1e-6)


def test_a_box_has_ten_triangles() -> None:
    mesh = building_mesh(SHAPES["box"])
    assert mesh.vertices.shape == (8, 3)
    assert len(mesh.triangles) == 4 * 2 + 2
    assert wall_area_of(mesh) == pytest.approx(60.0 * 8.0)


def test_no_wall_stands_between_equal_neighbours() -> None:
    # 60 m of outline around both, less the shared 5 m on either side.
    assert wall_area_of(building_mesh(SHAPES["terrace"])) == pytest.approx((40.0 + 30.0 - 10.0) * 5.0)


def test_the_higher_neighbour_shows_its_upper_wall() -> None:
    assert wall_area_of(building_mesh(SHAPES["step"])) == pytest.approx(35.0 * 5.0 + 25.0 * 8.0 + 5.0 * 3.0)


def test_normals_point_outwards() -> None:
    mesh = building_mesh(SHAPES["box"])
    centre = np.array([20.0, 15.0, 4.0])
    outwards = mesh.vertices[mesh.triangles].mean(axis=1) - centre
    assert (np.einsum("ij,ij->i", areas_of(mesh), outwards) > 0.0).all()


def test_walls_are_cut_where_asked() -> None:
    assert sorted(set(building_mesh(SHAPES["box"], (2.5, 1.5, 99.0)).vertices[:, 2])) == [0.0, 1.5, 2.5, 8.0]


def test_walls_below_the_receivers_have_no_common_edges() -> None:
    mesh = building_mesh(SHAPES["box"], (1.5, 2.5), edges_from_m=1.5)
    edges = edges_of(mesh)
    upright = [
        (a, b) for a, b in edges if np.array_equal(mesh.vertices[a, :2], mesh.vertices[b, :2]) and (b, a) in edges
    ]
    # Four corners, each with an edge from 1.5 to 2.5 m and one from there to the roof, seen from both walls.
    assert len(upright) == 4 * 2 * 2
    assert mesh.vertices[[a for a, _ in upright], 2].min() == 1.5
    assert volume_of(mesh) == pytest.approx(20.0 * 10.0 * 8.0)


def test_no_buildings_give_an_empty_mesh() -> None:
    mesh = building_mesh([])
    assert mesh.vertices.shape == mesh.triangles.shape == (0, 3)


def test_ground_reaches_beyond_map_and_buildings() -> None:
    scene = Scene.empty(Grid(30, 40, 2.0))
    mesh = ground_mesh(scene, [Footprint(box(-30, 0, -20, 10), 5.0)])
    (left, top, _), (right, bottom, _) = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    margin = np.hypot(110.0, 60.0)
    np.testing.assert_allclose((left, top, right, bottom), (-30 - margin, -margin, 80 + margin, 60 + margin))
    assert (areas_of(mesh)[:, 2] > 0.0).all()


def test_unknown_heights_are_filled_in() -> None:
    scene = Scene.from_footprints(Grid(20, 20), [Footprint(box(2, 2, 5, 5)), Footprint(box(8, 8, 12, 12), 7.0)])
    assert [outline.height_m for outline in outlines_with_heights(scene, 25.0)] == [25.0, 7.0]


def test_unknown_heights_may_be_refused() -> None:
    scene = Scene.from_footprints(Grid(20, 20), [Footprint(box(2, 2, 5, 5)), Footprint(box(8, 8, 12, 12), 7.0)])
    with pytest.raises(PropagationError, match="1 of 2 without"):
        outlines_with_heights(scene, None)


def test_outlines_of_a_raster_are_traced() -> None:
    buildings = np.zeros((30, 30), dtype=bool)
    buildings[5:15, 8:22] = True
    (outline,) = outlines_with_heights(Scene(Grid(30, 30), buildings), 10.0)
    assert outline.polygon.equals(box(8, 5, 22, 15))
