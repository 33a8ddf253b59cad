"""The second stage: what it minimises, what it leaves alone, and what it says of held-out maps."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set
from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.errors import CheckpointError, ConfigError, InputError, TrainingError
from radiodiff.pipeline.load import load_pipeline
from radiodiff.training.diffusion_config import SamplingConfig
from radiodiff.training.diffusion_stage import VALIDATION_TIMES, DiffusionStage
from radiodiff.training.latent_encoder import LatentEncoder
from second_stage import SIZE, PlainPass, batch_of, diffusion_parts, make_city, small_autoencoder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RepeatedTargets:
    city = make_city(tmp_path_factory.mktemp("stage") / "city")
    return open_data_set(RadioMapSeerConfig(root=city, part="all"))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> RepeatedTargets:
    """Windows that reach beside the map."""
    root = tmp_path_factory.mktemp("rooms") / "icassp"
    list(
        write_fake_icassp(root, FakeIcasspSettings(buildings=2, antennas=2, samples=1, smallest=30, largest=40, seed=3))
    )
    return open_data_set(IcasspConfig(root=root, crop="tx-centred", size=48, part="all"))


def made(source: RepeatedTargets, *args: Any, **changes: Any) -> DiffusionStage:
    return DiffusionStage(diffusion_parts(source, *args, **changes))


def run(stage: DiffusionStage, batch: Batch) -> dict[str, float]:
    (objective,) = stage.objectives(batch, PlainPass(stage.networks))
    objective.loss.backward()
    assert objective.network == "unet"
    return {name: value.item() for name, value in objective.terms.items()}


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def generator_of(*parts: int) -> torch.Generator:
    from radiodiff.training.noise import seed_of

    return torch.Generator().manual_seed(seed_of(*parts))


def test_examples_at_the_start_alone_learn_nothing_of_the_latents_in_the_noise(source: RepeatedTargets) -> None:
    """At t = 1 noisy latents are noise: the loss of C is that of the network on noise."""
    stage = made(source, diffusion=DiffusionConfig(start_share=1.0))
    batch = batch_of(source, (0, 2))
    found = run(stage, batch)
    draw = batch.draws[0]
    clean = 1.7 * stage.parts.autoencoder.encode(batch.target).latent_dist.mean
    if stage.parts.is_sampled:
        std = stage.parts.autoencoder.encode(batch.target).latent_dist.std
        clean = clean + 1.7 * std * torch.randn(std.shape[1:], generator=generator_of(5, 1, *draw))
    noise = torch.randn(clean.shape[1:], generator=generator_of(5, 3, *draw))[None]
    drift, _ = stage.parts.unet(noise, torch.ones(1), condition=batch.condition).chunk(2, dim=1)
    assert found["drift_mse"] == pytest.approx((drift + clean).square().mean().item(), rel=1e-4)


@pytest.mark.parametrize("is_sampled", [True, False])
def test_the_loss_is_that_of_the_formula(source: RepeatedTargets, is_sampled: bool) -> None:
    """Section by section, without the code of the stage: latents, times, noise, loss."""
    loss = DiffusionLossConfig(weighting="exponential")
    stage = made(source, loss=loss, is_sampled=is_sampled)
    batch = batch_of(source, (0, 2), (5, 7))
    terms = run(stage, batch)
    found = gradients(stage.networks["unet"])
    plain = made(source, loss=loss)
    total = torch.tensor(0.0)
    for place, draw in enumerate(batch.draws):
        posterior = plain.parts.autoencoder.encode(batch.target[place : place + 1]).latent_dist
        shape = posterior.mean.shape
        latents = posterior.mean
        if is_sampled:
            latents = latents + posterior.std * torch.randn(shape, generator=generator_of(5, 1, *draw))
        clean = 1.7 * latents.detach()
        t = 1 - (1 - 1e-4) * torch.rand(1, generator=generator_of(5, 2, *draw))
        noise = torch.randn(shape, generator=generator_of(5, 3, *draw))
        noisy = (1 - t) * clean + t.sqrt() * noise
        drift, eps = plain.parts.unet(noisy, t, condition=batch.condition[place : place + 1]).chunk(2, dim=1)
        of_drift, of_noise = (
            (a - b).square().mean() + (a - b).abs().mean() for a, b in ((drift, -clean), (eps, noise))
        )
        total = total + 0.5 * (2 * torch.exp(1 - t) * of_drift + torch.exp(t.sqrt()) * of_noise).squeeze() / 2
    assert terms["total"] == pytest.approx(total.item(), rel=1e-5)
    expected = torch.autograd.grad(total, list(plain.parts.unet.parameters()))
    for (name, _), value in zip(plain.networks["unet"].named_parameters(), expected, strict=True):
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5)


def test_every_parameter_gets_a_gradient(source: RepeatedTargets) -> None:
    stage = made(source)
    terms = run(stage, batch_of(source, 0, 1))
    assert {"total", "drift_mse", "noise_mse", "drift_l1", "noise_l1"} == set(terms)
    found = gradients(stage.networks["unet"])
    assert set(found) == {name for name, _ in stage.networks["unet"].named_parameters()}
    assert all(torch.isfinite(value).all() for value in found.values())


def test_random_numbers_do_not_depend_on_the_batch(source: RepeatedTargets) -> None:
    stage = made(source)
    whole = run(stage, batch_of(source, 0, 1, 2))
    alone = [run(stage, batch_of(source, number)) for number in (0, 1, 2)]
    for name, value in whole.items():
        assert value == pytest.approx(sum(terms[name] for terms in alone) / 3, rel=1e-5)
    again = run(stage, batch_of(source, (1, 4)))
    assert again["total"] != pytest.approx(alone[1]["total"], rel=1e-3)


PREDICTION_TYPES = ["pred_KC", "pred_x0", "pred_noise", "pred_v"]


@pytest.mark.parametrize("prediction_type", PREDICTION_TYPES)
def test_one_batch_is_learned_by_heart(source: RepeatedTargets, prediction_type: Any) -> None:
    """Two small windows, each with one noise and one time."""
    stage = made(source, DiffusionConfig(prediction_type=prediction_type), loss=DiffusionLossConfig(l1_weight=0.0))
    batch = batch_of(source, 0, 5)
    batch = replace(batch, target=batch.target[..., :16, :16], condition=batch.condition[..., :16, :16])
    network = stage.networks["unet"]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.0)
    losses = []
    for _ in range(40):
        losses.append(run(stage, batch)["total"])
        optimizer.step()
        optimizer.zero_grad()
    assert min(losses[-10:]) < 0.05 * losses[0]


def test_the_autoencoder_stays_as_it_is(source: RepeatedTargets, tmp_path: Path) -> None:
    stage = made(source)
    before = {name: value.clone() for name, value in stage.parts.autoencoder.state_dict().items()}
    run(stage, batch_of(source, 0, 1))
    stage.validate([batch_of(source, 2)], autocast=nullcontext, preview=None)
    assert not any(parameter.requires_grad for parameter in stage.parts.autoencoder.parameters())
    assert not stage.parts.autoencoder.training
    for name, value in stage.parts.autoencoder.state_dict().items():
        assert torch.equal(value, before[name])
    names = {name.split(".")[0] for name in stage.networks["unet"].state_dict()}
    assert names == {"unet", "scaling_factor", "encoder_fingerprint"}
    stage.to(torch.device("meta"))
    assert next(stage.parts.autoencoder.parameters()).device.type == "meta"
    assert next(stage.parts.unet.parameters()).device.type == "cpu"


def with_mask(batch: Batch, rows: int) -> Batch:
    mask = torch.zeros((len(batch), 1, SIZE, SIZE), dtype=torch.bool)
    mask[:, :, :rows] = True
    return replace(batch, mask=mask)


def test_cells_that_do_not_count_teach_nothing(source: RepeatedTargets) -> None:
    stage = made(source)
    terms = run(stage, with_mask(batch_of(source, 0, 1), 0))
    assert set(terms.values()) == {0.0}
    assert not any(slope.any() for slope in gradients(stage.networks["unet"]).values())
    assert run(stage, with_mask(batch_of(source, 0, 1), 20))["total"] > 0
    found = stage.validate([with_mask(batch_of(source, 0), 0)], autocast=nullcontext, preview=None)
    assert [dict(row) for row in found.per_example.values()] == [{"loss": 0.0}]


def test_windows_beside_the_map_are_masked(rooms: RepeatedTargets) -> None:
    stage = made(rooms)
    batch = batch_of(rooms, 0, 1)
    assert batch.mask is not None
    assert not batch.mask.all()
    run(stage, batch)
    terms = run(stage, replace(batch, mask=None))
    assert terms["total"] != run(stage, batch)["total"]


def test_maps_that_are_no_multiples_are_padded(source: RepeatedTargets) -> None:
    stage = made(source)
    batch = batch_of(source, 0, 1)
    odd = replace(batch, target=batch.target[..., :45, :41], condition=batch.condition[..., :45, :41])
    padded = replace(
        batch,
        target=nn.functional.pad(odd.target, (0, 7, 0, 3), value=-1.0),
        condition=nn.functional.pad(odd.condition, (0, 7, 0, 3), value=-1.0),
    )
    assert run(stage, odd) == run(stage, padded)
    (row,) = stage.validate(
        [replace(batch_of(source, 0), **cut(odd))], autocast=nullcontext, preview=None
    ).per_example.values()
    assert row["rmse"] > 0


def test_conditions_are_padded_with_what_stands_beside_the_map(rooms: RepeatedTargets) -> None:
    """Air (0 dB, the least value) at 255 m, beyond the largest value: not everywhere the least value."""
    stage = made(rooms)
    batch = replace(batch_of(rooms, 0, 1), mask=None)
    odd = replace(batch, target=batch.target[..., :45, :41], condition=batch.condition[..., :45, :41])
    assert rooms.encoding.names == ("reflectance_db", "transmittance_db", "distance_m")
    planes = [
        nn.functional.pad(plane, (0, 7, 0, 3), value=value)
        for plane, value in zip(odd.condition.split(1, dim=1), (-1.0, -1.0, 1.0), strict=True)
    ]
    padded = replace(
        batch, target=nn.functional.pad(odd.target, (0, 7, 0, 3), value=-1.0), condition=torch.cat(planes, dim=1)
    )
    assert run(stage, odd) == run(stage, padded)


def cut(batch: Batch) -> dict[str, Tensor]:
    return {"target": batch.target[:1], "condition": batch.condition[:1], "content": torch.tensor([[45, 41]])}


def batches(source: RepeatedTargets, *sizes: int) -> Iterator[Batch]:
    first = 0
    for size in sizes:
        yield batch_of(source, *range(first, first + size))
        first += size


def test_validation_draws_what_the_model_draws(source: RepeatedTargets, tmp_path: Path) -> None:
    stage = made(source)
    found = stage.validate(batches(source, 2, 1), autocast=nullcontext, preview=tmp_path / "seen.png")
    assert found.preview == tmp_path / "seen.png"
    assert found.preview.is_file()
    assert list(found.per_example) == list(source.example_names[:3])
    assert stage.networks["unet"].training
    pipeline = load_pipeline(stage.export(tmp_path, {"step": 3}))
    for number, row in enumerate(found.per_example.values()):
        batch = batch_of(source, number)
        for steps, prefix in ((1, ""), (3, "steps_3/")):
            maps = pipeline.predict(
                batch.condition, [generator_of(5, 5, number, 0)], num_inference_steps=steps, window="whole"
            )
            error = 0.5 * (maps[:, 0] - batch.target).clamp(-2, 2)
            assert row[f"{prefix}rmse"] == pytest.approx(error.square().mean().sqrt().item(), rel=1e-4)
            outdoors = batch.condition[:, :1] < 0
            outside = error[outdoors].square().mean().sqrt().item()
            assert row[f"{prefix}outdoor/rmse_db"] == pytest.approx(99.16 * outside, rel=1e-4)
    assert "one draw of each map in 1 and 3 steps, stochastic" in found.protocol
    assert "part all" in found.protocol


def test_the_loss_of_a_validation_is_at_fixed_times_with_fixed_noise(source: RepeatedTargets) -> None:
    stage = made(source)
    (row,) = stage.validate([batch_of(source, 4)], autocast=nullcontext, preview=None).per_example.values()
    batch = batch_of(source, 4)
    clean = 1.7 * stage.parts.autoencoder.encode(batch.target).latent_dist.mean
    generator = generator_of(5, 4, 4, 0)
    losses = []
    with torch.no_grad():
        for time in VALIDATION_TIMES:
            noise = torch.randn(clean.shape, generator=generator)
            noisy = (1 - time) * clean + time**0.5 * noise
            output = stage.parts.unet.eval()(noisy, torch.tensor([time]), condition=batch.condition)
            difference = output - torch.cat([-clean, noise], dim=1)
            losses.append(difference.square().mean() + difference.abs().mean())
    assert row["loss"] == pytest.approx(torch.stack(losses).mean().item(), rel=1e-4)


def test_a_validation_does_not_depend_on_the_batches(source: RepeatedTargets) -> None:
    stage = made(source)
    first, second = (
        stage.validate(batches(source, *sizes), autocast=nullcontext, preview=None) for sizes in ((4, 2), (1, 1, 3, 1))
    )
    assert list(first.per_example) == list(second.per_example)
    for name, row in first.per_example.items():
        for figure in ("rmse", "loss", "steps_3/rmse_db", "outdoor/rmse"):
            assert row[figure] == pytest.approx(second.per_example[name][figure], rel=1e-4)


def test_a_validation_leaves_global_random_numbers_alone(source: RepeatedTargets) -> None:
    stage = made(source)
    state = torch.get_rng_state()
    stage.validate([batch_of(source, 0)], autocast=nullcontext, preview=None)
    assert torch.equal(torch.get_rng_state(), state)


def test_deterministic_sampling_is_validated_as_such(source: RepeatedTargets, tmp_path: Path) -> None:
    sampling = SamplingConfig(num_inference_steps=(3,), is_stochastic=False)
    rows, protocols = [], []
    for chosen in (sampling, SamplingConfig(num_inference_steps=(3,))):
        stage = made(source, sampling=chosen)
        found = stage.validate([batch_of(source, 0)], autocast=nullcontext, preview=None)
        rows.append(found.per_example["0_0"]["rmse"])
        protocols.append(found.protocol)
    assert rows[0] != rows[1]
    assert ["deterministic" in protocol for protocol in protocols] == [True, False]


def test_a_model_that_gives_no_numbers_is_not_validated(source: RepeatedTargets) -> None:
    stage = made(source)
    with torch.no_grad():
        next(iter(stage.parts.unet.parameters())).fill_(float("nan"))
    with pytest.raises(TrainingError, match="finite"):
        stage.validate([batch_of(source, 0)], autocast=nullcontext, preview=None)
    assert stage.networks["unet"].training


def test_the_model_that_is_left_has_factor_record_and_training(source: RepeatedTargets, tmp_path: Path) -> None:
    stage = made(source, sampling=SamplingConfig(num_inference_steps=(3, 1), is_stochastic=False, time_power=2.0))
    folder = stage.export(tmp_path / "run", {"step": 12})
    assert folder == tmp_path / "run" / "pipeline"
    pipeline = load_pipeline(tmp_path / "run")
    assert pipeline.autoencoder.config["scaling_factor"] == pytest.approx(1.7)
    assert pipeline.record == replace(
        stage.parts.record, training={"step": 12}, num_inference_steps=3, is_stochastic=False
    )
    assert pipeline.scheduler.config["prediction_type"] == "pred_KC"
    pipeline.scheduler.set_timesteps(2)
    assert pipeline.scheduler.timesteps.tolist() == [1.0, 0.25]
    for name, value in stage.parts.unet.state_dict().items():
        assert torch.equal(pipeline.unet.state_dict()[name], value)


def test_a_checkpoint_brings_its_factor_and_knows_its_autoencoder(source: RepeatedTargets) -> None:
    first, second = made(source), made(source, scaling_factor=None)
    second.networks["unet"].load_state_dict(first.networks["unet"].state_dict())
    assert second.networks["unet"].scaling_factor.item() == pytest.approx(1.7)
    with pytest.raises(CheckpointError, match=r"factor on its latents.*got 0\.3, 1\.7 in the checkpoint"):
        made(source, scaling_factor=0.3).networks["unet"].load_state_dict(first.networks["unet"].state_dict())
    other = made(source, autoencoder=small_autoencoder(1))
    with pytest.raises(CheckpointError, match="go on with the autoencoder it was begun with"):
        other.networks["unet"].load_state_dict(first.networks["unet"].state_dict())


def test_parts_must_fit(source: RepeatedTargets, rooms: RepeatedTargets) -> None:
    parts = diffusion_parts(source)
    with pytest.raises(ConfigError, match=r"above 0; got 0\.0"):
        DiffusionStage(replace(parts, scaling_factor=0.0))
    with pytest.raises(ConfigError, match=r"above 0; got nan"):
        DiffusionStage(replace(parts, scaling_factor=float("nan")))
    with pytest.raises(ConfigError, match=r"encoding and the scale.*on scale 'db'.*on scale 'raw'"):
        DiffusionStage(replace(parts, source=rooms))
    with pytest.raises(ConfigError, match=r"encoding and the scale"):
        DiffusionStage(replace(parts, validation_source=rooms))
    with pytest.raises(InputError, match="components of a model must fit"):
        DiffusionStage(replace(parts, autoencoder=two_latents()))


def two_latents() -> Any:
    from radiodiff.models.autoencoder import build_autoencoder
    from second_stage import AUTOENCODER

    return build_autoencoder(AUTOENCODER.replaced(latent_channels=2))


def test_latents_of_the_batch_are_taken_as_they_are(source: RepeatedTargets) -> None:
    stage = made(source)
    batch = batch_of(source, 0, 1)
    encoder = LatentEncoder(stage.parts.autoencoder, stage.parts.unet.size_multiple)
    given = replace(batch, latents=encoder.posterior(batch.target), target=batch.target[:, :0])
    assert run(stage, given) == run(stage, batch)


def test_gradient_checkpointing_changes_no_gradient(source: RepeatedTargets) -> None:
    plain, saving = (made(source) for _ in range(2))
    saving.parts.unet.enable_gradient_checkpointing()
    batch = batch_of(source, 0, 1)
    assert run(plain, batch) == pytest.approx(run(saving, batch), rel=1e-5)
    expected = gradients(plain.networks["unet"])
    for name, value in gradients(saving.networks["unet"]).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)


def test_images_may_have_their_channels_last(source: RepeatedTargets) -> None:
    stage = made(source)
    batch = batch_of(source, 0, 1)
    expected = run(stage, batch)
    stage.networks["unet"].to(memory_format=torch.channels_last)
    layout = torch.channels_last
    other = replace(batch, condition=batch.condition.contiguous(memory_format=layout))
    assert run(stage, other) == pytest.approx(expected, rel=1e-5)
