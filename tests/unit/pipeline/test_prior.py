"""Maps as the difference to a prior: what is learnt, and what is added back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from radiodiff.encoding import CHANNELS, Channel, Encoding, path_loss_channel
from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.bundle import bundle_model
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.measurements import Measurements
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.record import PipelineRecord, PriorRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.pipeline.training_range import TrainingRange
from radiodiff.pipeline.weights_digest import weights_digest
from radiodiff.scene import Grid, Scene, Transmitter
from tiny_pipelines import SCENE_NAMES, tiny_diffusion, tiny_encoding, tiny_regression

PATH = "dominant_path_gain_db"
NAMES = (*SCENE_NAMES, PATH)
BY_CHANNEL = PriorRecord(channel=PATH)


def conditions(count: int = 2, size: tuple[int, int] = (32, 32), names: tuple[str, ...] = NAMES) -> Tensor:
    return 2.0 * torch.rand((count, len(names), *size), generator=torch.Generator().manual_seed(1)) - 1.0


def silent(layer: nn.Module) -> None:
    """Have a layer give 0."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()


def silenced(pipeline: RadioMapPipeline) -> RadioMapPipeline:
    """A model whose networks say 0 of every map."""
    if isinstance(pipeline, RadioDiffPipeline):
        silent(pipeline.autoencoder.decoder.conv_out)
    else:
        assert isinstance(pipeline, RegressionPipeline)
        for parameter in pipeline.network.parameters():
            nn.init.zeros_(parameter)
    return pipeline


def by_regression(**changes: Any) -> tuple[RegressionPipeline, PriorRecord]:
    """A regression of two channels less than the model that it serves, in another order, with a prior of its own."""
    names = (PATH, "transmitter", "buildings", "log_distance_gain_db")
    mean = tiny_regression(names, seed=7, prior=PriorRecord(channel=PATH, scale=0.5))
    return mean, PriorRecord(model=mean.record, digest=weights_digest({"network": mean.network}), **changes)


def of_regression(**record: Any) -> tuple[RadioDiffPipeline, RegressionPipeline]:
    mean, prior = by_regression()
    return tiny_diffusion(NAMES, regression=mean.network, prior=prior, **record), mean


def model_of(kind: str, prior: PriorRecord | None = BY_CHANNEL, **record: Any) -> RadioMapPipeline:
    return (tiny_diffusion if kind == "diffusion" else tiny_regression)(NAMES, prior=prior, **record)


@pytest.mark.parametrize("kind", ["diffusion", "regression"])
@pytest.mark.parametrize("size", [(32, 32), (29, 45)])
def test_a_network_that_says_nothing_gives_the_prior(kind: str, size: tuple[int, int]) -> None:
    condition = conditions(size=size)
    found = silenced(model_of(kind)).predict(condition, window="whole")
    assert torch.equal(found[:, 0, 0], condition[:, NAMES.index(PATH)])


@pytest.mark.parametrize("kind", ["diffusion", "regression"])
@pytest.mark.parametrize("scale", [2.0, 0.3])
def test_a_map_is_the_prior_and_the_scaled_output(kind: str, scale: float) -> None:
    """In windows, too: those of the outputs are blended, the prior is added to the whole."""
    condition = conditions(size=(44, 40))
    with_prior, plain = (model_of(kind, prior) for prior in (PriorRecord(channel=PATH, scale=scale), None))
    for window in ("whole", "auto"):
        outputs, maps = (
            model.predict(condition, [torch.Generator().manual_seed(seed) for seed in (1, 2)], window=window)[:, 0, 0]
            for model in (plain, with_prior)
        )
        sum_of_both = condition[:, NAMES.index(PATH)] + scale * outputs
        inside = (outputs.abs() < 1.0) & (sum_of_both.abs() < 1.0)
        assert inside.float().mean() > 0.2
        torch.testing.assert_close(maps[inside], sum_of_both[inside], rtol=0.0, atol=1e-5)
        assert maps.abs().max() <= 1.0


