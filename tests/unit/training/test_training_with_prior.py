"""Training of differences to a prior: each stage learns of residuals what it learns of maps."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.loader import BatchLoader
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set
from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError, InputError
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.latent_statistics import measure_latents
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.record import PipelineRecord, PriorRecord
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.pipeline.weights_digest import weights_digest
from radiodiff.training import latent_cache
from radiodiff.training.autoencoder_stage import AutoencoderParts, AutoencoderStage
from radiodiff.training.config import OptimizerConfig, TrainerConfig
from radiodiff.training.diffusion_stage import DiffusionStage
from radiodiff.training.fill_latents import fill_latents
from radiodiff.training.latent_cache import LatentCache
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_source import CachedExamples, check_first_stage, measure_scaling_factor
from radiodiff.training.regression_stage import RegressionStage
from radiodiff.training.run import make_accelerator
from radiodiff.training.stage import Stage
from second_stage import PlainPass, batch_of, diffusion_parts, make_city, regression_parts, small_autoencoder

PATH, FAR = "dominant_path_gain_db", "log_distance_gain_db"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_city(tmp_path_factory.mktemp("prior") / "city", num_maps=2, num_tx=2)


def opened(city: Path, **settings: Any) -> RepeatedTargets:
    known = {"geometry": (FAR,)} | settings
    return open_data_set(RadioMapSeerConfig(root=city, part="all", **known))


@pytest.fixture(scope="module")
def source(city: Path) -> RepeatedTargets:
    return opened(city)


def by_channel(source: RepeatedTargets, name: str = FAR, scale: float = 2.0) -> Prior:
    return Prior(PriorRecord(channel=name, scale=scale), source.encoding)


def by_regression(source: RepeatedTargets, seed: int = 0) -> Prior:
    record = PipelineRecord("regression", source.encoding, source.scale, prior=PriorRecord(channel=FAR))
    network = regression_parts(source).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.01 * seed)
    digest = weights_digest({"network": network})
    return Prior(PriorRecord(model=record, digest=digest), source.encoding, RegressionPipeline(network, record))


@pytest.fixture(params=["channel", "regression"])
def prior(request: pytest.FixtureRequest, source: RepeatedTargets) -> Prior:
    return by_channel(source) if request.param == "channel" else by_regression(source)


def run(stage: Stage, batch: Any) -> Mapping[str, float]:
    (objective,) = stage.objectives(batch, PlainPass(stage.networks))
    objective.loss.backward()
    return {name: value.item() for name, value in objective.terms.items()}


def silent(layer: nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()


def residual_of(prior: Prior, batch: Any, condition: Tensor | None = None) -> Tensor:
    return prior.residual(batch.target, prior.maps(batch.condition if condition is None else condition))


@pytest.mark.parametrize("settings", [{}, {"size": 40}, {"size": 56, "fit": "pad"}, {"scale": "thresholded"}])
def test_the_dominant_path_channel_is_the_dominant_path_map(city: Path, settings: dict[str, Any]) -> None:
    """In every symmetry and size: the residual is rounding (grey levels, steps of the cache), and 0 indoors."""
    found = opened(city, geometry=(PATH,), allow_answer_channels=True, augment=True, **settings)
    prior = by_channel(found, PATH)
    batch = batch_of(found, (0, 1), (1, 2), (2, 3), (3, 4))
    residual = residual_of(prior, batch)
    assert residual.abs().mean() < 1 / 255
    no_signal = batch.target == -1
    assert no_signal.any()
    assert (residual[no_signal & (batch.condition[:, -1:] == -1)] == 0).all()


class TestRegression:
    """The regression, whose prior is a channel."""

    def made(self, source: RepeatedTargets, scale: float = 2.0, **changes: Any) -> RegressionStage:
        parts = regression_parts(source, **changes)
        record = replace(parts.record, prior=PriorRecord(channel=FAR, scale=scale))
        return RegressionStage(replace(parts, record=record))

    def test_a_network_that_says_nothing_has_the_error_of_the_prior(self, source: RepeatedTargets) -> None:
        stage = self.made(source)
        silent(stage.parts.network)
        batch = batch_of(source, 0, 3)
        error = batch.target - batch.condition[:, -1:]
        assert run(stage, batch)["mse"] == pytest.approx(error.square().mean().item(), rel=1e-6)
        mask = torch.zeros_like(batch.target, dtype=torch.bool)
        mask[..., :20] = True
        masked = run(stage, replace(batch, mask=mask))["mse"]
        assert masked == pytest.approx(error[..., :20].square().mean().item(), rel=1e-6)

    def test_what_is_learnt_is_the_difference(self, source: RepeatedTargets) -> None:
        """Its loss is that of a plain network whose target is the residual, by the scale."""
        batch = batch_of(source, 0, 3)
        residual = (batch.target - batch.condition[:, -1:]) / 0.5
        plain = RegressionStage(regression_parts(source))
        expected = 0.25 * run(plain, replace(batch, target=residual))["mse"]
        assert run(self.made(source, 0.5), batch)["mse"] == pytest.approx(expected, rel=1e-5)

    def test_a_validation_measures_what_the_exported_model_predicts(
        self, source: RepeatedTargets, tmp_path: Path
    ) -> None:
        stage = self.made(source)
        batch = batch_of(source, 1)
        (row,) = stage.validate([batch], autocast=nullcontext, preview=None).per_example.values()
        pipeline = load_pipeline(stage.export(tmp_path, {}))
        error = 0.5 * (pipeline.predict(batch.condition)[:, 0] - batch.target)
        assert row["rmse"] == pytest.approx(error.square().mean().sqrt().item(), rel=1e-4)


class TestAutoencoder:
    """The first stage."""

    def made(self, city: Path, prior: Prior | None, **examples: Any) -> AutoencoderStage:
        data = RadioMapSeerConfig(root=city, part="all", geometry=(FAR,))
        seen = AutoencoderExamples(data, AutoencoderExamplesConfig(with_condition=True, **examples))
        parts = AutoencoderParts(
            autoencoder=small_autoencoder(),
            discriminator=None,
            loss=AutoencoderLossConfig(adversarial=None, perceptual=None),
            optimizer=OptimizerConfig(learning_rate=2e-3),
            discriminator_optimizer=OptimizerConfig(learning_rate=2e-3),
            source=seen,
            validation_source=seen,
            validation_part="all",
            latent_source=seen,
            record=AutoencoderRecord(seen.input_encoding, seen.scale),
            num_latent_maps=2,
            num_previews=1,
            seed=5,
            prior=prior,
        )
        return AutoencoderStage(parts)

    @pytest.mark.parametrize("crop_size", [None, 24])
    def test_it_learns_residuals_as_it_learns_maps(self, city: Path, prior: Prior, crop_size: int | None) -> None:
        stage, plain = (self.made(city, given, crop_size=crop_size) for given in (prior, None))
        batch = batch_of(stage.source, (0, 1), (3, 2))
        residual = residual_of(prior, batch, batch.condition[:, 1:])
        assert residual.abs().max() > 0.1
        expected = run(
            plain, replace(batch, target=residual, condition=torch.cat([residual, batch.condition[:, 1:]], 1))
        )
        assert run(stage, batch) == pytest.approx(expected, rel=1e-5)

    def test_its_figures_are_those_of_maps(self, city: Path, prior: Prior) -> None:
        """Of maps of 45 x 41 cells, padded: a decoder that says nothing leaves the prior."""
        stage = self.made(city, prior)
        silent(stage.parts.autoencoder.decoder.conv_out)
        whole = batch_of(stage.source, 0)
        size = {"target": whole.target[..., :45, :41], "condition": whole.condition[..., :45, :41]}
        batch = replace(whole, content=torch.tensor([[45, 41]]), **size)
        (row,) = stage.validate([batch], autocast=nullcontext, preview=None).per_example.values()
        error = 0.5 * (prior.maps(batch.condition[:, 1:]) - batch.target)
        assert row["rmse"] == pytest.approx(error.square().mean().sqrt().item(), rel=1e-4)

    def test_its_latents_are_measured_on_residuals(self, city: Path, tmp_path: Path, source: RepeatedTargets) -> None:
        from radiodiff.models.autoencoder_folder import load_autoencoder

        prior = by_channel(source)
        stage = self.made(city, prior)
        network, record = load_autoencoder(stage.export(tmp_path, {}))
        batches = [batch_of(source, 1), batch_of(source, 3)]
        assert record.latents == measure_latents(network, [residual_of(prior, one) for one in batches], seed=5)


class TestDiffusion:
    """The second stage."""

    def made(self, source: RepeatedTargets, prior: Prior | None) -> DiffusionStage:
        parts = diffusion_parts(source)
        record = parts.record if prior is None else replace(parts.record, prior=prior.record)
        return DiffusionStage(replace(parts, record=record, prior=prior))

    def test_it_learns_residuals_as_it_learns_maps(self, source: RepeatedTargets, prior: Prior) -> None:
        batch = batch_of(source, (0, 1), (3, 2))
        expected = run(self.made(source, None), replace(batch, target=residual_of(prior, batch)))
        assert run(self.made(source, prior), batch) == pytest.approx(expected, rel=1e-5)

    def test_a_silent_decoder_draws_the_prior(self, source: RepeatedTargets, prior: Prior, tmp_path: Path) -> None:
        stage = self.made(source, prior)
        silent(stage.parts.autoencoder.decoder.conv_out)
        batch = batch_of(source, 2)
        (row,) = stage.validate([batch], autocast=nullcontext, preview=None).per_example.values()
        expected = prior.maps(batch.condition)
        error = 0.5 * (expected - batch.target)
        assert row["rmse"] == row["steps_3/rmse"] == pytest.approx(error.square().mean().sqrt().item(), rel=1e-4)
        pipeline = load_pipeline(stage.export(tmp_path, {}))
        torch.testing.assert_close(pipeline.predict(batch.condition)[:, 0], expected, rtol=0.0, atol=1e-6)

    def test_record_and_prior_must_agree(self, source: RepeatedTargets) -> None:
        parts = diffusion_parts(source)
        with pytest.raises(InputError, match="record of a model must name the prior"):
            DiffusionStage(replace(parts, prior=by_channel(source)))
        with pytest.raises(InputError, match="record of a model must name the prior"):
            DiffusionStage(replace(parts, record=replace(parts.record, prior=PriorRecord(channel=FAR))))


class TestLatents:
    """What is kept, measured and told apart."""

    @pytest.fixture(autouse=True)
    def _small_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(latent_cache, "MAPS_PER_FILE", 3)

    def test_a_cache_holds_latents_of_residuals(self, city: Path, tmp_path: Path) -> None:
        """In every symmetry, in which a regression predicts another map than the turned one."""
        source = opened(city, augment=True)
        for prior in (by_channel(source), by_regression(source)):
            encoder = LatentEncoder(small_autoencoder(), 8, prior)
            cache = LatentCache(tmp_path / "cache", encoder, source)
            accelerator = make_accelerator(TrainerConfig(run_dir=Path("run"), cpu=True))
            assert fill_latents(cache, accelerator, batch_size=3, threads=0) == 8 * 4
            draws = [(number, draw) for number in range(4) for draw in (0, 1)]
            found = next(iter(BatchLoader(CachedExamples(cache), 8, sampler=draws)))
            plain = next(iter(BatchLoader(source, 8, sampler=draws)))
            assert found.latents is not None
            expected = encoder.posterior(plain.target, plain.condition)
            assert torch.equal(expected, LatentEncoder(small_autoencoder(), 8).posterior(residual_of(prior, plain)))
            torch.testing.assert_close(found.latents, expected, rtol=2**-11, atol=1e-5)

    def test_each_prior_has_latents_of_its_own(self, city: Path, source: RepeatedTargets, tmp_path: Path) -> None:
        priors = (
            None,
            by_channel(source),
            by_channel(source, scale=0.5),
            by_regression(source),
            by_regression(source, seed=1),
        )
        encoders = [LatentEncoder(small_autoencoder(), 8, prior) for prior in priors]
        assert len({encoder.fingerprint for encoder in encoders}) == 5
        assert len({LatentCache(tmp_path, encoder, source).digest for encoder in encoders}) == 5

    def test_other_channels_make_other_latents(self, city: Path, tmp_path: Path, source: RepeatedTargets) -> None:
        """The same targets under conditions that were computed anew."""
        encoder = LatentEncoder(small_autoencoder(), 8, by_channel(source))
        other = opened(city, buildings={"layer": "complete"})
        changed = other.in_symmetry(0, 0)
        changed.condition[-1] += 0.001
        object.__setattr__(other, "in_symmetry", lambda *_: changed)
        first, second = (LatentCache(tmp_path, encoder, given).digest for given in (source, other))
        assert first != second

    @pytest.mark.parametrize(
        ("settings", "key"),
        [
            ({"buildings": {"layer": "missing"}}, "data.buildings"),
            ({"measurements": {"kind": "random"}}, "data.measurements"),
            ({"heights": True, "unknown_heights": 0.5}, "data.unknown_heights"),
        ],
    )
    def test_priors_that_are_drawn_anew_are_not_kept(self, settings: dict[str, Any], key: str) -> None:
        from radiodiff.data.selection import check_repeated_channels

        config = RadioMapSeerConfig(root=Path("city"), geometry=(FAR,), **settings)
        names = ("buildings", FAR, "measured_path_loss_db", "building_height_m")
        with pytest.raises(ConfigError, match=f"drawn anew in each epoch cannot be kept.*{key}"):
            check_repeated_channels(config, names)
        if key != "data.buildings":
            check_repeated_channels(config, ("buildings", FAR))

    def test_a_factor_is_that_of_residuals(self, source: RepeatedTargets, prior: Prior) -> None:
        network = small_autoencoder()
        maps = [residual_of(prior, batch_of(source, number)) for number in range(4)]
        expected = measure_latents(network, maps, seed=3).scaling_factor
        assert measure_scaling_factor(network, source, 4, seed=3, prior=prior) == expected

    def test_the_first_stage_must_have_the_same_prior(self, source: RepeatedTargets) -> None:
        target, first = source.encoding.target, by_channel(source)
        record = AutoencoderRecord(Encoding((target,), target), source.scale, prior=first.record.identity)
        check_first_stage(record, source, first)
        assert AutoencoderRecord.from_dict(record.to_dict()) == record
        with pytest.raises(ConfigError, match="differences to log_distance_gain_db by 2 for maps without a prior"):
            check_first_stage(record, source)
        with pytest.raises(ConfigError, match=r"by 2 for differences to a regression with the digest [0-9a-f]+ by 2"):
            check_first_stage(record, source, by_regression(source))
        with pytest.raises(ConfigError, match=r"by 2 for differences to log_distance_gain_db by 0\.5"):
            check_first_stage(record, source, by_channel(source, scale=0.5))
        with pytest.raises(ConfigError, match="maps without a prior for differences to log_distance"):
            check_first_stage(replace(record, prior=None), source, first)
