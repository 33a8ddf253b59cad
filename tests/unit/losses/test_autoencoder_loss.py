"""The loss of the first stage against its formula, by hand and by laws."""

import math
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from radiodiff.errors import ConfigError, InputError
from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AutoencoderLossConfig, HelmholtzConfig, PerceptualConfig

EVERYTHING = AutoencoderLossConfig(
    perceptual=PerceptualConfig(weight=0.7), helmholtz=HelmholtzConfig(weight=0.3), edge_weight=0.4
)


def loss_of(num_channels: int = 1, **values: object) -> AutoencoderLoss:
    return AutoencoderLoss(AutoencoderLossConfig(**values), num_channels)


def random_maps(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 1.6 - 0.8


def full_batch(batch: int = 4, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(7)
    return {
        "prediction": random_maps(batch, 1, 16, 16, seed=1, dtype=dtype),
        "target": random_maps(batch, 1, 16, 16, seed=2, dtype=dtype),
        "weight": torch.rand((batch, 1, 16, 16), generator=generator, dtype=dtype),
        "tx": torch.tensor([[3, 4], [-5, 2], [15, 15], [40, 40]])[:batch],
        "buildings": torch.rand((batch, 1, 16, 16), generator=generator) < 0.2,
    }


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_every_term_enters_each_cell_with_its_weight(reduction: str) -> None:
    # One map of constant differences: absolute error 0.5, squared 0.25; 8 x 8 cells, two channels.
    target = torch.zeros(1, 2, 8, 8)
    prediction = target + 0.5
    weight = torch.full((1, 1, 8, 8), 0.2)
    loss = loss_of(2, reduction=reduction, l1_weight=2.0, mse_weight=3.0, edge_weight=5.0)
    found = loss.reconstruction(prediction, target, torch.tensor(0.3), weight=weight)
    edge = 2.0 * 0.1 + 3.0 * 0.01
    error = 2.0 * 0.5 + 3.0 * 0.25 + 5.0 * edge
    nll = error / math.exp(0.3) + 0.3
    assert found.nll.item() == pytest.approx(nll * (128 if reduction == "sum" else 1), rel=1e-5)
    expected = {"l1": 0.5, "mse": 0.25, "edge": edge, "nll": nll, "logvar": 0.3}
    assert {name: value.item() for name, value in found.terms.items()} == pytest.approx(expected, rel=1e-5)


def test_terms_of_a_whole_map_are_added_in_every_cell() -> None:
    batch = full_batch()
    plain = AutoencoderLoss(EVERYTHING.replaced(perceptual=None, helmholtz=None), 1)
    whole = AutoencoderLoss(EVERYTHING, 1).reconstruction(log_variance=torch.tensor(0.5), **batch)
    less = plain.reconstruction(log_variance=torch.tensor(0.5), **batch)
    added = (0.7 * whole.terms["perceptual"] + 0.3 * whole.terms["helmholtz"]) * 256 / math.exp(0.5)
    assert (whole.nll - less.nll).item() == pytest.approx(added.item(), rel=1e-4)
    assert set(whole.terms) == {"l1", "mse", "edge", "perceptual", "helmholtz", "nll", "logvar"}
    assert set(less.terms) == {"l1", "mse", "edge", "nll", "logvar"}
    assert not any(value.requires_grad for value in whole.terms.values())


def test_edges_and_elsewhere_split_the_weight_of_a_binary_mask() -> None:
    prediction, target = random_maps(2, 1, 8, 8, seed=1), random_maps(2, 1, 8, 8, seed=2)
    on_edges = torch.zeros(2, 1, 8, 8)
    on_edges[..., :3] = 1.0
    found = {
        mode: loss_of(edge_weight=1.0, edge_mode=mode)
        .reconstruction(prediction, target, torch.zeros(()), weight=on_edges)
        .terms
        for mode in ("edges", "elsewhere")
    }
    difference = (prediction - target)[..., :3]
    by_hand = (difference.abs() + difference.square()).sum() / target.numel()
    assert found["edges"]["edge"].item() == pytest.approx(by_hand.item(), rel=1e-5)
    both = found["edges"]["edge"] + found["elsewhere"]["edge"]
    assert both.item() == pytest.approx((found["edges"]["l1"] + found["edges"]["mse"]).item(), rel=1e-5)


def test_the_best_logvar_is_the_logarithm_of_the_mean_error() -> None:
    prediction, target = random_maps(2, 1, 8, 8, seed=1), random_maps(2, 1, 8, 8, seed=2)
    error = (prediction - target).abs() + (prediction - target).square()
    logvar = error.mean().log().requires_grad_()
    for reduction in ("sum", "mean"):
        nll = loss_of(reduction=reduction).reconstruction(prediction, target, logvar).nll
        (slope,) = torch.autograd.grad(nll, logvar)
        assert slope.item() == pytest.approx(0.0, abs=1e-4)
    at = [loss_of().reconstruction(prediction, target, logvar.detach() + step).nll for step in (-0.1, 0.0, 0.1)]
    assert at[1] < min(at[0], at[2])


def test_sum_and_mean_differ_by_the_cells_of_a_map_and_of_a_latent() -> None:
    # A map of one channel and KL-f4 latents: 256 * 256 / (3 * 64 * 64) = 5.33, here at an eighth of the size.
    prediction, target = random_maps(2, 1, 32, 32, seed=1), random_maps(2, 1, 32, 32, seed=2)
    mean, logvar = random_maps(2, 3, 8, 8, seed=3), random_maps(2, 3, 8, 8, seed=4)
    by_sum, by_mean = loss_of(reduction="sum"), loss_of(reduction="mean")
    nll = [loss.reconstruction(prediction, target, torch.tensor(0.1)).nll for loss in (by_sum, by_mean)]
    divergence = [loss.divergence(mean, logvar) for loss in (by_sum, by_mean)]
    assert (nll[0] / nll[1]).item() == pytest.approx(32 * 32, rel=1e-5)
    assert (divergence[0] / divergence[1]).item() == pytest.approx(3 * 8 * 8, rel=1e-5)
    gain = (divergence[1] / nll[1]) / (divergence[0] / nll[0])
    assert gain.item() == pytest.approx(16 / 3, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_batch_costs_the_mean_of_its_halves(reduction: str) -> None:
    loss = AutoencoderLoss(EVERYTHING.replaced(reduction=reduction), 1)
    batch = full_batch()
    whole = loss.reconstruction(log_variance=torch.tensor(0.2), **batch)
    halves = [
        loss.reconstruction(log_variance=torch.tensor(0.2), **{name: value[part] for name, value in batch.items()})
        for part in (slice(0, 2), slice(2, 4))
    ]
    assert whole.nll.item() == pytest.approx((halves[0].nll + halves[1].nll).item() / 2, rel=1e-5)
    for name, value in whole.terms.items():
        assert value.item() == pytest.approx((halves[0].terms[name] + halves[1].terms[name]).item() / 2, rel=1e-4)


def test_a_perfect_reconstruction_costs_the_logvar_alone_and_has_finite_gradients() -> None:
    batch = full_batch()
    batch["prediction"] = batch["target"].clone().requires_grad_()
    found = AutoencoderLoss(EVERYTHING, 1).reconstruction(log_variance=torch.tensor(0.25), **batch)
    assert found.nll.item() == pytest.approx(0.25 * 256, rel=1e-6)
    (gradient,) = torch.autograd.grad(found.nll, batch["prediction"])
    assert gradient.isfinite().all()


def test_gradients_are_those_of_finite_differences() -> None:
    batch = full_batch(2, torch.float64)
    prediction = batch.pop("prediction").requires_grad_()
    logvar = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    loss = AutoencoderLoss(EVERYTHING.replaced(reduction="mean"), 1)
    assert torch.autograd.gradcheck(
        lambda values, log: loss.reconstruction(values, log_variance=log, **batch).nll, (prediction, logvar)
    )


def test_autocast_and_half_precision_inputs_change_little() -> None:
    loss, batch = AutoencoderLoss(EVERYTHING, 1), full_batch()
    plain = loss.reconstruction(log_variance=torch.tensor(0.2), **batch)
    with torch.autocast("cpu", torch.bfloat16):
        same = loss.reconstruction(log_variance=torch.tensor(0.2), **batch)
        batch["prediction"] = batch["prediction"].bfloat16()
        near = loss.reconstruction(log_variance=torch.tensor(0.2), **batch)
    assert same.nll.item() == plain.nll.item()
    # bfloat16 rounds a prediction by 2^-9 of its value.
    assert near.nll.dtype == torch.float32
    assert near.nll.item() == pytest.approx(plain.nll.item(), rel=5e-3)


def test_everything_stays_on_the_device_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    # The meta device refuses tensors of another one; it has no autocast.
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    loss = AutoencoderLoss(EVERYTHING, 1)
    batch = {name: value.to("meta") for name, value in full_batch().items()}
    found = loss.reconstruction(log_variance=torch.zeros((), device="meta"), **batch)
    assert {value.device.type for value in (found.nll, *found.terms.values())} == {"meta"}


def test_the_loss_has_nothing_to_learn_or_to_save() -> None:
    loss = AutoencoderLoss(EVERYTHING, 1)
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == []


def test_logged_terms_do_not_change_with_the_logvar_afterwards() -> None:
    logvar = torch.zeros((), requires_grad=True)
    found = loss_of().reconstruction(random_maps(1, 1, 8, 8), random_maps(1, 1, 8, 8, seed=1), logvar)
    with torch.no_grad():
        logvar += 1.0
    assert found.terms["logvar"].item() == 0.0


def test_edge_weighting_without_weights_is_refused() -> None:
    maps = random_maps(1, 1, 8, 8)
    with pytest.raises(
        ConfigError, match=r"edge_weight=0\.5 and examples without.*data\.edge_weights, or loss\.edge_weight"
    ):
        loss_of(edge_weight=0.5).reconstruction(maps, maps, torch.zeros(()))


def test_the_helmholtz_term_of_several_channels_is_refused() -> None:
    with pytest.raises(ConfigError, match="one channel; got 2 channels"):
        loss_of(2, helmholtz=HelmholtzConfig())


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (2, 1, 8), (2, 3, 8, 8)])
def test_maps_that_would_be_broadcast_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="must have one shape"):
        loss_of().reconstruction(torch.zeros(shape), torch.zeros(2, 1, 8, 8), torch.zeros(()))


