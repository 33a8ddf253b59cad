"""Predictors: images of a folder, engines, models."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evaluation_cases import StandIn, examples_of, truth
from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.diffusion.noise import seed_of
from radiodiff.errors import ConfigError, FormatError, InputError
from radiodiff.evaluation.engine_predictor import EnginePredictor
from radiodiff.evaluation.evaluate import Evaluation
from radiodiff.evaluation.examples import EvaluationExamples, indoor_cells
from radiodiff.evaluation.image_predictor import ImagePredictor
from radiodiff.evaluation.pipeline_predictor import DrawSettings, PipelinePredictor
from radiodiff.formats import LevelMeaning, write_level_png
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.propagation import DominantPath, FreeSpace
from radiodiff.scene import Transmitter
from tiny_pipelines import tiny_diffusion, tiny_regression

RAW = LevelMeaning("raw", "path_loss_db", 147.0, 47.84)
PLAIN = ("buildings", "transmitter", "cars")


def write_all(folder: Path, examples: EvaluationExamples, meaning: LevelMeaning | None = RAW) -> None:
    """The truth of each example, as predictions."""
    folder.mkdir(exist_ok=True)
    for number in examples.numbers:
        example = examples.source[number]
        levels = (example.target[0].astype(np.float64) + 1.0) / 2.0
        if meaning is None:
            Image.fromarray(np.rint(255 * levels).astype(np.uint8)).save(folder / f"{example.name}.png")
        else:
            write_level_png(folder / f"{example.name}.png", levels, meaning)


def error_of(examples: EvaluationExamples, predictor: object, **options: object) -> float:
    evaluation = Evaluation(examples, [predictor], **options)
    list(evaluation.run())
    return evaluation.report().predictors[0].means["rmse"].value


def test_images_are_read_as_levels(cities: Path, tmp_path: Path) -> None:
    examples = examples_of(cities)
    write_all(tmp_path / "named", examples)
    write_all(tmp_path / "plain", examples, None)
    named = ImagePredictor("named", tmp_path / "named", examples)
    plain = ImagePredictor("plain", tmp_path / "plain", examples, "raw")
    for predictor in (named, plain):
        assert error_of(examples, predictor) == 0.0
        assert predictor.scale == "raw"
    assert named.facts() == {
        "kind": "images",
        "folder": str(tmp_path / "named"),
        "scale": "raw",
        "rounding": "8-bit levels",
        "condition": "not known",
        "buildings": "as in the images",
    }


def test_gain_images_of_the_data_set_are_predictions_without_error(cities: Path) -> None:
    examples = examples_of(cities)
    predictor = ImagePredictor("gain", cities / "gain" / "DPM", examples, "raw")
    assert error_of(examples, predictor) == 0.0
    # Thresholded, both lose the same.
    assert error_of(examples, predictor, scale="thresholded") == 0.0
    # The same grey levels taken for thresholded ones are far off: they are on another scale.
    with pytest.raises(InputError, match="must not be mixed"):
        Evaluation(examples, [ImagePredictor("gain", cities / "gain" / "DPM", examples, "thresholded")])


def test_raw_images_of_thresholded_data_are_thresholded(cities: Path, tmp_path: Path) -> None:
    write_all(tmp_path / "raw", examples_of(cities))
    thresholded = examples_of(cities, scale="thresholded")
    for scale in (None, "raw"):
        predictor = ImagePredictor("raw", tmp_path / "raw", thresholded, scale)
        assert error_of(thresholded, predictor) == pytest.approx(0.0, abs=1e-6)


def test_the_scale_of_images_must_be_known(cities: Path, tmp_path: Path) -> None:
    examples = examples_of(cities)
    write_all(tmp_path, examples, None)
    with pytest.raises(
        InputError, match=r"scale of predictions.*must be said.*0_0\.png, which names none.*--pred-scale"
    ):
        ImagePredictor("plain", tmp_path, examples)
    write_all(tmp_path, examples)
    with pytest.raises(InputError, match=r"must be on the thresholded scale.*names the raw scale"):
        ImagePredictor("named", tmp_path, examples, "thresholded")
    # One image that says something else than the first.
    write_level_png(
        tmp_path / "3_1.png", np.zeros((48, 48)), LevelMeaning("thresholded", "path_loss_db", 127.168, 47.84)
    )
    with pytest.raises(InputError, match=r"must be on the raw scale.*3_1\.png"):
        error_of(examples, ImagePredictor("named", tmp_path, examples))


@pytest.mark.parametrize(
    "meaning", [LevelMeaning("raw", "path_loss_db", 140.0, 47.84), LevelMeaning("raw", "distance_m", 147.0, 47.84)]
)
def test_images_of_other_values_are_refused(cities: Path, tmp_path: Path, meaning: LevelMeaning) -> None:
    examples = examples_of(cities)
    write_all(tmp_path, examples, meaning)
    with pytest.raises(InputError, match=r"must hold path_loss_db, 147 at grey 0 and 47.84 at grey 255.*0_0\.png"):
        ImagePredictor("other", tmp_path, examples)


def rooms_of(root: Path) -> EvaluationExamples:
    """Made-up rooms."""
    settings = FakeIcasspSettings(buildings=2, samples=1, seed=1, smallest=40, largest=48)
    for _ in write_fake_icassp(root, settings):
        pass
    config = IcasspConfig(root=root, part="all", crop="none")
    source = open_data_set(config)
    return EvaluationExamples(source, config, range(len(source)))


def test_images_of_the_challenge_hold_whole_decibels(tmp_path: Path) -> None:
    examples = rooms_of(tmp_path / "rooms")
    image = tmp_path / "rooms/Outputs/Task_1_ICASSP"
    assert error_of(examples, ImagePredictor("truth", image, examples, "db")) < 1e-7
    with pytest.raises(InputError, match=r"must be said: db.*which names none.*--pred-scale db"):
        ImagePredictor("truth", image, examples)
    with pytest.raises(InputError, match=r"scale of predictions for these data must be db; got raw"):
        ImagePredictor("truth", image, examples, "raw")
    for number in examples.numbers:
        example = examples.source[number]
        rows, cols = example.content
        grey = np.rint(160 - 147 * (example.target[0, :rows, :cols].astype(float) + 1) / 2) + 3
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / f"{example.name}.png")
    predictor = ImagePredictor("three off", tmp_path, examples, "db")
    assert error_of(examples, predictor) == pytest.approx(3 / 147, rel=0.05)


def test_the_scale_of_predictions_must_be_one_of_the_data(cities: Path, tmp_path: Path) -> None:
    write_all(tmp_path, examples_of(cities), None)
    with pytest.raises(InputError, match=r"must be raw or thresholded; got db"):
        ImagePredictor("plain", tmp_path, examples_of(cities), "db")


def test_missing_predictions_are_listed(cities: Path, tmp_path: Path) -> None:
    examples = examples_of(cities)
    write_all(tmp_path, examples)
    for name in ("0_1", "3_0"):
        (tmp_path / f"{name}.png").unlink()
    with pytest.raises(InputError, match=r"without 2 of 8: 0_1\.png, 3_0\.png\. Predict them"):
        ImagePredictor("some", tmp_path, examples)
    for name in ("0_0", "1_0", "1_1", "2_0", "2_1"):
        (tmp_path / f"{name}.png").unlink()
    with pytest.raises(InputError, match=r"without 7 of 8: 0_0\.png, 0_1\.png, 1_0\.png, 1_1\.png, 2_0\.png, \.\.\."):
        ImagePredictor("some", tmp_path, examples)
    with pytest.raises(InputError, match=r"must be in a folder.*which is not there"):
        ImagePredictor("none", tmp_path / "nothing", examples)
    with pytest.raises(InputError, match=r"must be in a folder.*which is a file"):
        ImagePredictor("none", tmp_path / "3_1.png", examples)


def test_predictions_of_another_size_are_refused(cities: Path, tmp_path: Path) -> None:
    examples = examples_of(cities)
    write_all(tmp_path, examples)
    write_level_png(tmp_path / "2_1.png", np.zeros((48, 47)), RAW)
    with pytest.raises(InputError, match=r"must have the 48 x 48 cells.*2_1\.png of 48 x 47"):
        error_of(examples, ImagePredictor("odd", tmp_path, examples))
    (tmp_path / "0_0.png").write_bytes(b"no image")
    with pytest.raises(FormatError, match="readable by Pillow"):
        ImagePredictor("broken", tmp_path, examples)


def test_the_dominant_path_engine_predicts_dominant_path_maps(cities: Path) -> None:
    examples = examples_of(cities)
    predictor = EnginePredictor(DominantPath(), examples)
    evaluation = Evaluation(examples, [predictor])
    list(evaluation.run(3))
    # Images are rounded to a grey level of 0.39 dB.
    assert evaluation.report().predictors[0].means["rmse_db"].value < 0.39 / 2
    assert predictor.facts()["kind"] == "engine"
    assert "DominantPath" in predictor.facts()["engine"]
    assert predictor.facts()["condition"] == ["buildings", "transmitter"]


def test_engines_see_the_cars(cities: Path) -> None:
    examples = examples_of(cities, cars=True)
    with_cars, without = (
        error_of(examples, EnginePredictor(DominantPath(), one)) for one in (examples, examples_of(cities))
    )
    assert with_cars < 0.5 * without


def test_levels_of_an_engine_are_those_of_its_radio_map(cities: Path) -> None:
    examples = examples_of(cities)
    example = examples.source[5]
    scene = examples.source.store.scene("buildings_complete", example.map_id)
    tx = Transmitter.at_cell(scene.grid, example.tx[1], example.tx[0])
    path_loss = FreeSpace().radio_map(scene, tx).path_loss_db
    batch = next(examples.batches(8))
    levels = EnginePredictor(FreeSpace(), examples).predict(batch)[5]
    expected = RADIOMAPSEER_GREY.to_level(path_loss, thresholded=False)
    np.testing.assert_allclose(levels, expected[None], atol=1e-6)
    assert (levels[0][scene.buildings] == 0.0).all()


def test_engines_need_scenes_in_the_size_of_the_files(cities: Path) -> None:
    with pytest.raises(InputError, match=r"size of the files; got data\.size=32"):
        EnginePredictor(FreeSpace(), examples_of(cities, size=32))
    examples = examples_of(cities)
    odd = EvaluationExamples(None, examples.config, [0])
    with pytest.raises(InputError, match="RadioMapSeer's layout"):
        EnginePredictor(FreeSpace(), odd)


def test_draws_of_a_model_follow_from_seed_and_number(cities: Path) -> None:
    torch.set_num_threads(1)
    examples = examples_of(cities)
    pipeline = tiny_diffusion(PLAIN, map_shape=(48, 48))
    settings = DrawSettings(num_inference_steps=2, num_draws=3, seed=5)
    predictor = PipelinePredictor("model", pipeline, None, settings)
    batches = list(examples.batches(4))
    first, second = (predictor.predict(batch) for batch in batches)
    assert [levels.shape for levels in first] == [(3, 48, 48)] * 4
    generator = torch.Generator().manual_seed(seed_of(5, 6))
    alone = pipeline.predict(batches[1].condition[2:3], [generator], num_inference_steps=2, num_draws=3)
    np.testing.assert_allclose(second[2], (alone[0, :, 0].numpy() + 1) / 2, atol=1e-5)
    facts = predictor.facts()
    assert (facts["num_inference_steps"], facts["num_draws"], facts["seed"]) == (2, 3, 5)
    assert (facts["precision"], facts["window"], facts["batch_size"]) == ("float32", "auto", 16)
    assert facts["device"] == "cpu with 1 thread"
    assert facts["seconds_per_map"] > 0
    changed = settings.replaced(seed=6)
    other = PipelinePredictor("model", pipeline, None, changed).predict(batches[1])
    assert not np.allclose(other[2], second[2], atol=1e-3)


def test_a_mask_changes_buildings_alone(cities: Path) -> None:
    batch = next(examples_of(cities).batches(8))
    pipeline = tiny_regression(PLAIN, map_shape=(48, 48))
    masked = PipelinePredictor("model", pipeline, None, DrawSettings(is_masked=True))
    plain = PipelinePredictor("model", pipeline)
    indoors = indoor_cells(batch)[:, None]
    before, after = (np.stack(predictor.predict(batch)) for predictor in (plain, masked))
    assert (before[indoors] > 0).any()
    np.testing.assert_array_equal(after, np.where(indoors, 0.0, before))
    assert (plain.facts()["buildings"], masked.facts()["buildings"]) == ("as predicted", "level 0 but at walls")


def test_the_first_batch_is_no_measure_of_time(cities: Path) -> None:
    predictor = PipelinePredictor("model", tiny_regression(PLAIN, map_shape=(48, 48)), origin={"model": "run"})
    first, second = examples_of(cities).batches(5)
    predictor.predict(first)
    assert "seconds_per_map" not in predictor.facts()
    predictor.predict(second)
    assert predictor.num_maps == 3
    assert predictor.facts()["seconds_per_map"] == predictor.seconds / 3
    assert predictor.facts()["model"] == "run"


def test_windows_that_a_model_cannot_have_are_known_before_it_predicts() -> None:
    pipeline = tiny_regression(PLAIN, map_shape=(48, 48))
    PipelinePredictor("model", pipeline).check((48, 48))
    odd = pipeline.sizes.multiple + 1
    with pytest.raises(ConfigError, match="window must be multiples"):
        PipelinePredictor("model", pipeline, None, DrawSettings(window=odd)).check((48, 48))
    with pytest.raises(ConfigError, match="works in windows must see"):
        PipelinePredictor("model", pipeline).check((96, 96))


def test_a_model_may_have_a_condition_of_its_own(cities: Path) -> None:
    torch.set_num_threads(1)
    base, own = examples_of(cities), examples_of(cities, geometry=("los_mask",), geometry_cache=None)
    pipeline = tiny_regression((*PLAIN, "los_mask"), map_shape=(48, 48))
    evaluation = Evaluation(base, [StandIn("truth", truth), PipelinePredictor("regression", pipeline, own.source)])
    list(evaluation.run())
    direct = PipelinePredictor("regression", pipeline, None)
    found = Evaluation(own, [direct])
    list(found.run())
    assert evaluation.report().predictors[1].means == found.report().predictors[0].means
    assert direct.facts()["kind"] == "regression"
    assert "num_inference_steps" not in direct.facts()


def test_models_must_predict_the_same_maps(cities: Path) -> None:
    base = examples_of(cities)
    pipeline = tiny_regression(PLAIN)
    others = [{"cars": True}, {"tx_per_map": 1}, {"size": 32}]
    for settings in others:
        source = open_data_set(RadioMapSeerConfig(root=cities, part="all", **settings))
        with pytest.raises((InputError, IndexError)):
            PipelinePredictor("other", pipeline, source).predict(next(base.batches(8)))
    source = open_data_set(RadioMapSeerConfig(root=cities, part="all", cars=True))
    with pytest.raises(InputError, match="must predict the same maps; got other: 0_0 and 0_0, or maps of another"):
        PipelinePredictor("other", pipeline, source).predict(next(base.batches(8)))


def test_models_of_two_scales_must_predict_the_same_maps(cities: Path) -> None:
    torch.set_num_threads(1)
    base = examples_of(cities)
    pipeline = tiny_regression(PLAIN, scale="thresholded", map_shape=(48, 48))
    for cars in (False, True):
        config = RadioMapSeerConfig(root=cities, part="all", scale="thresholded", cars=cars, cars_channel="cars")
        predictor = PipelinePredictor("other", pipeline, open_data_set(config))
        evaluation = Evaluation(base, [predictor], scale="thresholded")
        if cars:
            with pytest.raises(InputError, match="must predict the same maps"):
                list(evaluation.run())
        else:
            assert len(list(evaluation.run())) == 8
