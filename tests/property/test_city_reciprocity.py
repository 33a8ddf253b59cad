"""Reciprocity of the dominant path engine on whole generated cities: no path is missed in one direction only."""

import itertools

import pytest

from radiodiff import CitySettings, DominantPath, Transmitter, generate_city
from radiodiff.layouts import STYLES, draw_transmitter_cells


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_both_directions_of_a_link_lose_the_same_in_a_city(style: str) -> None:
    for seed in range(12):
        scene = generate_city(CitySettings(style=style), (31, seed)).without_cars()
        txs = [Transmitter.at_cell(scene.grid, *cell) for cell in draw_transmitter_cells(scene, 24, seed)]
        maps = [radio_map.path_loss_db for radio_map in DominantPath().radio_maps(scene, txs)]
        for (a, there), (b, back) in itertools.combinations(zip(txs, maps, strict=True), 2):
            assert there[b.cell(scene.grid)] == pytest.approx(back[a.cell(scene.grid)], abs=2e-3), (style, seed, a, b)
