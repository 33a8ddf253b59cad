"""Evaluations of stand-ins, against the metrics one by one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation_cases import REGION_CONFIG, StandIn, examples_of, truth
from radiodiff.errors import InputError
from radiodiff.evaluation.config import BootstrapConfig
from radiodiff.evaluation.evaluate import Evaluation, EvaluationReport
from radiodiff.evaluation.overview import draw_overview
from radiodiff.evaluation.regions import REGIONS, RegionFinder
from radiodiff.metrics import compare_draws, compare_grey_maps

RNG = np.random.default_rng(8)
NOISE = 0.1 * RNG.standard_normal((8, 3, 48, 48))


def noisy(batch) -> np.ndarray:
    """Three draws around the truth."""
    numbers = [number for number, _ in batch.draws]
    return np.clip(truth(batch)[:, None] + NOISE[numbers], 0.0, 1.0)


def brighter(batch) -> np.ndarray:
    return np.minimum(truth(batch) + 0.05, 1.0)


def evaluated(evaluation: Evaluation, batch_size: int = 3) -> EvaluationReport:
    assert len(list(evaluation.run(batch_size))) == len(evaluation.examples.numbers)
    return evaluation.report()


def test_the_truth_has_no_error(cities: Path) -> None:
    report = evaluated(Evaluation(examples_of(cities), [StandIn("truth", truth)]))
    found = report.predictors[0]
    for region in REGIONS:
        prefix = "" if region == "all" else f"{region}/"
        for name in ("mse", "mae", "rmse", "nmse", "relative_error", "rmse_db", "brightest_point_distance"):
            assert found.means[f"{prefix}{name}"].value == 0.0
        assert found.means[f"{prefix}sharpness_ratio"].value == 1.0
        assert found.pooled[f"{prefix}rmse"].value == 0.0
        # There is no noise to compare the peak with.
        assert f"{prefix}psnr" not in found.means
    assert found.means["ssim"].value == pytest.approx(1.0)
    assert found.means["rmse"].interval == (0.0, 0.0)


def test_figures_are_those_of_the_metrics_in_each_region(cities: Path) -> None:
    examples = examples_of(cities)
    evaluation = Evaluation(examples, [StandIn("noisy", noisy)])
    report = evaluated(evaluation)
    rows = evaluation.sheets[0].rows
    assert [row.name for row in rows] == examples.names
    finder = RegionFinder(REGION_CONFIG)
    for number, row in enumerate(rows):
        example = examples.source[number]
        levels = (example.target[0].astype(np.float64) + 1.0) / 2.0
        draws = np.clip(levels + NOISE[number], 0.0, 1.0)
        regions = finder.regions((48, 48), example.condition[0] > 0, example.tx)
        for region, mask in regions.items():
            assert mask.any()
            expected = compare_grey_maps(draws.mean(axis=0), levels, mask, span_db=99.16)
            expected |= compare_draws(draws, levels, mask, resolution=0.5 / 255, span_db=99.16)
            prefix = "" if region == "all" else f"{region}/"
            found = {name: value for name, value in row.figures.items() if name.rpartition("/")[0] == prefix[:-1]}
            assert found == pytest.approx({f"{prefix}{name}": value for name, value in expected.items()}, rel=1e-6)
        assert (row.map_id, row.tx_id) == (example.map_id, example.tx_id)
    means = report.predictors[0].means
    for name in ("rmse", "los/ssim", "far/crps_db", "outdoor/spearman"):
        assert means[name].value == pytest.approx(np.mean([row.figures[name] for row in rows if name in row.figures]))
    assert report.num_cells["all"] == 8 * 48 * 48
    assert report.num_cells["los"] + report.num_cells["nlos"] == report.num_cells["outdoor"]
    assert report.num_cities == 4


def test_pooled_figures_count_each_cell_once(cities: Path) -> None:
    examples = examples_of(cities)
    report = evaluated(Evaluation(examples, [StandIn("brighter", brighter)]))
    levels = np.stack([(examples.source[i].target[0].astype(np.float64) + 1) / 2 for i in range(8)])
    outdoors = np.stack([examples.source[i].condition[0] for i in range(8)]) < 0
    error = np.minimum(levels + 0.05, 1.0) - levels
    pooled = {name: figure.value for name, figure in report.predictors[0].pooled.items()}
    assert pooled["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert pooled["outdoor/mse"] == pytest.approx((error[outdoors] ** 2).mean())
    assert pooled["outdoor/mae_db"] == pytest.approx(99.16 * error[outdoors].mean())
    assert pooled["outdoor/nmse"] == pytest.approx((error[outdoors] ** 2).sum() / (levels[outdoors] ** 2).sum())
    low, high = report.predictors[0].pooled["outdoor/rmse_db"].interval
    assert low <= pooled["outdoor/rmse_db"] <= high


def test_the_same_figures_whatever_the_batches(cities: Path) -> None:
    reports = [evaluated(Evaluation(examples_of(cities), [StandIn("noisy", noisy)]), size) for size in (1, 8)]
    assert reports[0].predictors[0].means == reports[1].predictors[0].means


def test_predictors_are_compared_on_the_same_resamples(cities: Path) -> None:
    evaluation = Evaluation(
        examples_of(cities),
        [
            StandIn("half", lambda batch: truth(batch) + 0.02),
            StandIn("full", lambda batch: truth(batch) + 0.04),
            StandIn("brighter", brighter),
        ],
    )
    half, full, _ = evaluated(evaluation).predictors
    assert half.ratios == {}
    # Twice the error everywhere: the ratio does not vary, whichever cities are drawn.
    assert full.ratios["outdoor"].value == pytest.approx(2.0)
    assert full.ratios["outdoor"].interval == pytest.approx((2.0, 2.0))


def test_nothing_is_compared_with_a_perfect_predictor(cities: Path) -> None:
    evaluation = Evaluation(examples_of(cities), [StandIn("truth", truth), StandIn("brighter", brighter)])
    assert evaluated(evaluation).predictors[1].ratios == {}


def test_thresholded_figures_of_raw_maps_are_those_of_thresholded_maps(cities: Path) -> None:
    """The same predictions, read on the thresholded scale together with the truth."""
    of_raw = Evaluation(examples_of(cities), [StandIn("noisy", noisy)], scale="thresholded")
    floor = [np.maximum(0.0, (np.clip(np.linspace(0, 1, 11), 0, 1) - 0.2) / 0.8)]
    assert floor[0][:3].tolist() == [0.0, 0.0, 0.0]

    def thresholded(batch) -> np.ndarray:
        raw = np.stack([raw_source[number].target[0] for number, _ in batch.draws]).astype(np.float64)
        drawn = np.clip((raw[:, None] + 1) / 2 + NOISE[[number for number, _ in batch.draws]], 0.0, 1.0)
        return np.maximum(0.0, (drawn - 0.2) / 0.8)

    raw_source = examples_of(cities).source
    own = Evaluation(examples_of(cities, scale="thresholded"), [StandIn("noisy", thresholded, scale="thresholded")])
    found, expected = (evaluated(evaluation).predictors[0].means for evaluation in (of_raw, own))
    assert list(found) == list(expected)
    for name, figure in found.items():
        if not name.rpartition("/")[2].startswith(("spearman", "coverage")):
            assert figure.value == pytest.approx(expected[name].value, rel=1e-5), name
    # Steps of 1/255 are steps of 1/204 on the thresholded scale.
    batch = next(own.examples.batches(8))
    for row, draws, levels in zip(own.sheets[0].rows, thresholded(batch), truth(batch), strict=True):
        assert row.figures["coverage_90"] == compare_draws(draws, levels, resolution=0.5 / 204)["coverage_90"]
    assert found["rmse_db"].value == pytest.approx(79.328 * found["rmse"].value)


def test_raw_and_thresholded_levels_are_never_mixed(cities: Path) -> None:
    for scale, data_scale, wanted in (("thresholded", "raw", None), ("thresholded", "raw", "raw"), ("db", "raw", None)):
        with pytest.raises(InputError, match=rf"the raw scale for other on the {scale} scale.*must not be mixed"):
            Evaluation(examples_of(cities, scale=data_scale), [StandIn("other", truth, scale=scale)], scale=wanted)
    with pytest.raises(InputError, match="the raw scale for maps on the thresholded scale"):
        Evaluation(examples_of(cities, scale="thresholded"), [StandIn("a", truth, scale="thresholded")], scale="raw")
    # Raw predictions of thresholded data are thresholded, which loses nothing that counts.
    evaluation = Evaluation(
        examples_of(cities, scale="thresholded"), [StandIn("raw", lambda b: 0.2 + 0.8 * truth(b), scale="raw")]
    )
    assert evaluated(evaluation).predictors[0].means["rmse"].value == pytest.approx(0.0, abs=1e-12)


def test_buildings_that_a_condition_leaves_out_are_no_outdoors(cities: Path) -> None:
    layer = {"layer": "missing", "count": 4, "variant": 1}
    whole, partly = (
        evaluated(Evaluation(examples_of(cities, **settings), [StandIn("noisy", noisy)]))
        for settings in ({}, {"buildings": layer})
    )
    shown = [examples_of(cities, buildings=layer).source[i].condition[0] for i in (0, 2)]
    complete = [examples_of(cities).source[i].condition[0] for i in (0, 2)]
    assert any((s != c).any() for s, c in zip(shown, complete, strict=True))
    assert whole.num_cells == partly.num_cells
    assert whole.predictors[0].means == partly.predictors[0].means


def test_the_protocol_is_said(cities: Path) -> None:
    settings = {"num_inference_steps": 5, "num_draws": 3, "seed": 7, "is_stochastic": True, "seconds_per_map": 0.25}
    predictor = StandIn("model", noisy, facts={"kind": "diffusion", **settings})
    evaluation = Evaluation(examples_of(cities), [predictor], bootstrap=BootstrapConfig(num_resamples=200, seed=4))
    protocol = evaluated(evaluation).protocol
    assert protocol["data"] == "made-up maps DPM, part all of split fake"
    assert protocol["maps"] == "8 maps of 4 cities"
    assert protocol["scale"] == "raw; levels g in [0, 1] are path_loss_db 147 to 47.84, 0 to 1 is 99.16 dB"
    assert "pooled: all cells" in protocol["averaging"]
    assert protocol["interval"] == "95% of 200 resamples of whole cities, seed 4, too narrow for so few"
    assert protocol["rounding"] == (
        "true maps have steps of 0.389 dB; a truth up to half a step beside an interval of draws counts as inside"
    )
    assert protocol["all"] == "all cells of the map: 18432"
    assert protocol["far"].startswith("outdoor cells more than 20 cells from the transmitter: ")
    assert protocol["model"] == (
        "diffusion, 5 stochastic steps, mean of 3 draws, seed 7 (between the 5 % and 95 % quantiles of 3 draws of the "
        "right law lie 45%), 0.25 s per map without the first batch"
    )


def test_a_share_of_the_maps_is_said_to_be_one(cities: Path) -> None:
    examples = examples_of(cities)
    some = type(examples)(examples.source, examples.config, [0, 1], examples.finder)
    report = evaluated(Evaluation(some, [StandIn("noisy", noisy)], scale="thresholded"))
    assert report.protocol["data"].endswith("part all of split fake, 2 of its 8 maps")
    assert report.protocol["maps"] == "2 maps of 1 city"
    assert report.protocol["interval"] == "none: one city cannot be resampled"
    assert report.protocol["scale"].startswith("thresholded (made of raw maps); ")
    assert report.predictors[0].means["rmse"].interval is None


def test_predictors_have_names_of_their_own(cities: Path) -> None:
    for predictors in ([], [StandIn("a", truth), StandIn("a", noisy)]):
        with pytest.raises(InputError, match="each needs a name of its own"):
            Evaluation(examples_of(cities), predictors)


def test_a_prediction_must_cover_its_map(cities: Path) -> None:
    evaluation = Evaluation(examples_of(cities), [StandIn("small", lambda batch: truth(batch)[..., 1:])])
    with pytest.raises(InputError, match=r"must have the 48 x 48 cells.*for 0_0"):
        list(evaluation.run())


def test_the_overview_shows_each_predictor(cities: Path, tmp_path: Path) -> None:
    predictors = [StandIn("noisy", noisy), StandIn("brighter", brighter)]
    evaluation = Evaluation(examples_of(cities), predictors, num_previews=2)
    reports = evaluated(evaluation).predictors
    assert [preview.true.name for preview in reports[0].sheet.previews] == ["1_0", "3_0"]
    path = draw_overview(reports, tmp_path / "overview.png")
    with Image.open(path) as image:
        assert image.height > 4 * 250
