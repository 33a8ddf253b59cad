"""The autoencoder's size, shapes and seeds."""

import pytest
import torch
from diffusers import AutoencoderKL

from radiodiff.errors import ConfigError
from radiodiff.models.autoencoder import autoencoder_config, build_autoencoder
from radiodiff.models.config import AutoencoderConfig


def size(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_network_has_the_published_parameters() -> None:
    """Figures of docs/radiodiff-method.md, section 2; measured by running the original program."""
    network = build_autoencoder(AutoencoderConfig())
    assert size(network) == 55_307_453
    assert size(network.encoder) == 22_348_934
    assert size(network.decoder) == 32_958_465
    # The 1x1 convolutions at the latents belong to neither: 6 x 6 + 6 and 3 x 3 + 3.
    assert (size(network.quant_conv), size(network.post_quant_conv)) == (42, 12)
    assert autoencoder_config(network) == AutoencoderConfig()


CONFIGS = [
    AutoencoderConfig(base_channels=8, norm_groups=4),
    AutoencoderConfig(base_channels=8, norm_groups=8, channel_multipliers=(1,)),
    AutoencoderConfig(base_channels=8, norm_groups=2, channel_multipliers=(1, 2, 2, 3), blocks_per_level=1),
    AutoencoderConfig(
        base_channels=8, norm_groups=4, in_channels=3, out_channels=2, latent_channels=5, middle_attention=False
    ),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_shapes_and_settings(config: AutoencoderConfig) -> None:
    network = build_autoencoder(config)
    assert autoencoder_config(network) == config
    rows, cols = 4 * config.factor, 3 * config.factor
    maps = torch.zeros(2, config.in_channels, rows, cols)
    with torch.no_grad():
        posterior = network.encode(maps).latent_dist
        decoded = network.decode(posterior.mode()).sample
    assert posterior.mean.shape == (2, config.latent_channels, 4, 3)
    assert decoded.shape == (2, config.out_channels, rows, cols)


def test_every_multiple_of_the_factor_works() -> None:
    config = AutoencoderConfig(base_channels=8, norm_groups=4, channel_multipliers=(1, 2, 2), blocks_per_level=1)
    network = build_autoencoder(config)
    for rows, cols in [(4, 4), (4, 12), (20, 8), (36, 44)]:
        with torch.no_grad():
            assert network(torch.zeros(1, 1, rows, cols)).sample.shape == (1, 1, rows, cols)


def test_widths_that_the_first_does_not_divide_are_told_in_their_common_unit() -> None:
    network = build_autoencoder(AutoencoderConfig(base_channels=8, channel_multipliers=(2, 3), norm_groups=8))
    found = autoencoder_config(network)
    assert (found.base_channels, found.channel_multipliers) == (8, (2, 3))
    network = build_autoencoder(AutoencoderConfig(base_channels=8, channel_multipliers=(2, 4), norm_groups=8))
    found = autoencoder_config(network)
    assert (found.base_channels, found.channel_multipliers) == (16, (1, 2))


def test_the_output_is_not_bounded(tiny: AutoencoderKL) -> None:
    """No tanh: a larger bias of the last convolution moves the output by as much."""
    latents = torch.zeros(1, 3, 4, 4)
    with torch.no_grad():
        before = tiny.decode(latents).sample
        tiny.decoder.conv_out.bias.add_(7.0)
        torch.testing.assert_close(tiny.decode(latents).sample, before + 7.0)


def test_nothing_passes_beside_the_latents(tiny: AutoencoderKL) -> None:
    """No skip connections: the decoder needs the latents alone, and equal latents give equal maps."""
    maps = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        latents = tiny.encode(maps).latent_dist.mode()
        assert torch.equal(tiny.decode(latents).sample, tiny(maps).sample)


def test_weights_follow_from_the_seed_and_the_global_state_stays(tiny_config: AutoencoderConfig) -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first = build_autoencoder(tiny_config, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(12)
    again, other = build_autoencoder(tiny_config, seed=3), build_autoencoder(tiny_config, seed=4)
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)


def test_latents_begin_unscaled(tiny: AutoencoderKL) -> None:
    assert tiny.config.scaling_factor == 1.0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"act_fn": "relu"}, "act_fn='relu'"),
        ({"use_quant_conv": False}, "use_quant_conv=False"),
        ({"use_post_quant_conv": False}, "use_post_quant_conv=False"),
        ({"shift_factor": 0.1}, r"shift_factor=0\.1"),
        ({"down_block_types": ("AttnDownEncoderBlock2D",)}, "AttnDownEncoderBlock2D"),
        ({"up_block_types": ("AttnUpDecoderBlock2D",)}, "AttnUpDecoderBlock2D"),
    ],
)
def test_networks_of_other_parts_have_no_settings_of_ours(settings: dict[str, object], named: str) -> None:
    network = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, **settings)
    with pytest.raises(ConfigError, match=f"must be made of DownEncoderBlock2D .*got {named}"):
        autoencoder_config(network)
