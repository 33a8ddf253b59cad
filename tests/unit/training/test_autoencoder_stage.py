from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.autoencoder_examples import AutoencoderExamples, AutoencoderExamplesConfig
from radiodiff.data.loader import Batch, collate
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.layouts import CitySettings
from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AdversarialConfig, AutoencoderLossConfig, HelmholtzConfig, PerceptualConfig
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig
from radiodiff.models.discriminator import build_discriminator
from radiodiff.training.autoencoder_stage import AutoencoderParts, AutoencoderStage
from radiodiff.training.config import OptimizerConfig

SMALL = AutoencoderConfig(base_channels=8, norm_groups=4, channel_multipliers=(1, 2), blocks_per_level=1)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "city"
    list(create_data_set(root, CreateSettings(3, 4, 3, city=CitySettings(rows=48, cols=48))))
    return root


@dataclass
class PlainPass:
    """One process, one precision."""

    step: int
    networks: Mapping[str, nn.Module]
    loss_scale: float = 1.0

    def autocast(self) -> AbstractContextManager[None]:
        return nullcontext()

    def mean_over_processes(self, tensor: Tensor) -> Tensor:
        return tensor


def made(
    city: Path, loss: AutoencoderLossConfig, *, norm: str = "group", with_condition: bool = False
) -> AutoencoderStage:
    data = RadioMapSeerConfig(root=city, edge_weights="canny")
    source = AutoencoderExamples(data, AutoencoderExamplesConfig(with_condition=with_condition))
    is_conditional = loss.adversarial is not None and loss.adversarial.conditional
    shown = 1 + (3 if is_conditional else 0)
    discriminator = build_discriminator(shown, DiscriminatorConfig(base_channels=8, num_layers=1, norm=norm), seed=1)
    parts = AutoencoderParts(
        autoencoder=build_autoencoder(SMALL, seed=0),
        discriminator=None if loss.adversarial is None else discriminator,
        loss=loss,
        optimizer=OptimizerConfig(learning_rate=2e-3),
        discriminator_optimizer=OptimizerConfig(learning_rate=2e-3),
        source=source,
        validation_source=source,
        validation_part="train",
        latent_source=source,
        record=AutoencoderRecord(encoding=source.input_encoding, scale=source.scale),
        num_latent_maps=2,
        num_previews=1,
        seed=5,
    )
    return AutoencoderStage(parts)


def batch_of(stage: AutoencoderStage, *numbers: int) -> Batch:
    source = stage.source
    return collate([source[n] for n in numbers], source.encoding, source.scale, [(n, 0) for n in numbers])


