"""The regression U-Net: size, shapes, independence, gradients, precision, refusals."""

import pytest
import torch
from torch import Tensor

from radiodiff.errors import ConfigError, InputError
from radiodiff.models.radio_unet import RadioUnet, build_radio_unet
from radiodiff.models.unet_config import RadioUnetConfig

TINY = RadioUnetConfig(base_channels=8, channel_multipliers=(1, 2, 2), blocks_per_level=2, norm_groups=4)


def random_maps(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_default_has_the_size_of_radiounet() -> None:
    """Levie et al. 2021: 13.3 M parameters."""
    with torch.device("meta"):
        network = RadioUnet(3, 1, RadioUnetConfig().model_dump(mode="json"))
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(13.3e6, rel=0.01)
    assert network.size_multiple == 32


@pytest.mark.parametrize("stem", [1, 2, 4])
@pytest.mark.parametrize(("rows", "cols"), [(16, 16), (32, 48)])
def test_it_gives_a_map_of_the_size_of_the_condition(stem: int, rows: int, cols: int) -> None:
    network = build_radio_unet(TINY.replaced(stem_factor=stem), in_channels=5, out_channels=2)
    assert network.size_multiple == 4 * stem
    assert network(random_maps(2, 5, rows, cols)).shape == (2, 2, rows, cols)


@pytest.mark.parametrize("mixes", [False, True])
@pytest.mark.parametrize("stem", [1, 2])
def test_every_parameter_gets_a_gradient(stem: int, mixes: bool) -> None:
    network = build_radio_unet(TINY.replaced(stem_factor=stem, mixes_condition=mixes), in_channels=3)
    output = network(random_maps(2, 3, 16, 16))
    (output * random_maps(*output.shape)).sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())] == []


@pytest.mark.parametrize("stem", [1, 2])
def test_a_mixing_network_adds_weighted_channels_cell_by_cell(stem: int) -> None:
    network = build_radio_unet(TINY.replaced(stem_factor=stem, mixes_condition=True), in_channels=3, out_channels=2)
    # Own term and three weights of either map, each the same in all cells of a block.
    terms = torch.tensor([[0.5, 1.0, 0.0, -2.0], [0.0, 0.0, 3.0, 0.0]])
    with torch.no_grad():
        network.out.weight.zero_()
        network.out.bias.copy_(terms.flatten().repeat_interleave(stem**2))
    condition = random_maps(2, 3, 16, 16)
    expected = [0.5 + condition[:, 0] - 2.0 * condition[:, 2], 3.0 * condition[:, 1]]
    torch.testing.assert_close(network(condition), torch.stack(expected, dim=1))


def test_each_cell_sees_the_whole_neighbourhood_and_its_own_channels() -> None:
    network = build_radio_unet(TINY.replaced(stem_factor=2), in_channels=1)
    maps = random_maps(1, 1, 16, 16).requires_grad_()
    network(maps)[0, 0, 0, 0].backward()
    assert maps.grad is not None
    assert bool((maps.grad != 0).all())


def test_a_map_does_not_depend_on_the_batch_the_mode_or_random_numbers() -> None:
    network = build_radio_unet(TINY, in_channels=3)
    maps = random_maps(3, 3, 16, 16)
    before = torch.get_rng_state()
    with torch.no_grad():
        together = network.train()(maps)
        torch.testing.assert_close(network(maps[1:2]), together[1:2], rtol=1e-4, atol=1e-5)
        assert torch.equal(network.eval()(maps), together)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_follow_from_the_seed() -> None:
    first, again, other = (build_radio_unet(TINY, in_channels=3, seed=seed).out.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_gradient_checkpointing_changes_no_gradient() -> None:
    gradients = []
    for is_saving in (False, True):
        network = build_radio_unet(TINY, in_channels=3)
        if is_saving:
            network.enable_gradient_checkpointing()
        network(random_maps(1, 3, 16, 16)).square().mean().backward()
        gradients.append([p.grad for p in network.parameters()])
    for plain, saved in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, saved)


def test_half_precision_takes_and_gives_single() -> None:
    network = build_radio_unet(TINY, in_channels=3)
    maps = random_maps(1, 3, 16, 16)
    with torch.no_grad():
        expected = network(maps)
        found = network.to(torch.bfloat16)(maps)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.05)


@pytest.mark.parametrize("shape", [(1, 2, 16, 16), (3, 16, 16)])
def test_other_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"must be \(B, 3, rows, cols\); got shape"):
        build_radio_unet(TINY, in_channels=3)(torch.zeros(shape))


@pytest.mark.parametrize(("rows", "cols"), [(16, 18), (15, 16), (0, 16)])
def test_sizes_that_are_no_multiples_are_refused(rows: int, cols: int) -> None:
    with pytest.raises(InputError, match=f"multiples of 4; got {rows} x {cols}"):
        build_radio_unet(TINY, in_channels=3)(torch.zeros(1, 3, rows, cols))


def test_groups_must_divide_the_channels() -> None:
    with pytest.raises(ConfigError, match="norm_groups must divide"):
        RadioUnetConfig(base_channels=12)
