"""The reader on real files of RadioMapSeer's map 419. They are not part of the repository."""

import os
from pathlib import Path

import numpy as np
import pytest
from benchmarks.fidelity import MAP, SAMPLE
from scipy.ndimage import binary_dilation

from radiodiff.data.radiomapseer import PackSettings, RadioMapSeer, RadioMapSeerConfig, fill_geometry, pack_data_set
from radiodiff.data.splits import Split
from radiodiff.metrics import median_abs_error_db

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="needs files of RadioMapSeer, which are not part of the repository"
)

THRESHOLDED = {"part": "test", "scale": "thresholded", "stored_scale": "thresholded", "tx_per_map": 4}


@pytest.fixture
def real_root(tmp_path: Path) -> Path:
    """The sample in the layout of the download: its gains stand under another name."""
    root = tmp_path / "radiomapseer"
    root.mkdir()
    for name in ("antenna", "png", "polygon"):
        os.symlink(SAMPLE / name, root / name)
    os.symlink(SAMPLE / "gain_thresholded", root / "gain")
    Split("one map", {"test": (MAP,)}).write(root / "split.json")
    return root


@pytest.mark.parametrize("settings", [{}, {"cars": True}, {"simulation": "IRT2"}, {"simulation": "mix"}])
def test_the_brightest_cell_is_at_the_transmitter(real_root: Path, settings: dict) -> None:
    dataset = RadioMapSeer(RadioMapSeerConfig(root=real_root, **THRESHOLDED, **settings))
    assert len(dataset) == 4
    for number in range(4):
        example = dataset[number]
        brightest = np.argwhere(example.target[0] == example.target.max()).mean(axis=0)
        assert np.abs(brightest - example.tx).max() <= 0.5
        assert example.condition[0][example.tx] == -1.0


def test_the_dominant_path_channel_explains_dpm(real_root: Path, tmp_path: Path) -> None:
    dataset = RadioMapSeer(
        RadioMapSeerConfig(
            root=real_root,
            **THRESHOLDED,
            geometry=("dominant_path_gain_db",),
            allow_answer_channels=True,
            geometry_cache=tmp_path / "geometry",
        )
    )
    example = dataset[0]
    truth_db = dataset.encoding.decode_target(example.target[0])
    predicted_db = -dataset.encoding.condition[3].decode(example.condition[3])
    outdoors = (example.condition[0] < 0) & (example.target[0] > -1.0)
    assert median_abs_error_db(predicted_db, truth_db, outdoors) <= 0.2


def test_the_packed_form_is_the_same(real_root: Path, tmp_path: Path) -> None:
    # IRT4 has one of its two transmitters here, the other simulations four of eighty.
    antennas = (SAMPLE / f"antenna/{MAP}.json").read_text()
    (real_root / "antenna").unlink()
    (real_root / "antenna").mkdir()
    (real_root / f"antenna/{MAP}.json").write_text("],".join(antennas.split("],")[:4]) + "]]")
    for _ in pack_data_set(
        real_root, tmp_path / "packed", PackSettings(simulations=("DPM", "carsIRT2"), stored_scale="thresholded")
    ):
        pass
    for _ in fill_geometry(real_root, tmp_path / "packed"):
        pass
    settings = {**THRESHOLDED, "simulation": "IRT2", "cars": True, "geometry": ("los_mask",)}
    settings["measurements"] = {"kind": "vertices"}
    one = RadioMapSeer(RadioMapSeerConfig(root=real_root, geometry_cache=tmp_path / "geometry", **settings))
    two = RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "packed", **settings))
    for number in range(4):
        np.testing.assert_array_equal(one[number].condition, two[number].condition)
        np.testing.assert_array_equal(one[number].target, two[number].target)


@pytest.mark.parametrize("kind", ["vertices", "random", "half"])
@pytest.mark.parametrize("simulation", ["DPM", "IRT2"])
def test_measured_points_have_something_measured(real_root: Path, simulation: str, kind: str) -> None:
    # Beside walls the gain has no value in cells that the image of the buildings leaves free.
    settings = {**THRESHOLDED, "simulation": simulation, "measurements": {"kind": kind}}
    dataset = RadioMapSeer(RadioMapSeerConfig(root=real_root, **settings))
    for number in range(4):
        example = dataset[number]
        known = example.condition[4] > 0
        buildings = example.condition[0] > 0
        rim = binary_dilation(buildings, np.ones((3, 3))) & ~buildings
        assert known.sum() > (100 if kind == "vertices" else 0)
        assert not (known & buildings).any()
        assert not (known & rim & (example.target[0] == -1.0)).any()


def test_curvature_of_a_real_map_does_not_hang_on_empty_cells(real_root: Path) -> None:
    dataset = RadioMapSeer(RadioMapSeerConfig(root=real_root, **THRESHOLDED, simulation="IRT2", edge_weights="k2"))
    for number in range(4):
        example = dataset[number]
        assert example.weight is not None
        assert example.weight[0][example.target[0] == -1.0].max() == 0.0
        assert np.median(example.weight[example.weight > 0]) > 0.01