def gradients(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def run(stage: AutoencoderStage, batch: Batch, step: int, scale: float = 1.0) -> dict[str, float]:
    terms: dict[str, float] = {}
    for objective in stage.objectives(batch, PlainPass(step, stage.networks, scale)):
        objective.loss.backward()
        terms |= {name: value.item() for name, value in objective.terms.items()}
    return terms


ADVERSARIAL = AdversarialConfig(start=3)


def test_until_its_start_the_discriminator_rests(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL))
    terms = run(stage, batch_of(stage, 0, 1), 2)
    assert "generator" not in terms
    assert gradients(stage.networks["discriminator"]) == {}
    assert "discriminator" in run(stage, batch_of(stage, 0, 1), 3)
    assert len(gradients(stage.networks["discriminator"])) > 0


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_gradients_are_those_of_the_formula(city: Path, adaptive: bool, conditional: bool, scale: float) -> None:
    """The published losses written down plainly, with a backward pass of their own for every term."""
    adversarial = ADVERSARIAL.replaced(adaptive=adaptive, conditional=conditional)
    config = AutoencoderLossConfig(adversarial=adversarial, kl_weight=1e-3)
    stage = made(city, config, with_condition=conditional)
    batch = batch_of(stage, 0, 1)
    terms = run(stage, batch, 3, scale)
    found = {name: gradients(network) for name, network in stage.networks.items()}

    plain = made(city, config, with_condition=conditional)
    trained, critic = plain.networks["autoencoder"], plain.networks["discriminator"]
    loss = AutoencoderLoss(config, 1)
    noise = plain._noise(batch, batch.condition[:, :1])
    condition = batch.condition[:, 1:] if conditional else None
    prediction, mean, logvar, log_variance = trained(batch.condition[:, :1], noise)
    nll = loss.reconstruction(prediction, batch.target, log_variance).nll
    generator = -critic.judge(prediction, condition).mean()
    weight = torch.tensor(0.5)
    if adaptive:
        last = trained.autoencoder.decoder.conv_out.weight
        first, second = (torch.autograd.grad(term, last, retain_graph=True)[0].norm() for term in (nll, generator))
        weight = 0.5 * (first / (second + 1e-4)).clamp(0, 1e4)
    total = nll + 1e-3 * loss.divergence(mean, logvar) + weight * generator
    expected = torch.autograd.grad(total, list(trained.parameters()), retain_graph=True)
    largest = max(float(value.abs().max()) for value in expected)
    for (name, _), value in zip(trained.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found["autoencoder"][name], value, rtol=1e-4, atol=1e-6 * largest)
    true, false = critic.judge(batch.target, condition), critic.judge(prediction.detach(), condition)
    hinge = 0.5 * (torch.relu(1 - true).mean() + torch.relu(1 + false).mean())
    expected = torch.autograd.grad(hinge, list(critic.parameters()))
    for (name, _), value in zip(critic.named_parameters(), expected, strict=True):
        torch.testing.assert_close(found["discriminator"][name], value, rtol=1e-4, atol=1e-6)
    assert terms["total"] == pytest.approx(total.item(), rel=1e-5)
    assert terms["adversarial_weight"] == pytest.approx(weight.item(), rel=1e-4)
    assert terms["discriminator"] == pytest.approx(hinge.item(), rel=1e-5)


def test_the_autoencoder_runs_forward_once(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL, perceptual=PerceptualConfig()))
    calls: list[str] = []
    network = stage.networks["autoencoder"].autoencoder
    network.encoder.register_forward_hook(lambda *_: calls.append("encoder"))
    network.decoder.register_forward_hook(lambda *_: calls.append("decoder"))
    run(stage, batch_of(stage, 0, 1), 3)
    assert calls == ["encoder", "decoder"]


def test_every_parameter_gets_a_gradient(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL))
    run(stage, batch_of(stage, 0, 1), 3)
    for network in stage.networks.values():
        assert {name for name, p in network.named_parameters() if p.grad is not None} == {
            name for name, _ in network.named_parameters()
        }
    assert stage.networks["autoencoder"].log_variance.grad.abs() > 0


def test_a_fixed_variance_is_no_parameter(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=None, learn_logvar=False, initial_logvar=-1.0))
    assert "log_variance" not in dict(stage.networks["autoencoder"].named_parameters())
    assert run(stage, batch_of(stage, 0), 1)["logvar"] == -1.0
    assert list(stage.networks) == ["autoencoder"]


def test_one_batch_is_learned_by_heart(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=None, reduction="mean", learn_logvar=False))
    batch = batch_of(stage, 0, 3)
    optimizer = torch.optim.AdamW(stage.networks["autoencoder"].parameters(), lr=3e-3)
    errors = []
    for step in range(1, 121):
        errors.append(run(stage, batch, step)["mse"])
        optimizer.step()
        optimizer.zero_grad()
    assert min(errors[-20:]) < 0.05 * errors[0]


def test_all_terms_work_together(city: Path) -> None:
    config = AutoencoderLossConfig(
        adversarial=ADVERSARIAL.replaced(kind="vanilla", conditional=True),
        perceptual=PerceptualConfig(),
        helmholtz=HelmholtzConfig(),
        edge_weight=1.0,
    )
    stage = made(city, config, norm="batch", with_condition=True)
    terms = run(stage, batch_of(stage, 0, 1), 3)
    assert {"l1", "mse", "edge", "perceptual", "helmholtz", "kl", "generator", "discriminator"} <= terms.keys()
    assert all(
        torch.isfinite(value).all() for network in stage.networks.values() for value in gradients(network).values()
    )


