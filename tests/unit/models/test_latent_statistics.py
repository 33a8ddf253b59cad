"""Statistics of latents against numpy on all of them at once."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from radiodiff.errors import CheckpointError, InputError
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.config import AutoencoderConfig
from radiodiff.models.latent_statistics import LatentStatistics, measure_latents

MAPS = torch.rand((7, 1, 16, 24), generator=torch.Generator().manual_seed(1)) * 2 - 1


def batched(maps: Tensor, size: int) -> Iterator[Tensor]:
    return iter(maps.split(size))


def values(statistics: LatentStatistics) -> dict[str, object]:
    return statistics.to_dict()


@pytest.fixture
def uneven(tiny: AutoencoderKL) -> AutoencoderKL:
    """An autoencoder whose channels differ: one far from 0, one that says next to nothing, one narrow."""
    with torch.no_grad():
        tiny.quant_conv.weight.zero_()
        for channel, (slope, offset, logvar) in enumerate([(1.0, 50.0, -2.0), (1e-3, 0.0, 0.0), (3.0, -1.0, -8.0)]):
            tiny.quant_conv.weight[channel, channel] = slope
            tiny.quant_conv.bias[channel] = offset
            tiny.quant_conv.bias[channel + 3] = logvar
    return tiny


def test_they_are_those_of_numpy_on_all_latents(uneven: AutoencoderKL) -> None:
    found = measure_latents(uneven, batched(MAPS, 3), seed=4)
    with torch.no_grad():
        posterior = uneven.encode(MAPS).latent_dist
    mean = posterior.mean.double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    std = posterior.std.double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    noise = np.stack([np.random.default_rng((4, number)).standard_normal((3, 8 * 12)) for number in range(7)])
    sampled = mean + std * noise.transpose(1, 0, 2).reshape(3, -1)
    assert found.num_maps == 7
    np.testing.assert_allclose(found.mean, sampled.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.std, sampled.std(axis=1), rtol=1e-6)
    assert found.scaling_factor == pytest.approx(1 / sampled.std(), rel=1e-6)
    np.testing.assert_allclose(found.mean_variance, mean.var(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found.mean_posterior_std, std.mean(axis=1), rtol=1e-6)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(torch.from_numpy(mean), torch.from_numpy(std)), torch.distributions.Normal(0.0, 1.0)
    )
    np.testing.assert_allclose(found.divergence_nats, kl.mean(dim=1).numpy(), rtol=1e-6)
    assert (found.active_units, found.num_channels) == (int((mean.var(axis=1) > 0.01).sum()), 3)
    # The channel of slope 0.001 is the one that says nothing.
    assert found.active_units == 2
    assert (found.scaling_factor * sampled).std() == pytest.approx(1.0, rel=1e-6)


def test_the_divergence_is_that_of_the_posterior(tiny: AutoencoderKL) -> None:
    found = measure_latents(tiny, [MAPS], seed=0)
    with torch.no_grad():
        kl = tiny.encode(MAPS).latent_dist.kl()
    assert sum(found.divergence_nats) * 8 * 12 == pytest.approx(float(kl.mean()), rel=1e-5)


def test_they_do_not_depend_on_the_batches(tiny: AutoencoderKL) -> None:
    whole = values(measure_latents(tiny, [MAPS], seed=2))
    for size in (1, 2, 5):
        parts = values(measure_latents(tiny, batched(MAPS, size), seed=2))
        assert whole.keys() == parts.keys()
        for key, value in whole.items():
            np.testing.assert_allclose(parts[key], value, rtol=1e-5, atol=1e-6)
    other = measure_latents(tiny, [MAPS], seed=3)
    assert list(other.mean) != whole["mean"]
    assert list(other.mean_variance) == whole["mean_variance"]


def test_a_mean_far_from_zero_costs_no_digits(uneven: AutoencoderKL) -> None:
    """The sum of squares of float32 would lose the variance of latents around 50,000."""
    with torch.no_grad():
        uneven.quant_conv.weight[0].zero_()
        uneven.quant_conv.bias[0] = 50_000.0
        uneven.quant_conv.bias[3] = -2.0
    found = measure_latents(uneven, [MAPS], seed=0)
    assert found.std[0] == pytest.approx(np.exp(-1.0), rel=0.1)
    assert found.mean_variance[0] == 0.0


def test_sizes_may_differ_and_the_global_state_stays(tiny: AutoencoderKL) -> None:
    before = torch.get_rng_state()
    found = measure_latents(tiny, [MAPS, MAPS[:2, :, :8, :8]], seed=0)
    assert found.num_maps == 9
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(parameter.grad is not None for parameter in tiny.parameters())


def test_json_and_back(latents: LatentStatistics) -> None:
    content = json.loads(json.dumps(latents.to_dict()))
    # A channel is active above 0.01, not at it.
    assert content["active_units"] == 2
    assert LatentStatistics.from_dict(content) == latents


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": 1}, "other keys"),
        ({"mean": ["a", "b", "c"]}, "could not convert"),
        ({"std": None}, "not iterable"),
        ({"std": [1.0]}, "different numbers of channels"),
        ({"scaling_factor": None}, "NoneType"),
    ],
)
def test_another_content_is_refused(latents: LatentStatistics, change: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=f"must hold what .*{reason}"):
        LatentStatistics.from_dict(latents.to_dict() | change)
    with pytest.raises(InputError, match="must hold what"):
        LatentStatistics.from_dict({})


def test_a_negative_seed_is_refused(tiny: AutoencoderKL) -> None:
    with pytest.raises(InputError, match="seed of samples must be at least 0; got -1"):
        measure_latents(tiny, [MAPS], seed=-1)


def test_no_maps_are_refused(tiny: AutoencoderKL) -> None:
    with pytest.raises(InputError, match="at least one map; got none"):
        measure_latents(tiny, [], seed=0)


@pytest.mark.parametrize("size", [(15, 24), (16, 23), (15, 23)])
def test_maps_of_any_size_are_padded_with_no_signal(tiny: AutoencoderKL, size: tuple[int, int]) -> None:
    rows, cols = size
    padded = MAPS.clone()
    padded[:, :, rows:] = padded[..., cols:] = -1.0
    found = measure_latents(tiny, [MAPS[..., :rows, :cols]], seed=0)
    assert found.to_dict() == measure_latents(tiny, [padded], seed=0).to_dict()


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (1, 8, 8)])
def test_maps_that_do_not_fit_are_refused(tiny: AutoencoderKL, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"must be \(B, 1, rows, cols\); got shape"):
        measure_latents(tiny, [torch.zeros(shape)], seed=0)


def test_a_map_with_nan_is_named(tiny: AutoencoderKL) -> None:
    bad = MAPS.clone()
    bad[4] = torch.nan
    with pytest.raises(CheckpointError, match="must be finite; got not so for map 4"):
        measure_latents(tiny, batched(bad, 2), seed=0)


def test_a_single_latent_has_no_scale() -> None:
    config = AutoencoderConfig(
        base_channels=4, channel_multipliers=(1, 1), blocks_per_level=1, norm_groups=2, latent_channels=1
    )
    network = build_autoencoder(config)
    with pytest.raises(InputError, match="must differ to be scaled; got a standard deviation of 0 over 1 numbers"):
        measure_latents(network, [torch.zeros(1, 1, 2, 2)], seed=0)
    assert measure_latents(network, [torch.zeros(1, 1, 2, 4)], seed=0).scaling_factor > 0
