"""Radio maps of scenes and transmitters by a model."""

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from shapely import box

from radiodiff.encoding import CHANNELS, Channel, Encoding
from radiodiff.errors import ConfigError, GridError, InputError, SceneError, TransmitterError
from radiodiff.pipeline.condition import scene_condition
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.measurements import Measurements
from radiodiff.propagation import GeometrySolver
from radiodiff.radio_map import RadioMap
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from tiny_pipelines import SCENE_NAMES, tiny_diffusion, tiny_encoding, tiny_regression

GRID = Grid(32, 32)
SCENE = Scene.from_footprints(GRID, [Footprint(box(4, 5, 12, 14)), Footprint(box(18, 12, 25, 20))])
OTHER = Scene.from_footprints(Grid(24, 30), [Footprint(box(4, 5, 12, 14))])
TX = Transmitter.at_cell(GRID, 15, 8)
TXS = [TX, Transmitter.at_cell(GRID, 2, 2), Transmitter.at_cell(GRID, 20, 9)]
ROUNDING_DB = 2e-3
"""Batches of other sizes are added up in another order."""


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def diffusion() -> RadioDiffPipeline:
    pipeline = tiny_diffusion()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_a_map_is_the_mean_of_its_draws_in_db(diffusion: RadioDiffPipeline) -> None:
    found = diffusion(SCENE, TX, num_draws=5, generator=seeded(3), return_draws=True, quantiles=(0.1, 0.5))
    encoding = diffusion.record.encoding
    condition = torch.from_numpy(scene_condition(encoding, {}, SCENE, TX))[None]
    draws = encoding.decode_target(diffusion.predict(condition, [seeded(3)], num_draws=5)[0, :, 0].numpy())
    outdoors = ~SCENE.buildings
    ensemble = found.ensemble
    assert ensemble is not None
    assert ensemble.draws_db is not None
    np.testing.assert_allclose(found.path_loss_db[outdoors], draws.mean(0)[outdoors], atol=1e-4)
    np.testing.assert_allclose(ensemble.std_db[outdoors], draws.std(0, ddof=1)[outdoors], atol=1e-4)
    np.testing.assert_allclose(ensemble.draws_db[:, outdoors], draws[:, outdoors], atol=1e-4)
    np.testing.assert_allclose(ensemble.quantiles_db[0.5][outdoors], np.median(draws, 0)[outdoors], atol=1e-4)
    assert list(ensemble.quantiles_db) == [0.1, 0.5]
    for array in (found.path_loss_db, ensemble.std_db, ensemble.draws_db[2], ensemble.quantiles_db[0.1]):
        np.testing.assert_array_equal(np.isnan(array), SCENE.buildings)


def test_a_map_says_where_it_comes_from(diffusion: RadioDiffPipeline) -> None:
    found = diffusion(SCENE, TX, num_inference_steps=2, num_draws=3, generator=seeded(11))
    assert (found.grid, found.tx, found.scene) == (GRID, TX, SCENE)
    assert found.meta == {
        "model": "RadioDiffPipeline",
        "num_inference_steps": 2,
        "num_draws": 3,
        "is_stochastic": True,
        "seed": 11,
        "num_measurements": 0,
    }
    assert found.producer.startswith("model RadioDiffPipeline, num_inference_steps 2, num_draws 3")
    json.dumps(found.meta)


def test_one_draw_has_no_ensemble(diffusion: RadioDiffPipeline) -> None:
    assert diffusion(SCENE, TX).ensemble is None


def test_a_single_draw_cannot_be_kept(diffusion: RadioDiffPipeline) -> None:
    with pytest.raises(ConfigError, match="return_draws must be with num_draws of at least 2; got num_draws=1"):
        diffusion(SCENE, TX, return_draws=True)


def test_draws_are_kept_where_they_are_wanted(diffusion: RadioDiffPipeline) -> None:
    ensemble = diffusion(SCENE, TX, num_draws=2).ensemble
    assert ensemble is not None
    assert ensemble.draws_db is None
    assert list(ensemble.quantiles_db) == [0.05, 0.5, 0.95]


def same(first: RadioMap, second: RadioMap) -> None:
    np.testing.assert_allclose(first.path_loss_db, second.path_loss_db, atol=ROUNDING_DB)


def test_many_transmitters_many_scenes_or_pairs(diffusion: RadioDiffPipeline) -> None:
    one_by_one = [diffusion(SCENE, tx, generator=seeded(i)) for i, tx in enumerate(TXS)]
    together = diffusion(SCENE, TXS, generator=[seeded(i) for i in range(3)])
    in_pairs = diffusion([SCENE] * 3, TXS, generator=[seeded(i) for i in range(3)], batch_size=2)
    for alone, first, second in zip(one_by_one, together, in_pairs, strict=True):
        assert alone.tx == first.tx == second.tx
        same(alone, first)
        same(alone, second)
    two_scenes = diffusion([SCENE, OTHER], TX, generator=[seeded(0), seeded(5)])
    same(two_scenes[0], one_by_one[0])
    same(two_scenes[1], diffusion(OTHER, TX, generator=seeded(5)))
    assert isinstance(diffusion([SCENE], TX), list)
    assert isinstance(diffusion(SCENE, (TX,)), list)