def test_an_autoencoder_alone_has_no_discriminator() -> None:
    loss = loss_of(adversarial=None)
    with pytest.raises(ConfigError, match=r"needs AutoencoderLossConfig\.adversarial"):
        loss.discriminator(torch.zeros(1), torch.zeros(1))
    with pytest.raises(ConfigError, match=r"needs AutoencoderLossConfig\.adversarial"):
        loss.adaptive_weight(torch.zeros(1), torch.zeros(1))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_only_cells_of_the_mask_count(reduction: str) -> None:
    # Differences of 0.5 in 8 x 8 cells; 16 cells of the first map count, none of the second one.
    target = torch.zeros(2, 2, 8, 8)
    prediction = (target + 0.5).requires_grad_()
    mask = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    mask[0, :, :2] = True
    logvar = torch.tensor(0.3, requires_grad=True)
    loss = loss_of(2, reduction=reduction, edge_weight=5.0)
    found = loss.reconstruction(prediction, target, logvar, weight=torch.full((2, 1, 8, 8), 0.2), mask=mask)
    edge = 0.1 + 0.01
    nll = (0.5 + 0.25 + 5.0 * edge) / math.exp(0.3) + 0.3
    assert found.nll.item() == pytest.approx(nll * (32 if reduction == "sum" else 1) / 2, rel=1e-5)
    halves = {"l1": 0.25, "mse": 0.125, "edge": edge / 2, "nll": nll / 2, "logvar": 0.3}
    assert {name: value.item() for name, value in found.terms.items()} == pytest.approx(halves, rel=1e-5)
    slope, slope_of_logvar = torch.autograd.grad(found.nll, (prediction, logvar))
    assert torch.equal(slope != 0, mask.expand(2, 2, 8, 8))
    assert slope_of_logvar.item() != 0.0


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_mask_of_all_cells_changes_nothing(reduction: str) -> None:
    loss, batch = AutoencoderLoss(EVERYTHING.replaced(reduction=reduction), 1), full_batch()
    plain = loss.reconstruction(log_variance=torch.tensor(0.2), **batch)
    masked = loss.reconstruction(
        log_variance=torch.tensor(0.2), mask=torch.ones(4, 1, 16, 16, dtype=torch.bool), **batch
    )
    assert masked.nll.item() == pytest.approx(plain.nll.item(), rel=1e-6)
    for name, value in plain.terms.items():
        assert masked.terms[name].item() == pytest.approx(value.item(), rel=1e-6)


