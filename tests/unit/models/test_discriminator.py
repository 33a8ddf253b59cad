"""The patch discriminator: size, patches, norms, first weights."""

import pytest
import torch
from torch import Tensor, nn

from radiodiff.errors import InputError
from radiodiff.models.config import DiscriminatorConfig
from radiodiff.models.discriminator import PatchDiscriminator, build_discriminator

SMALL = DiscriminatorConfig(base_channels=8)


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_network_has_the_published_parameters() -> None:
    """Figure of docs/radiodiff-method.md, section 2; 16 cells of a kernel for each channel of a condition more."""
    assert size(build_discriminator(1, DiscriminatorConfig())) == 2_763_585
    assert size(build_discriminator(4, DiscriminatorConfig())) == 2_763_585 + 3 * 64 * 16


def test_the_layers_are_those_of_the_method() -> None:
    convolutions = [m for m in build_discriminator(1, DiscriminatorConfig()).modules() if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convolutions] == [64, 128, 256, 512, 1]
    assert [conv.stride[0] for conv in convolutions] == [2, 2, 2, 1, 1]
    assert {conv.kernel_size for conv in convolutions} == {(4, 4)}
    deep = build_discriminator(1, SMALL.replaced(num_layers=5))
    assert [m.out_channels for m in deep.modules() if isinstance(m, nn.Conv2d)] == [8, 16, 32, 64, 64, 64, 1]


@pytest.mark.parametrize(
    ("norm", "kind"), [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm), ("none", None)], ids=lambda x: str(x)
)
def test_norms(norm: str, kind: type[nn.Module] | None) -> None:
    network = build_discriminator(2, SMALL.replaced(norm=norm))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)]
    assert [type(m) for m in norms] == [kind] * (0 if kind is None else 3)
    biased = [m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert biased == [True, *[kind is None] * 3, True]
    assert network(torch.zeros(2, 2, 32, 40)).shape == (2, 1, 2, 3)


@pytest.mark.parametrize(("norm", "is_alone"), [("batch", False), ("group", True), ("none", True)])
def test_which_norms_look_at_other_maps(norm: str, is_alone: bool) -> None:
    network = build_discriminator(1, SMALL.replaced(norm=norm))
    maps = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = network(maps)[:1], network(maps[:1])
    assert torch.allclose(together, alone, atol=1e-6) is is_alone


def touched(network: PatchDiscriminator, rows: int) -> Tensor:
    """Cells that the first logit of a map looks at."""
    maps = torch.zeros(1, 1, rows, rows, requires_grad=True)
    network(maps)[0, 0, 3, 3].backward()
    return maps.grad[0, 0].any(dim=1).sum()


def test_a_logit_sees_a_patch_of_70_cells() -> None:
    """Isola et al. 2017: the discriminator of these layers is the 70 x 70 PatchGAN."""
    network = build_discriminator(1, SMALL.replaced(norm="none"), seed=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    assert touched(network, 128) == 70


@pytest.mark.parametrize("num_layers", [1, 2, 3, 4])
def test_the_smallest_map_gives_one_logit_and_a_smaller_one_is_refused(num_layers: int) -> None:
    network = build_discriminator(1, SMALL.replaced(num_layers=num_layers))
    smallest = network.smallest_map
    assert smallest == 3 * 2**num_layers
    assert network(torch.zeros(1, 1, smallest, smallest)).shape == (1, 1, 1, 1)
    assert network.layers(torch.zeros(1, 1, smallest, 4 * smallest)).shape[2] == 1
    with pytest.raises(RuntimeError, match="size"):
        network.layers(torch.zeros(1, 1, smallest - 1, smallest))
    for rows, cols in [(smallest - 1, smallest), (smallest, smallest - 1)]:
        with pytest.raises(InputError, match=f"at least {smallest} rows and columns; got {rows} x {cols}"):
            network(torch.zeros(1, 1, rows, cols))


@pytest.mark.parametrize("shape", [(1, 2, 32, 32), (1, 32, 32)])
def test_other_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"judges maps \(B, 1, rows, cols\); got shape"):
        build_discriminator(1, SMALL)(torch.zeros(shape))


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_first_weights_are_those_of_dcgan(norm: str) -> None:
    network = build_discriminator(1, DiscriminatorConfig(base_channels=32, norm=norm))
    kernels = torch.cat([m.weight.detach().flatten() for m in network.modules() if isinstance(m, nn.Conv2d)])
    scales = torch.cat([m.weight.detach() for m in network.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)])
    assert abs(float(kernels.mean())) < 2e-4
    assert float(kernels.std()) == pytest.approx(0.02, rel=0.01)
    assert float(scales.mean()) == pytest.approx(1.0, abs=0.005)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.2)
    assert all(bool((p == 0).all()) for name, p in network.named_parameters() if name.endswith("bias"))


def test_weights_follow_from_the_seed_and_the_global_state_stays() -> None:
    before = torch.get_rng_state()
    first, again, other = (build_discriminator(1, SMALL, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [torch.cat([p.flatten() for p in network.parameters()]) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_logits_are_not_bounded() -> None:
    network = build_discriminator(1, SMALL.replaced(norm="none"))
    with torch.no_grad():
        network.layers.conv_out.bias.fill_(5.0)
        assert float(network(torch.zeros(1, 1, 32, 32)).min()) == 5.0
