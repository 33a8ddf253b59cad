"""LPIPS against its formula on a VGG16 put together from layers, with random weights in the published files' layout."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from radiodiff.errors import CheckpointError, InputError
from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AutoencoderLossConfig, PerceptualConfig
from radiodiff.losses.lpips import Lpips

WIDTHS = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
"""Configuration D of Simonyan and Zisserman; its layers in this order have the numbers of torchvision's file."""

TAPS = (3, 8, 15, 22, 29)
"""relu1_2, relu2_2, relu3_3, relu4_3, relu5_3."""


def vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    width_in = 3
    for width in WIDTHS:
        if width == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(width_in, width, 3, padding=1), nn.ReLU()]
            width_in = width
    features = nn.Sequential(*layers)
    generator = torch.Generator().manual_seed(0)
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            nn.init.normal_(layer.bias, std=0.1, generator=generator)
    return features


def head_weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.rand((1, width, 1, 1), generator=generator) for width in (64, 128, 256, 512, 512)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("lpips")
    state = {f"features.{name}": value for name, value in vgg16().state_dict().items()}
    # As published: the old format, with the classifier that nothing here needs.
    state["classifier.6.bias"] = torch.zeros(1000)
    torch.save(state, folder / "vgg16.pth", _use_new_zipfile_serialization=False)
    torch.save({f"lin{i}.model.1.weight": w for i, w in enumerate(head_weights())}, folder / "heads.pth")
    return folder / "vgg16.pth", folder / "heads.pth"


@pytest.fixture(scope="module")
def lpips(files: tuple[Path, Path]) -> Lpips:
    return Lpips(*files)


def by_formula(first: Tensor, second: Tensor) -> Tensor:
    """Equation 1 of Zhang et al. on colour images (N, 3, rows, cols), in float64."""
    network = vgg16().double()
    total = torch.zeros(len(first), dtype=torch.float64)
    features = []
    for image in (first, second):
        # ImageNet's mean and deviation, for values in [0, 1]; rounded to three digits as in LPIPS.
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        values = ((image.double() + 1) / 2 - mean[:, None, None]) / deviation[:, None, None]
        taps = []
        for number, layer in enumerate(network):
            values = layer(values)
            if number in TAPS:
                taps.append(values / values.square().sum(dim=1, keepdim=True).sqrt())
        features.append(taps)
    for one, other, head in zip(*features, head_weights(), strict=True):
        total = total + ((one - other).square() * head).sum(dim=1).mean(dim=(1, 2))
    return total.detach()


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2.0 - 1.0


@pytest.mark.parametrize(("num_channels", "size"), [(1, (33, 40)), (2, (32, 32)), (3, (32, 32)), (5, (32, 32))])
def test_channels_are_grey_images_and_averaged(lpips: Lpips, num_channels: int, size: tuple[int, int]) -> None:
    first, second = (random_maps(2, num_channels, *size, seed=seed) for seed in (1, 2))
    expected = sum(
        by_formula(*(maps[:, c : c + 1].repeat(1, 3, 1, 1) for maps in (first, second))) for c in range(num_channels)
    )
    torch.testing.assert_close(lpips(first, second).double(), expected / num_channels, rtol=1e-4, atol=0)


def test_it_is_symmetric_and_zero_for_equal_maps(lpips: Lpips) -> None:
    first, second = random_maps(2, 1, 16, 16, seed=1), random_maps(2, 1, 16, 16, seed=2)
    torch.testing.assert_close(lpips(first, second), lpips(second, first))
    assert lpips(first, second).min() > 0.0
    assert lpips(first, first).tolist() == [0.0, 0.0]


def test_gradients_reach_the_maps_alone_and_are_finite(lpips: Lpips) -> None:
    target = random_maps(1, 1, 16, 16)
    for prediction in (target.clone(), torch.full_like(target, -1.0)):
        prediction.requires_grad_()
        lpips(prediction, target).sum().backward()
        assert prediction.grad is not None
        assert prediction.grad.isfinite().all()
    assert list(lpips.parameters()) == []


def test_features_that_are_all_zero_have_a_finite_gradient(files: tuple[Path, Path], tmp_path: Path) -> None:
    state = {name: torch.zeros_like(value) for name, value in torch.load(files[0], weights_only=True).items()}
    torch.save(state, tmp_path / "dark.pth")
    prediction = random_maps(1, 1, 16, 16).requires_grad_()
    Lpips(tmp_path / "dark.pth", files[1])(prediction, torch.zeros(1, 1, 16, 16)).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()


