"""With buildings missing from the input, engines and models see the same scene, and are compared with the whole one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation_cases import examples_of
from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.data.missing_layers import draw_missing
from radiodiff.data.radiomapseer import PackSettings, pack_data_set
from radiodiff.data.splits import Split
from radiodiff.errors import InputError
from radiodiff.evaluation.condition_clock import ConditionClock
from radiodiff.evaluation.engine_predictor import EnginePredictor
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.layouts import CitySettings
from radiodiff.pipeline.condition import SceneEncoder
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.propagation import OverRoofs, make_engine
from radiodiff.scene import Scene, Transmitter
from tiny_pipelines import tiny_encoding


@pytest.fixture(scope="module")
def roofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two maps with two transmitters above roofs each: a folder, packed without and with images of missing buildings.

    Not to be changed.
    """
    root = tmp_path_factory.mktemp("roofs")
    city = CitySettings(rows=64, cols=64, style="houses")
    list(create_data_set(root / "tree", CreateSettings(2, 2, 3, city=city, scenario="rooftop", missing_variants=1)))
    Split("all", {"all": (0, 1)}).write(root / "tree/split.json")
    list(pack_data_set(root / "tree", root / "packed"))
    list(pack_data_set(root / "tree", root / "images", PackSettings(layers=("buildings_missing*",))))
    return root


def lacking(root: Path, count: int = 4, variant: int = 1, **settings: Any) -> EvaluationExamples:
    buildings = {"layer": "missing", "count": count, "variant": variant}
    return examples_of(root, buildings=buildings, **settings)


def left_scene(examples: EvaluationExamples, map_id: int) -> Scene:
    """The scene without the buildings that are left out."""
    shown, scene = examples.config.buildings, examples.source.store.scene("buildings_complete", map_id)
    left_out = draw_missing(len(scene.footprints), shown.count, shown.variant, (0, map_id))
    kept = [one for i, one in enumerate(scene.footprints) if i not in left_out]
    return Scene.from_footprints(scene.grid, kept)


def draw_below_a_transmitter(root: Path) -> tuple[EvaluationExamples, int]:
    """A draw that leaves out the building below a transmitter, and the number of its example."""
    for variant in range(1, 7):
        examples = lacking(root, 4, variant)
        for number in examples.numbers:
            one = examples.source[number]
            whole = examples.source.store.scene("buildings_complete", one.map_id)
            if whole.buildings[one.tx] and not left_scene(examples, one.map_id).buildings[one.tx]:
                return examples, number
    raise AssertionError("no draw leaves out a building below a transmitter")


def test_an_engine_sees_the_scene_without_these_buildings(roofs: Path) -> None:
    examples, whole = lacking(roofs / "packed"), examples_of(roofs / "packed")
    (batch,), (other,) = examples.batches(4), whole.batches(4)
    found = EnginePredictor(OverRoofs(), examples).predict(batch)
    before = EnginePredictor(OverRoofs(), whole).predict(other)
    store = examples.source.store
    for i, map_id in enumerate(batch.map_id.tolist()):
        scene = left_scene(examples, map_id)
        height_m = float(store.tx_heights_m(map_id)[int(batch.tx_id[i])])
        row, col = batch.tx[i].tolist()
        tx = Transmitter.at_cell(scene.grid, col, row, height_m=height_m, frequency_hz=store.frequency_hz)
        path_loss_db = OverRoofs().radio_map(scene, tx).path_loss_db
        expected = RADIOMAPSEER_GREY.to_level(path_loss_db, thresholded=False)
        np.testing.assert_allclose(found[i][0], expected, atol=1e-6)
        assert not np.allclose(found[i], before[i], atol=1e-3)


@pytest.mark.parametrize("name", ["free-space", "log-distance", "umi", "over-roofs", "dominant-path"])
def test_a_transmitter_above_a_roof_that_is_left_out_keeps_its_height(roofs: Path, name: str) -> None:
    examples, number = draw_below_a_transmitter(roofs / "packed")
    one = EvaluationExamples(examples.source, examples.config, [number], examples.finder)
    (batch,) = one.batches(1)
    (levels,) = EnginePredictor(make_engine(name), one).predict(batch)
    assert np.isfinite(levels).all()
    # It is outdoors now.
    assert levels[0][tuple(batch.tx[0].tolist())] > 0


def test_truth_and_regions_are_those_of_the_whole_scene(roofs: Path) -> None:
    examples, whole = lacking(roofs / "packed"), examples_of(roofs / "packed")
    (batch,), (other,) = examples.batches(4), whole.batches(4)
    assert not np.array_equal(batch.condition, other.condition)
    for one, two in zip(examples.true_maps(batch, "raw"), whole.true_maps(other, "raw"), strict=True):
        np.testing.assert_array_equal(one.levels, two.levels)
        assert one.regions.keys() == two.regions.keys()
        for name in one.regions:
            np.testing.assert_array_equal(one.regions[name], two.regions[name])


def test_the_time_of_a_condition_is_that_of_the_scene_that_is_shown(
    roofs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = PipelineRecord("regression", tiny_encoding(("buildings", "los_mask")), "raw", {"kind": "radiomapseer"})
    seen: list[Scene] = []
    monkeypatch.setattr(SceneEncoder, "condition", lambda self, scene, tx: seen.append(scene))
    for examples in (lacking(roofs / "packed"), examples_of(roofs / "images", buildings={"layer": "missing"})):
        clock = ConditionClock.of(record, examples)
        assert clock is not None
        clock.take(next(examples.batches(1)), counts=True)
    whole = examples_of(roofs / "packed").source.store.scene("buildings_complete", 0)
    np.testing.assert_array_equal(seen[0].buildings, left_scene(lacking(roofs / "packed"), 0).buildings)
    # Where they are drawn, it is that of all buildings.
    np.testing.assert_array_equal(seen[1].buildings, whole.buildings)


@pytest.mark.parametrize("change", [{"count": "random"}, {"variant": "random"}, {"share": 0.5}])
def test_buildings_that_are_drawn_for_each_example_are_refused(roofs: Path, change: dict[str, Any]) -> None:
    buildings = {"layer": "missing", "count": 2, "variant": 1} | change
    with pytest.raises(InputError, match=r"same in all examples.*Name count and variant"):
        EnginePredictor(OverRoofs(), examples_of(roofs / "images", buildings=buildings))


def test_engines_need_more_than_images_of_the_buildings_that_are_left(roofs: Path) -> None:
    with pytest.raises(InputError, match=r"need the outlines.*buildings_missing4/1 of .*packed as images"):
        EnginePredictor(OverRoofs(), lacking(roofs / "images"))
    assert EnginePredictor(OverRoofs(), lacking(roofs / "images", variant=2)).label == "over-roofs"
    assert EnginePredictor(OverRoofs(), lacking(roofs / "tree")).label == "over-roofs"


def test_what_is_missing_is_told(roofs: Path) -> None:
    whole, fixed = examples_of(roofs / "packed").facts(), lacking(roofs / "packed", 2, 3).facts()
    drawn = examples_of(roofs / "images", buildings={"layer": "missing"}).facts()
    assert (whole.buildings, fixed.buildings, drawn.buildings) == ("complete", "missing2/3", "missing")
    assert fixed.words == f"{whole.words}, input with buildings missing2/3"