def test_residuals_and_back_are_the_identity() -> None:
    prior = Prior(BY_CHANNEL, tiny_encoding(NAMES))
    target, maps = conditions(names=("a",)), conditions(names=("a",)).flip(0)
    residual = prior.residual(target, maps)
    assert residual.abs().max() <= 1.0
    torch.testing.assert_close(prior.added(residual, maps), target, rtol=0.0, atol=2.5e-7)


def test_residuals_beyond_a_smaller_scale_are_cut_off() -> None:
    prior = Prior(PriorRecord(channel=PATH, scale=0.5), tiny_encoding(NAMES))
    target, maps = torch.tensor([-1.0, 0.25, 1.0]), torch.zeros(3)
    assert prior.residual(target, maps).tolist() == [-1.0, 0.5, 1.0]
    assert prior.added(prior.residual(target, maps), maps).tolist() == [-0.5, 0.25, 0.5]


@pytest.mark.parametrize("scale", ["raw", "thresholded"])
@pytest.mark.parametrize("name", [PATH, "over_roofs_gain_db", "log_distance_gain_db", "free_space_loss_db"])
def test_channels_of_other_ranges_become_maps_by_their_decibels(scale: str, name: str) -> None:
    channel = (CHANNELS | {"free_space_loss_db": Channel("free_space_loss_db", 160.0, 13.0)})[name]
    target = path_loss_channel(scale)  # type: ignore[arg-type]
    condition = conditions(names=(name,))
    found = Prior(PriorRecord(channel=name), Encoding((channel,), target)).maps(condition)
    decibels = channel.decode(condition.numpy())
    expected = target.encode(decibels if name == "free_space_loss_db" else -decibels)
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0.0, atol=1e-6)
    # What has no value is -1 on both.
    assert (
        Prior(PriorRecord(channel=name), Encoding((channel,), target)).maps(torch.full((1, 1, 2, 2), -1.0)) == -1
    ).all()


def test_a_regression_is_the_mean_of_what_is_drawn() -> None:
    model, mean = of_regression()
    condition = conditions(size=(44, 40))
    own = condition[:, [NAMES.index(name) for name in mean.record.encoding.names]]
    for window in ("whole", "auto"):
        expected = mean.predict(own, window=window)
        found = silenced(of_regression()[0]).predict(condition, window=window, num_draws=2)
        assert torch.equal(found, expected.expand(-1, 2, -1, -1, -1))
        assert not torch.equal(model.predict(condition, window=window), expected)
    # The network of the regression is in training still, and learns nothing from it.
    assert mean.network.training == model.networks["regression"].training


def test_measured_points_are_met_with_a_prior() -> None:
    cells = [(3, 4), (20, 25), (10, 12)]
    points = Measurements(cells, [90.0, 120.0, 100.0], noise_db=0.01)
    without = torch.full((2, len(NAMES), 32, 32), -1.0)
    without[:, 1:] = conditions()[:, 1:]
    for model in (of_regression()[0], model_of("diffusion"), model_of("regression")):
        steps = 2 if model.kind == "diffusion" else 1
        # The first map has none: the rows of those that have are not the first ones.
        found = model.predict(without, measurements=[None, points], num_inference_steps=steps)
        decoded = model.record.encoding.decode_target(found[1, 0, 0].numpy())
        assert [decoded[cell] for cell in cells] == pytest.approx([90.0, 120.0, 100.0], abs=1.0)


def test_networks_in_another_runtime_give_differences_too() -> None:
    model = tiny_regression(NAMES, prior=BY_CHANNEL)
    expected = model.predict(conditions())

    class Graphs:
        def run(self, name: str, map_shape: tuple[int, int], *tensors: Tensor) -> tuple[Tensor, ...]:
            return (model.network(*tensors),)

    model.graphs = Graphs()
    assert torch.equal(model.predict(conditions()), expected)


def test_scenes_and_ensembles_are_as_with_any_model() -> None:
    scene = Scene.from_footprints(Grid(32, 32), [])
    found = silenced(model_of("diffusion"))(scene, Transmitter.at_cell(scene.grid, col=5, row=6), num_draws=2)
    assert found.ensemble is not None
    assert found.ensemble.std_db.max() == 0.0