def test_sizes_may_be_mixed_and_keep_their_order(diffusion: RadioDiffPipeline) -> None:
    found = diffusion([SCENE, OTHER, SCENE], [TX, TX, TXS[1]])
    assert [radio_map.grid.shape for radio_map in found] == [(32, 32), (24, 30), (32, 32)]
    assert [radio_map.tx for radio_map in found] == [TX, TX, TXS[1]]


def test_transmitters_share_the_corners_of_their_scene(
    diffusion: RadioDiffPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    original = GeometrySolver.__init__

    def count(self: GeometrySolver, scene: Scene, *arguments: Any) -> None:
        made.append(scene.footprints)
        original(self, scene, *arguments)

    monkeypatch.setattr(GeometrySolver, "__init__", count)
    diffusion(SCENE, TXS)
    assert made == [SCENE.footprints]


def test_a_generator_of_several_maps_gives_each_a_seed(diffusion: RadioDiffPipeline) -> None:
    first, second = (diffusion(SCENE, TXS, generator=seeded(5)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.path_loss_db, other.path_loss_db, equal_nan=True)
    assert len({radio_map.meta["seed"] for radio_map in first}) == 3


@pytest.mark.parametrize("given", [None, "generator"])
def test_the_seed_on_record_makes_the_map_again(diffusion: RadioDiffPipeline, given: str | None) -> None:
    found = diffusion(SCENE, TXS, num_draws=2, generator=None if given is None else seeded(1))
    for tx, radio_map in zip(TXS, found, strict=True):
        again, other = (
            diffusion(SCENE, tx, num_draws=2, generator=seeded(radio_map.meta["seed"] + step)).path_loss_db
            for step in (0, 1)
        )
        np.testing.assert_allclose(again, radio_map.path_loss_db, atol=ROUNDING_DB)
        assert np.nanmax(np.abs(other - again)) > 10.0 * ROUNDING_DB


def test_a_generator_that_has_moved_on_has_no_seed_to_record(diffusion: RadioDiffPipeline) -> None:
    generator = seeded(7)
    assert diffusion(SCENE, TX, generator=generator).meta["seed"] == 7
    assert diffusion(SCENE, TX, generator=generator).meta["seed"] is None


def test_fresh_seeds_differ_and_leave_the_global_state(diffusion: RadioDiffPipeline) -> None:
    before = torch.get_rng_state()
    first, second = diffusion(SCENE, TX), diffusion(SCENE, TX)
    assert first.meta["seed"] != second.meta["seed"]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_regression_gives_one_map_and_nothing_more() -> None:
    pipeline = tiny_regression()
    found = pipeline(SCENE, TX)
    assert found.ensemble is None
    same(found, pipeline(SCENE, TX))
    with pytest.raises(ConfigError, match="num_draws of a regression model must be 1"):
        pipeline(SCENE, TX, num_draws=2)


def test_a_large_scene_goes_through_in_windows(diffusion: RadioDiffPipeline) -> None:
    grid = Grid(40, 72)
    scene = Scene.from_footprints(grid, [Footprint(box(4, 5, 12, 14)), Footprint(box(50, 12, 60, 30))])
    windows: list[int] = []
    hook = diffusion.unet.register_forward_pre_hook(lambda _, arguments: windows.append(len(arguments[0])))
    found = diffusion(scene, TX, num_draws=2)
    hook.remove()
    assert found.path_loss_db.shape == (40, 72)
    assert windows == [12]


def test_points_correct_a_map(diffusion: RadioDiffPipeline) -> None:
    points = Measurements(np.array([[20, 5], [2, 28]]), np.array([90.0, 75.0]), noise_db=0.0)
    found = diffusion(SCENE, TXS[:2], measurements=[points, None], generator=[seeded(0), seeded(1)])
    plain = diffusion(SCENE, TXS[:2], generator=[seeded(0), seeded(1)])
    np.testing.assert_allclose(found[0].path_loss_db[[20, 2], [5, 28]], [90.0, 75.0], atol=0.05)
    assert abs(plain[0].path_loss_db[20, 5] - 90.0) > 1.0
    same(found[1], plain[1])
    assert [radio_map.meta["num_measurements"] for radio_map in found] == [2, 0]
    assert np.array_equal(np.isnan(found[0].path_loss_db), SCENE.buildings)


def test_values_far_beyond_the_range_are_warned_of(diffusion: RadioDiffPipeline) -> None:
    target = diffusion.record.encoding.target
    cells = np.array([[20, 5], [2, 28], [3, 3]])
    near = Measurements(cells, np.array([target.high - 19.0, 80.0, target.low + 19.0]))
    far = Measurements(cells, np.array([80.0, target.low + 21.0, 1e9]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diffusion(SCENE, TX, measurements=near)
    fault = "; 2 of 3 measured values lie far beyond.*: 1e[+]09 dB at row 3, column 3"
    with pytest.warns(UserWarning, match=fault) as caught:
        diffusion(SCENE, TXS[:2], measurements=[far, far])
    condition = torch.from_numpy(scene_condition(diffusion.record.encoding, {}, SCENE, TX))[None]
    with pytest.warns(UserWarning, match=f"^Map 0: .*{fault}") as in_predict:
        diffusion.predict(condition, measurements=[far])
    assert [warning.filename for warning in (*caught, *in_predict)] == [__file__] * 2


def test_a_model_of_measured_points_sees_them() -> None:
    names = (*SCENE_NAMES[:2], "measured_path_loss_db", "measurement_mask")
    pipeline = tiny_diffusion(names)
    points = Measurements(np.array([[20, 5]]), np.array([90.0]))
    found = pipeline(SCENE, TX, measurements=points, generator=seeded(0))
    condition = scene_condition(pipeline.record.encoding, {}, SCENE, TX, points)
    encoded = pipeline.predict(torch.from_numpy(condition)[None], [seeded(0)])[0, 0, 0].numpy()
    outdoors = ~SCENE.buildings
    decoded = pipeline.record.encoding.decode_target(encoded)
    np.testing.assert_allclose(found.path_loss_db[outdoors], decoded[outdoors], atol=1e-4)


@pytest.mark.parametrize(
    ("scene", "tx", "given", "fault"),
    [
        ([SCENE, SCENE], TXS, {}, "one with many, or as many of both, and at least one; got 2 and 3"),
        (SCENE, [], {}, "and at least one; got 0"),
        ([], TX, {}, "and at least one; got 0"),
        (SCENE, TXS, {"generator": [seeded(0)]}, "Generators must be one, or one for each map; got 1 for 3 maps"),
        (SCENE, TXS, {"measurements": [None]}, "Measurements must be given for each map.*got 1 for 3 maps"),
        (
            SCENE,
            TXS,
            {"measurements": Measurements(np.array([[0, 0]]), np.array([80.0]))},
            "Measurements must be given for each map.*got 1 for 3 maps",
        ),
        (SCENE, TX, {"num_draws": 3, "quantiles": (0.5, 1.5)}, r"Shares of quantiles must be in \[0, 1\]"),
    ],
)
def test_lists_must_fit(diffusion: RadioDiffPipeline, scene: Any, tx: Any, given: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        diffusion(scene, tx, **given)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("scene", "tx", "given", "fault"),
    [
        (None, TX, {}, r"Scenes must be radiodiff\.Scene; got None \(NoneType\)"),
        ([SCENE, GRID], TX, {}, r"Scenes must be .* \(Grid\)"),
        (SCENE, (3, 4), {}, r"Transmitters must be .*; got 3 \(int\)\. Make one: Transmitter\.at_cell"),
        (SCENE, None, {}, "Transmitters must be"),
        (SCENE, TX, {"generator": 3}, r"Generators must be torch\.Generator; got 3 \(int\)"),
        (SCENE, TXS[:2], {"generator": [3, 4]}, r"Generators must be torch\.Generator; got 3 \(int\)"),
        (SCENE, TX, {"measurements": {(3, 4): 80.0}}, r"Measurements must be radiodiff\.Measurements.*got a dict"),
        (SCENE, TXS[:2], {"measurements": [None, "80"]}, r"Measurements must be .*got a str"),
        (SCENE, TX, {"quantiles": 0.5}, r"must be a list of numbers; got 0\.5\. Write \(0\.05"),
        (SCENE, TX, {"quantiles": "0.5"}, r"must be a list of numbers; got '0\.5'"),
        (SCENE, TX, {"quantiles": ("0.5",)}, "must be a list of numbers"),
    ],
)
def test_what_is_of_another_kind_is_named(
    diffusion: RadioDiffPipeline, scene: Any, tx: Any, given: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        diffusion(scene, tx, **given)


@pytest.mark.parametrize("options", [{"num_inference_steps": 0}, {"num_draws": 0}, {"steps": 3}])
def test_options_are_checked_before_anything_else(diffusion: RadioDiffPipeline, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"num_inference_steps must|num_draws must|There is no key steps"):
        diffusion(SCENE, Transmitter.at_cell(GRID, 6, 7), **options)


@pytest.fixture
def untouched(diffusion: RadioDiffPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is used."""
    monkeypatch.setattr(diffusion.unet, "encode_condition", lambda _: pytest.fail("the network was used"))


@pytest.mark.usefixtures("untouched")
def test_a_fault_in_the_last_map_shows_before_the_first_is_made(diffusion: RadioDiffPipeline) -> None:
    with pytest.raises(TransmitterError, match=r"must stand outside the buildings.*got column 6, row 7"):
        diffusion(SCENE, [TX, Transmitter.at_cell(GRID, 6, 7)], batch_size=1)
    full = Scene(GRID, np.ones(GRID.shape, dtype=bool))
    with pytest.raises(SceneError, match="must have cells outside buildings"):
        diffusion([SCENE, full], TX)
    inside = Measurements(np.array([[7, 6]]), np.array([80.0]))
    with pytest.raises(InputError, match="must be outside buildings; got row 7, column 6"):
        diffusion(SCENE, TX, measurements=inside)
    outside = Measurements(np.array([[7, 32]]), np.array([80.0]))
    with pytest.raises(InputError, match="must be on the map of 32 x 32 cells; got row 7, column 32"):
        diffusion(SCENE, TX, measurements=outside)
    with pytest.raises(InputError, match=r"Shares of quantiles must be in \[0, 1\]"):
        diffusion(SCENE, TX, num_draws=2, quantiles=(5, 95))
    with pytest.raises(ConfigError, match="must be multiples of 8 cells"):
        diffusion(SCENE, TX, window=20)
    small = Scene.empty(Grid(3, 32))
    with pytest.raises(GridError, match="must have at least 4 rows and columns for this model; got 3 x 32 cells"):
        diffusion([SCENE, small], TX.at_cell(small.grid, 1, 1))


def test_cells_of_another_size_are_warned_of(diffusion: RadioDiffPipeline) -> None:
    grid = Grid(32, 32, 2.0)
    with pytest.warns(UserWarning, match="trained on cells of 1 m, the scene has cells of 2 m.*Resample") as caught:
        diffusion([Scene.empty(grid)] * 2, Transmitter.at_cell(grid, 5, 5))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny_diffusion(cell_size_m=None)(Scene.empty(grid), Transmitter.at_cell(grid, 5, 5))
        near = Grid(32, 32, 1.0 + 1e-9)
        diffusion(Scene.empty(near), Transmitter.at_cell(near, 5, 5))


def test_another_carrier_or_height_is_warned_of() -> None:
    pipeline = tiny_regression(frequency_hz=5.9e9, tx_height_m=1.5)
    txs = [replace(TX, frequency_hz=3.5e9), replace(TX, frequency_hz=3.5e9), replace(TX, height_m=25.0)]
    carrier = "trained for a carrier of 5.9 GHz, the transmitter has 3.5 GHz"
    with pytest.warns(UserWarning, match=carrier) as caught:
        pipeline(SCENE, txs[:2])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="trained for transmitters at 1.5 m, the transmitter stands at 25 m"):
        pipeline(SCENE, txs[2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline(SCENE, TX)
        tiny_regression()(SCENE, txs)


def test_a_model_of_resampled_maps_takes_no_scenes() -> None:
    pipeline = tiny_regression(is_resampled=True)
    with pytest.raises(ConfigError, match="from a model of maps in their own size; got a model of resampled maps"):
        pipeline(SCENE, TX)
    assert pipeline.predict(torch.zeros(1, 5, 32, 32)).shape == (1, 1, 1, 32, 32)


def test_models_of_other_things_give_no_radio_maps() -> None:
    edges = Encoding(tiny_encoding().condition, Channel("edges", 0.0, 1.0, is_mask=True))
    with pytest.raises(ConfigError, match=r"from a model of path loss; got a model of edges \(scale 'binary'\)"):
        tiny_diffusion(encoding=edges, scale="binary")(SCENE, TX)


def test_a_model_of_other_channels_is_named() -> None:
    encoding = Encoding((CHANNELS["buildings"], Channel("reflectance_db", 0, 40)), tiny_encoding().target)
    with pytest.raises(ConfigError, match="needs reflectance_db"):
        tiny_diffusion(encoding=encoding)(SCENE, TX)


def test_what_is_fast_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = tiny_diffusion()
    pipeline(SCENE, TX)
    assert capsys.readouterr().err == ""


def test_the_bar_counts_draws_and_steps(capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = tiny_diffusion()
    pipeline.set_progress_bar_config(delay=0)
    pipeline(SCENE, TXS, num_draws=2, num_inference_steps=4)
    shown = capsys.readouterr().err
    assert "RadioDiffPipeline: 100%" in shown
    assert "24/24" in shown
