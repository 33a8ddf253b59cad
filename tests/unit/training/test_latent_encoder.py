"""The frozen first stage, and how much its latent cells count."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch.nn import functional

from radiodiff.diffusion.config import DiffusionConfig, DiffusionLossConfig
from radiodiff.diffusion.objective import example_losses, weighted_losses
from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_weights import latent_weights
from radiodiff.training.precision import tensor_float_32, without_float16
from second_stage import small_autoencoder


def maps(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_posteriors_are_those_of_padded_maps() -> None:
    autoencoder = small_autoencoder()
    encoder = LatentEncoder(autoencoder, 16)
    images = maps(2, 1, 20, 33)
    found = encoder.posterior(images)
    expected = autoencoder.encode(functional.pad(images, (0, 15, 0, 12), value=-1.0)).latent_dist
    assert torch.equal(found, torch.cat([expected.mean, expected.std], dim=1))
    assert not found.requires_grad
    assert found.shape[2:] == encoder.latent_shape(20, 33)[1:] == (16, 24)
    assert encoder.latent_shape(16, 48) == (3, 8, 24)


def test_an_encoder_learns_no_more() -> None:
    autoencoder = small_autoencoder().train()
    LatentEncoder(autoencoder, 8)
    assert not autoencoder.training
    assert not any(parameter.requires_grad for parameter in autoencoder.parameters())


def test_fingerprints_tell_encoders_apart() -> None:
    first = LatentEncoder(small_autoencoder(), 8).fingerprint
    assert len(bytes.fromhex(first)) == 32
    assert LatentEncoder(small_autoencoder(), 16).fingerprint == first
    assert LatentEncoder(small_autoencoder(1), 8).fingerprint != first
    changed = small_autoencoder()
    with torch.no_grad():
        changed.quant_conv.bias[0] += 1e-6
    assert LatentEncoder(changed, 8).fingerprint != first


def test_weights_must_be_finite() -> None:
    autoencoder = small_autoencoder()
    with torch.no_grad():
        autoencoder.decoder.conv_in.weight[0, 0] = float("nan")
    with pytest.raises(CheckpointError, match=r"must be finite; got decoder\.conv_in\.weight"):
        LatentEncoder(autoencoder, 8)


def test_the_multiple_must_hold_whole_latent_cells() -> None:
    with pytest.raises(ConfigError, match=r"must divide.*2 and 9"):
        LatentEncoder(small_autoencoder(), 9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_latents_are_the_same_in_every_precision_of_a_run(dtype: torch.dtype) -> None:
    encoder, images = LatentEncoder(small_autoencoder(), 8), maps(1, 1, 16, 16)
    plain = encoder.posterior(images)
    with torch.autocast("cpu", dtype=dtype):
        found = encoder.posterior(images)
    assert found.dtype == torch.float32
    assert torch.equal(found, plain)


@pytest.mark.parametrize(
    ("around", "inside"),
    [(torch.float16, torch.float32), (torch.bfloat16, torch.bfloat16), (None, torch.float32)],
)
def test_float16_is_left_out_and_nothing_else(around: torch.dtype | None, inside: torch.dtype) -> None:
    matrix = torch.ones(4, 4)
    with nullcontext() if around is None else torch.autocast("cpu", dtype=around):
        with without_float16(torch.device("cpu")):
            assert torch.mm(matrix, matrix).dtype == inside
        assert torch.mm(matrix, matrix).dtype == (around or torch.float32)


def test_latents_are_computed_with_all_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU would multiply with ten bits of mantissa where TF32 is allowed; the run keeps what it has allowed."""
    encoder = LatentEncoder(small_autoencoder(), 4)
    encode, seen = encoder.autoencoder.encode, []

    def allowed() -> tuple[bool, bool]:
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    def watched(images: torch.Tensor) -> Any:
        seen.append(allowed())
        return encode(images)

    monkeypatch.setattr(encoder.autoencoder, "encode", watched)
    before = allowed()
    try:
        tensor_float_32(True)
        encoder.posterior(maps(1, 1, 8, 8))
        assert (seen, allowed()) == ([(False, False)], (True, True))
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_latent_cells_count_as_the_share_of_their_cells_that_do() -> None:
    encoder = LatentEncoder(small_autoencoder(), 8)
    mask = torch.rand((2, 1, 20, 23), generator=torch.Generator().manual_seed(1)) < 0.6
    found = latent_weights(mask, encoder)
    assert found.shape == (2, 1, 12, 12)
    for row in range(12):
        for col in range(12):
            # Padding is a part of a latent cell, too.
            cells = mask[:, 0, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
            assert found[:, 0, row, col].tolist() == (cells.flatten(1).sum(1) / 4).tolist()
    assert set(found.unique().tolist()) == {0.0, 0.25, 0.5, 0.75, 1.0}


PROCESS = DiffusionConfig(), DiffusionLossConfig(weighting="exponential")


def losses_of(shape: tuple[int, ...], seed: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    clean, noise = (torch.randn(shape, generator=generator) for _ in range(2))
    output = torch.randn((shape[0], 2 * shape[1], *shape[2:]), generator=generator)
    return output, clean, noise, torch.rand(shape[0], generator=generator)


def test_losses_are_means_by_weight() -> None:
    output, clean, noise, t = losses_of((3, 3, 4, 6))
    weights = torch.zeros((3, 1, 4, 6))
    weights[0, :, :2] = 0.5
    weights[1] = 1.0
    found = weighted_losses(output, (clean, noise), t, PROCESS, weights)
    cut = example_losses(output[:1, :, :2], clean[:1, :, :2], noise[:1, :, :2], t[:1], *PROCESS)
    whole = example_losses(output, clean, noise, t, *PROCESS)
    torch.testing.assert_close(found.loss, torch.stack([cut.loss[0], whole.loss[1], torch.tensor(0.0)]))
    for name, values in found.terms.items():
        torch.testing.assert_close(values, torch.stack([cut.terms[name][0], whole.terms[name][1], torch.tensor(0.0)]))
    # Twice as much as another cell is as if it were there twice.
    weights[0, :, :1] = 1.0
    doubled = [torch.cat([one[:1, :, :2], one[:1, :, :1]], dim=2) for one in (output, clean, noise)]
    twice = weighted_losses(output, (clean, noise), t, PROCESS, weights).loss[:1]
    torch.testing.assert_close(twice, example_losses(*doubled, t[:1], *PROCESS).loss)


def test_maps_without_holes_have_the_very_same_losses() -> None:
    output, clean, noise, t = losses_of((3, 3, 5, 7))
    whole = example_losses(output, clean, noise, t, *PROCESS)
    for weights in (None, torch.ones((3, 1, 5, 7))):
        found = weighted_losses(output, (clean, noise), t, PROCESS, weights)
        assert torch.equal(found.loss, whole.loss)
        assert all(torch.equal(values, whole.terms[name]) for name, values in found.terms.items())


def test_cells_that_do_not_count_may_be_anything() -> None:
    output, clean, noise, t = losses_of((1, 3, 4, 6))
    weights = torch.zeros((1, 1, 4, 6))
    weights[..., :3] = 0.75
    expected = weighted_losses(output, (clean, noise), t, PROCESS, weights).loss
    output[..., 3:] = float("nan")
    output.requires_grad_()
    found = weighted_losses(output, (clean, noise), t, PROCESS, weights).loss
    assert torch.equal(found, expected)
    (slope,) = torch.autograd.grad(found.sum(), output)
    assert not slope[..., 3:].any()
    assert slope[..., :3].all()