@pytest.mark.parametrize("kind", ["diffusion", "regression"])
def test_a_saved_model_has_its_prior(kind: str, tmp_path: Path) -> None:
    model = of_regression()[0] if kind == "diffusion" else model_of("regression")
    model.save_pretrained(tmp_path / "model")
    found = load_pipeline(tmp_path / "model")
    assert found.record == model.record
    seeds = [[torch.Generator().manual_seed(seed) for seed in (1, 2)] for _ in range(2)]
    assert torch.equal(found.predict(conditions(), seeds[0]), model.predict(conditions(), seeds[1]))
    assert (tmp_path / "model/regression").is_dir() == (kind == "diffusion")


def test_without_a_prior_a_folder_is_what_it_was(tmp_path: Path) -> None:
    tiny_diffusion().save_pretrained(tmp_path / "model")
    assert "regression" not in json.loads((tmp_path / "model/model_index.json").read_text(encoding="utf-8"))
    record = json.loads((tmp_path / "model/radiodiff.json").read_text(encoding="utf-8"))
    assert record["version"] == 1
    assert "prior" not in record
    # An older reader must not take residuals for maps.
    assert replace(tiny_encoded(), prior=BY_CHANNEL).to_dict()["version"] == 2


def tiny_encoded() -> PipelineRecord:
    return tiny_diffusion(NAMES).record


def test_a_bundle_carries_the_regression(tmp_path: Path) -> None:
    model, _ = of_regression()
    bundle_model(model, tmp_path / "bundle", TrainingRange.of_record(model.record))
    found = load_pipeline(tmp_path / "bundle")
    assert set(found.networks) == {"autoencoder", "unet", "regression"}
    seeds = [[torch.Generator().manual_seed(seed) for seed in (1, 2)] for _ in range(2)]
    torch.testing.assert_close(
        found.predict(conditions(), seeds[0]), model.predict(conditions(), seeds[1]), rtol=0.0, atol=0.02
    )


def test_a_folder_without_the_regression_is_refused(tmp_path: Path) -> None:
    of_regression()[0].save_pretrained(tmp_path / "model")
    (tmp_path / "model/regression").rename(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match=r"must have the components .*regression"):
        load_pipeline(tmp_path / "model")


def test_what_does_not_fit_is_refused() -> None:
    mean, record = by_regression()
    with pytest.raises(InputError, match="must hold the channels that the prior is made of"):
        tiny_regression(SCENE_NAMES, prior=BY_CHANNEL)
    with pytest.raises(InputError, match="a gain or a path loss in dB"):
        tiny_regression(SCENE_NAMES, prior=PriorRecord(channel="los_mask"))
    with pytest.raises(InputError, match="a gain or a path loss in dB"):
        tiny_regression(prior=PriorRecord(channel="measured_path_loss_db"), names=("measured_path_loss_db",))
    with pytest.raises(InputError, match=r"without dominant_path_gain_db \(or with another range"):
        tiny_diffusion(SCENE_NAMES, regression=mean.network, prior=record)
    with pytest.raises(InputError, match="must have the network of its regression"):
        tiny_diffusion(NAMES, prior=record)
    thresholded = tiny_encoding(NAMES, "thresholded")
    with pytest.raises(InputError, match="must have the target of the maps"):
        tiny_diffusion(encoding=thresholded, scale="thresholded", regression=mean.network, prior=record)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"channel": PATH, "model": tiny_regression().record},
        {"model": tiny_encoded()},
        {"channel": PATH, "scale": 0},
    ],
)
def test_a_record_names_one_prior(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="PriorRecord must name a channel or hold the record of a regression"):
        PriorRecord(**fields)


def test_a_record_comes_back() -> None:
    _, prior = by_regression(scale=0.5)
    record = replace(tiny_encoded(), prior=prior)
    assert PipelineRecord.from_dict(json.loads(record.to_json())) == record
