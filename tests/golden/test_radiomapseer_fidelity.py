"""The dominant path engine against WinProp's own maps. The files are not part of the repository."""

import pytest
from benchmarks.fidelity import MAP, SAMPLE, TXS, compare, grey_of

from radiodiff import Scene, Transmitter
from radiodiff.formats import read_radiomapseer_scene, read_radiomapseer_transmitters

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, which are not part of the repository"
)


def figures_of(simulation: str, scene: Scene, index: int) -> dict:
    cells = read_radiomapseer_transmitters(SAMPLE, MAP)
    png = grey_of(SAMPLE / f"png/buildings_complete/{MAP}.png") > 0
    grey = grey_of(SAMPLE / f"gain_thresholded/{simulation}/{MAP}_{index}.png")
    return compare(scene, Transmitter.at_cell(scene.grid, *cells[index]), grey, ~(scene.buildings | png))


@pytest.mark.parametrize("index", TXS)
def test_dpm_from_outlines(index: int) -> None:
    figures = figures_of("DPM", read_radiomapseer_scene(SAMPLE, MAP), index)
    assert figures["median_abs_error_db"] <= 0.2
    assert figures["p90_abs_error_db"] <= 1.0
    assert figures["nmse"] <= 0.010


@pytest.mark.parametrize("index", TXS)
def test_dpm_from_the_raster_of_the_gain(index: int) -> None:
    outlines = read_radiomapseer_scene(SAMPLE, MAP)
    figures = figures_of("DPM", Scene(outlines.grid, outlines.buildings.copy()), index)
    assert figures["median_abs_error_db"] <= 0.25
    assert figures["nmse"] <= 0.006


@pytest.mark.parametrize("index", TXS)
def test_cars_dpm(index: int) -> None:
    figures = figures_of("carsDPM", read_radiomapseer_scene(SAMPLE, MAP, cars=True), index)
    assert figures["median_abs_error_db"] <= 0.35
    assert figures["nmse"] <= 0.005