def test_a_frozen_decoder_still_has_an_adaptive_weight(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL))
    stage.networks["autoencoder"].autoencoder.decoder.requires_grad_(False)
    terms = run(stage, batch_of(stage, 0, 1), 3)
    assert 0 < terms["adversarial_weight"] < float("inf")


def test_a_gradient_scale_that_overflows_is_no_fault_of_the_loss(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL))
    current = PlainPass(3, stage.networks, loss_scale=3e38)
    objective = next(stage.objectives(batch_of(stage, 0, 1), current))
    assert objective.judged is not None
    assert torch.isfinite(objective.judged)
    (objective.loss * current.loss_scale).backward()
    found = gradients(stage.networks["autoencoder"])
    assert not all(torch.isfinite(value).all() for value in found.values())


def test_noise_does_not_depend_on_the_batch(city: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=None))
    whole, alone = batch_of(stage, 0, 1, 2), batch_of(stage, 1)
    images = whole.condition[:, :1]
    assert torch.equal(stage._noise(whole, images)[1:2], stage._noise(alone, images[1:2]))
    later = replace(alone, draws=((1, 7),))
    assert not torch.equal(stage._noise(alone, images[1:2]), stage._noise(later, images[1:2]))


def batches(stage: AutoencoderStage) -> Iterator[Batch]:
    yield batch_of(stage, 0, 1)
    yield batch_of(stage, 2)


def test_validation_measures_the_mean_reconstruction(city: Path, tmp_path: Path) -> None:
    stage = made(city, AutoencoderLossConfig(adversarial=None))
    found = stage.validate(batches(stage), autocast=nullcontext, preview=tmp_path / "seen.png")
    assert found.preview == tmp_path / "seen.png"
    assert found.preview.is_file()
    assert len(found.per_example) == 3
    batch = batch_of(stage, 2)
    network = stage.networks["autoencoder"].autoencoder
    with torch.no_grad():
        prediction = network.decode(network.encode(batch.target).latent_dist.mean).sample.clamp(-1, 1)
    expected = (0.5 * (prediction - batch.target)).square().mean().sqrt().item()
    assert found.per_example[batch.names[0]]["rmse"] == pytest.approx(expected, rel=1e-5)
    loss = (
        AutoencoderLoss(AutoencoderLossConfig(adversarial=None), 1)
        .reconstruction(
            network.decode(network.encode(batch.target).latent_dist.mean).sample, batch.target, torch.tensor(0.0)
        )
        .nll
    )
    assert found.per_example[batch.names[0]]["nll"] == pytest.approx(loss.item(), rel=1e-5)
    assert network.training


def test_cells_that_do_not_count_teach_nothing(city: Path, tmp_path: Path) -> None:
    """Neither the reconstruction's losses nor the discriminator pull at them."""
    stage = made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL, perceptual=PerceptualConfig()))
    batch = batch_of(stage, 0, 1)
    batch = replace(batch, mask=torch.zeros_like(batch.target, dtype=torch.bool))
    terms = run(stage, batch, 3)
    assert (terms["nll"], terms["l1"]) == (0.0, 0.0)
    last = gradients(stage.networks["autoencoder"])
    of_decoder = [slope for name, slope in last.items() if ".decoder." in f".{name}"]
    assert of_decoder
    assert not any(slope.any() for slope in of_decoder)
    found = stage.validate([batch], autocast=nullcontext, preview=None)
    assert [set(row.items()) for row in found.per_example.values()] == [{("nll", 0.0)}] * 2


def test_gradient_checkpointing_changes_no_gradient(city: Path) -> None:
    plain, saving = (made(city, AutoencoderLossConfig(adversarial=ADVERSARIAL)) for _ in range(2))
    saving.parts.autoencoder.enable_gradient_checkpointing()
    batch = batch_of(plain, 0, 1)
    assert run(plain, batch, 3) == pytest.approx(run(saving, batch, 3), rel=1e-5)
    expected = gradients(plain.networks["autoencoder"])
    for name, value in gradients(saving.networks["autoencoder"]).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-4)
