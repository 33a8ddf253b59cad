"""`radiodiff.predict`: one call from a scene to a radio map."""

from pathlib import Path

import numpy as np
import pytest
import torch
from shapely import box

import radiodiff as rd
from radiodiff.errors import CheckpointError, ConfigError, InputError
from radiodiff.pipeline.predict import load_model
from tiny_pipelines import tiny_diffusion, tiny_regression

SCENE = rd.Scene.from_footprints(rd.Grid(32, 32), [rd.Footprint(box(8.0, 8.0, 14.0, 20.0))])
TXS = [rd.Transmitter.at_cell(SCENE.grid, col, 3) for col in (3, 25)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "diffusion"
    tiny_diffusion().save_pretrained(path)
    return path


def test_a_map_is_that_of_the_model(folder: Path) -> None:
    found = rd.predict(SCENE, TXS[0], model=folder, seed=4, steps=2, draws=3)
    expected = rd.load_pipeline(folder)(
        SCENE, TXS[0], generator=torch.Generator().manual_seed(4), num_inference_steps=2, num_draws=3
    )
    np.testing.assert_array_equal(found.path_loss_db, expected.path_loss_db)
    assert found.ensemble is not None
    assert sorted(found.ensemble.quantiles_db) == [0.05, 0.5, 0.95]
    assert found.meta["seed"] == 4
    assert found.meta["num_inference_steps"] == 2


def test_one_step_and_one_draw_are_the_default(folder: Path) -> None:
    found = rd.predict(SCENE, TXS, model=folder)
    assert [radio_map.meta["num_inference_steps"] for radio_map in found] == [1, 1]
    assert [radio_map.ensemble for radio_map in found] == [None, None]
    assert found[0].meta["seed"] != found[1].meta["seed"]


def test_measurements_reach_the_map(folder: Path) -> None:
    points = rd.Measurements([(20, 20)], [77.0])
    found = rd.predict(SCENE, TXS, model=folder, seed=1, measurements=[points, None])
    assert found[0].path_loss_db[20, 20] == pytest.approx(77.0, abs=0.5)
    assert [radio_map.meta["num_measurements"] for radio_map in found] == [1, 0]


def test_a_model_is_loaded_once_and_anew_where_it_was_written_anew(tmp_path: Path) -> None:
    tiny_regression().save_pretrained(tmp_path / "model")
    first = load_model(tmp_path / "model")
    assert load_model(str(tmp_path / "model")) is first
    tiny_regression(seed=1).save_pretrained(tmp_path / "model")
    assert load_model(tmp_path / "model") is not first


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5])
def test_seeds_are_checked_before_a_model_is_loaded(seed: int) -> None:
    with pytest.raises(InputError, match="seed must be a whole number from 0"):
        rd.predict(SCENE, TXS[0], model="nowhere", seed=seed)


@pytest.mark.parametrize("options", [{"backend": "onnx"}, {"backend": "tensorrt"}, {"graphs": "folder"}])
def test_a_backend_and_its_folder(folder: Path, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"backend must be 'torch', or 'onnx' with the folder .*--graphs FOLDER"):
        rd.predict(SCENE, TXS[0], model=folder, **options)  # type: ignore[call-overload]


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="The folder of a model must exist"):
        rd.predict(SCENE, TXS[0], model=tmp_path / "absent")


def test_time_is_told_by_part() -> None:
    pipeline = tiny_regression()
    assert pipeline.seconds == (0.0, 0.0)
    pipeline(SCENE, TXS)
    first = pipeline.seconds
    pipeline(SCENE, TXS)
    assert 0 < first.channels < pipeline.seconds.channels
    assert 0 < first.network < pipeline.seconds.network