def test_training_mode_changes_nothing(files: tuple[Path, Path]) -> None:
    config = AutoencoderLossConfig(perceptual=PerceptualConfig(kind="lpips", vgg16=files[0], heads=files[1]))
    loss = AutoencoderLoss(config, 1)
    prediction, target = random_maps(1, 1, 16, 16, seed=1), random_maps(1, 1, 16, 16, seed=2)
    found = []
    for mode in (True, False, True):
        loss.train(mode)
        found.append(loss.reconstruction(prediction, target, torch.zeros(())))
        assert not any(module.training for module in loss.modules() if isinstance(module, Lpips))
    assert found[0].nll == found[1].nll == found[2].nll
    expected = Lpips(*files)(prediction, target)
    assert found[0].terms["perceptual"].item() == expected.item()


def test_its_weights_are_in_no_checkpoint(files: tuple[Path, Path]) -> None:
    config = AutoencoderLossConfig(perceptual=PerceptualConfig(kind="lpips", vgg16=files[0], heads=files[1]))
    loss = AutoencoderLoss(config, 1)
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == []
    # They still move with the loss.
    assert {buffer.device.type for buffer in loss.to("meta").buffers()} == {"meta"}


def test_autocast_does_not_reach_it(lpips: Lpips) -> None:
    first, second = random_maps(1, 1, 16, 16, seed=1), random_maps(1, 1, 16, 16, seed=2)
    with torch.autocast("cpu", torch.bfloat16):
        found = lpips(first, second)
    assert found.dtype == torch.float32
    assert found.item() == lpips(first, second).item()
    assert lpips(first.bfloat16(), second.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("naming", ["lins.{}.model.1.weight", "lin{}.weight"])
def test_heads_may_have_the_names_of_other_writers(
    naming: str, files: tuple[Path, Path], lpips: Lpips, tmp_path: Path
) -> None:
    torch.save({naming.format(i): w for i, w in enumerate(head_weights())}, tmp_path / "heads.pth")
    maps = [random_maps(1, 1, 16, 16, seed=seed) for seed in (1, 2)]
    assert Lpips(files[0], tmp_path / "heads.pth")(*maps).item() == lpips(*maps).item()


def test_files_may_be_safetensors(files: tuple[Path, Path], lpips: Lpips, tmp_path: Path) -> None:
    paths = [tmp_path / f"{path.stem}.safetensors" for path in files]
    for path, new in zip(files, paths, strict=True):
        save_file(torch.load(path, weights_only=True), new)
    maps = [random_maps(1, 1, 16, 16, seed=seed) for seed in (1, 2)]
    assert Lpips(*paths)(*maps).item() == lpips(*maps).item()


def test_missing_files_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"file of VGG16 must be there; got .*none\.pth.*loss\.perceptual\.vgg16"):
        Lpips(tmp_path / "none.pth", files[1])
    with pytest.raises(
        CheckpointError, match=r"file of LPIPS heads must be there; got .*none\.pth.*loss\.perceptual\.heads"
    ):
        Lpips(files[0], tmp_path / "none.pth")


def test_a_file_with_other_arrays_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(CheckpointError, match=r"must hold features\.0\.weight of shape \(64, 3, 3, 3\); got none in"):
        Lpips(files[1], files[1])


@pytest.mark.parametrize("wrong", [torch.zeros(1, 64), [1.0]])
def test_arrays_of_another_shape_are_refused(wrong: object, files: tuple[Path, Path], tmp_path: Path) -> None:
    content: dict[str, object] = {f"lin{i}.weight": w for i, w in enumerate(head_weights())}
    torch.save(content | {"lin0.weight": wrong}, tmp_path / "heads.pth")
    with pytest.raises(CheckpointError, match=r"or lin0\.weight of shape \(1, 64, 1, 1\)"):
        Lpips(files[0], tmp_path / "heads.pth")


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def foreign(path: Path) -> None:
    path.write_text("no weights at all")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_list(path: Path) -> None:
    torch.save([torch.zeros(1)], path)


def with_code(path: Path) -> None:
    torch.save({"features.0.weight": Path("code")}, path)


@pytest.mark.parametrize("change", [damaged, foreign, empty, a_list, with_code])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files_that_cannot_be_read_are_refused(
    change: Callable[[Path], None], suffix: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / f"heads{suffix}"
    path.write_bytes(files[1].read_bytes())
    change(path)
    with pytest.raises(
        CheckpointError, match=r"LPIPS heads must be readable without running code from it; got .*heads"
    ):
        Lpips(files[0], path)


def test_small_maps_and_other_shapes_are_refused(lpips: Lpips) -> None:
    with pytest.raises(InputError, match=r"at least for LPIPS; got 16 x 15.*loss\.perceptual\.kind"):
        lpips(torch.zeros(1, 1, 16, 15), torch.zeros(1, 1, 16, 15))
    with pytest.raises(InputError, match="one shape"):
        lpips(torch.zeros(1, 1, 16, 16), torch.zeros(1, 3, 16, 16))
