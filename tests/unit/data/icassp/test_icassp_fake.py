"""The made-up data set against laws that hold for it."""

import numpy as np
import pytest

from command_line import tree
from radiodiff.data.icassp import FakeIcasspSettings, scan_icassp, write_fake_icassp
from radiodiff.data.icassp.fake_rooms import draw_rooms
from radiodiff.data.icassp.rays import crossed_transmittance_db
from radiodiff.data.icassp.reader import IcasspReader
from radiodiff.errors import DataSetError, InputError
from radiodiff.propagation import MultiWall
from radiodiff.scene import Grid, Scene, Transmitter

SMALL = FakeIcasspSettings(buildings=2, antennas=2, samples=1, smallest=24, largest=30, seed=1)


def test_progress_counts_pairs_of_images(tmp_path):
    steps = list(write_fake_icassp(tmp_path / "a", SMALL))
    wanted = 2 * (1 + 3 + 6)
    assert steps == [(done, wanted) for done in range(wanted + 1)]
    assert len(list((tmp_path / "a").rglob("*.png"))) == 2 * wanted


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_building(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        list(write_fake_icassp(tmp_path / name, FakeIcasspSettings(2, 2, 1, 24, 30, seed)))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    name = "Inputs/Task_1_ICASSP/B1_Ant1_f1_S0.png"
    assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_a_radio_map_is_the_same_in_every_task(fake_root):
    for name in ("Inputs/Task_{}_ICASSP/B2_Ant1_f1_S1.png", "Outputs/Task_{}_ICASSP/B2_Ant1_f1_S1.png"):
        assert len({(fake_root / name.format(task)).read_bytes() for task in (1, 2, 3)}) == 1


def test_buildings_have_walls_air_and_different_sizes(fake_root):
    reader = IcasspReader(fake_root)
    samples = [reader.read(i) for i in scan_icassp(fake_root, 1)]
    assert len({sample.shape for sample in samples}) == 4
    for sample in samples:
        assert sample.transmittance_db[0].min() > 0
        assert 0.5 < np.mean(sample.transmittance_db == 0) < 0.95
        assert sample.path_loss_db.min() >= 13


def test_one_loss_per_wall_as_the_multi_wall_model_has_it():
    """With one loss for all walls: as many as the exact rays of `MultiWall` count, up to grazed corners."""
    material = draw_rooms(np.random.default_rng(4), 60, 60).material
    walls, grid = material > 0, Grid(60, 60, 0.25)
    tx = (30, 21)
    assert not walls[tx]
    scene = Scene(grid, walls)
    at = Transmitter.at_cell(grid, col=tx[1], row=tx[0])
    with_walls, without = (MultiWall(wall_loss_db=loss).radio_map(scene, at).path_loss_db for loss in (7.0, 0.0))
    crossed_db = crossed_transmittance_db(np.where(walls, 7.0, 0.0), tx)
    outdoors = np.isfinite(with_walls)
    agreement = np.abs(crossed_db - (with_walls - without))[outdoors] < 1e-3
    assert agreement.mean() > 0.9
    assert crossed_db.max() > 7.0


def test_a_wall_counts_once_and_two_materials_count_both():
    transmittance_db = np.zeros((1, 30))
    transmittance_db[0, 5:9] = 3.0
    transmittance_db[0, 15:17] = 4.0
    transmittance_db[0, 17:19] = 10.0
    crossed_db = crossed_transmittance_db(transmittance_db, (0, 0))[0]
    assert crossed_db[[0, 4, 5, 8, 9, 14, 15, 16, 17, 29]].tolist() == [0, 0, 3, 3, 3, 3, 7, 7, 17, 17]


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DataSetError, match="must be empty or absent"):
        list(write_fake_icassp(tmp_path, SMALL))
    with pytest.raises(DataSetError, match="must have a folder"):
        list(write_fake_icassp(tmp_path / "thesis.txt", SMALL))
    with pytest.raises(DataSetError, match="must be writable"):
        list(write_fake_icassp(tmp_path / "thesis.txt" / "a", SMALL))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        ({"buildings": 0}, "buildings must be a whole number from 1"),
        ({"antennas": 1}, "antennas must be a whole number from 2 to 5"),
        ({"antennas": 6}, "antennas must be"),
        ({"samples": 1.0}, "samples must be"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"smallest": 23}, "smallest must be"),
        ({"largest": 513}, "largest must be"),
        ({"smallest": 60, "largest": 50}, "smallest must not be above largest"),
        ({"convention": "north"}, "convention must be one of right-cw-cw"),
    ],
)
def test_settings_out_of_range_are_refused(broken, match):
    with pytest.raises(InputError, match=match):
        FakeIcasspSettings(**broken)
