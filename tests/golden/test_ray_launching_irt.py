"""The ray launcher's presets against WinProp's IRT maps. The files are not part of the repository."""

import pytest
from benchmarks.fidelity import SAMPLE
from benchmarks.ray_launching import IrtMaps

from radiodiff.propagation import PRESETS, DominantPath

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, which are not part of the repository"
)


@pytest.mark.parametrize(("simulation", "indices"), [("IRT2", range(4)), ("IRT4", [0])])
def test_presets_come_nearer_than_the_dominant_path(simulation: str, indices: list[int]) -> None:
    maps = IrtMaps(SAMPLE)
    engine = PRESETS["ray-launching"][simulation.lower()]
    launched = maps.rmse_db(engine, simulation, indices)
    dominant = maps.rmse_db(DominantPath(), simulation, indices)
    assert max(launched["all"]) < 2.6
    assert max(launched["nlos"]) < 3.5
    for near, far in zip(launched["all"], dominant["all"], strict=True):
        assert near < far - 0.5