@pytest.mark.parametrize("term", ["perceptual", "helmholtz"])
def test_terms_of_a_whole_map_do_not_see_cells_that_do_not_count(term: str) -> None:
    loss, batch = AutoencoderLoss(EVERYTHING, 1), full_batch()
    mask = torch.ones(4, 1, 16, 16, dtype=torch.bool)
    mask[..., 9:] = False
    batch["prediction"].requires_grad_()
    found = loss.reconstruction(log_variance=torch.tensor(0.2), mask=mask, **batch)
    (slope,) = torch.autograd.grad(found.nll, batch["prediction"])
    assert (slope[~mask] == 0).all()
    assert slope[mask].count_nonzero() > 0.9 * mask.sum()
    other = batch | {"prediction": torch.where(mask, batch["prediction"], -0.9)}
    other_terms = loss.reconstruction(log_variance=torch.tensor(0.2), mask=mask, **other).terms
    assert other_terms[term].item() == found.terms[term].item()
    none = loss.reconstruction(log_variance=torch.tensor(0.2), mask=torch.zeros_like(mask), **batch)
    assert (none.nll.item(), none.terms[term].item()) == (0.0, 0.0)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_batch_of_masked_maps_costs_the_mean_of_its_halves(reduction: str) -> None:
    loss = AutoencoderLoss(EVERYTHING.replaced(reduction=reduction), 1)
    batch = full_batch()
    batch["mask"] = torch.rand((4, 1, 16, 16), generator=torch.Generator().manual_seed(3)) < torch.tensor(
        [0.1, 0.9, 0.5, 0.3]
    ).view(4, 1, 1, 1)
    whole, *halves = (
        loss.reconstruction(log_variance=torch.tensor(0.2), **{name: value[part] for name, value in batch.items()}).nll
        for part in (slice(0, 4), slice(0, 2), slice(2, 4))
    )
    assert whole.item() == pytest.approx((halves[0] + halves[1]).item() / 2, rel=1e-5)
