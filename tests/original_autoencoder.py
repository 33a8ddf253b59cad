"""The autoencoder of RadioDiff's original program in plain torch, from its description, and its checkpoint file."""

import copy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["OriginalAutoencoder", "OriginalSettings", "checkpoint_content", "random_original", "save_original"]


@dataclass(frozen=True)
class OriginalSettings:
    """Keys of `ddconfig`."""

    ch: int = 32
    ch_mult: tuple[int, ...] = (1, 2)
    num_res_blocks: int = 1
    z_channels: int = 3
    in_channels: int = 1
    out_ch: int = 1


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


def conv3(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1)


class Block(nn.Module):
    """norm, swish, conv, norm, swish, conv, and the input again."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = group_norm(channels), conv3(channels, out)
        self.norm2, self.conv2 = group_norm(out), conv3(out, out)
        if channels != out:
            self.nin_shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class Attention(nn.Module):
    """Each cell looks at all others, one head, 1x1 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = group_norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        q, k, v = (part(normed).flatten(2) for part in (self.q, self.k, self.v))
        weights = torch.softmax(torch.einsum("bci,bcj->bij", q, k) / x.shape[1] ** 0.5, dim=2)
        return x + self.proj_out(torch.einsum("bij,bcj->bci", weights, v).reshape(x.shape))


class Middle(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1, self.attn_1, self.block_2 = (
            Block(channels, channels),
            Attention(channels),
            Block(channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Resize(nn.Module):
    """Half as many rows and columns (one zero more at the bottom and on the right), or twice as many."""

    def __init__(self, channels: int, *, is_up: bool) -> None:
        super().__init__()
        self.is_up = is_up
        self.conv = conv3(channels, channels) if is_up else nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        if self.is_up:
            return self.conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))
        return self.conv(functional.pad(x, (0, 1, 0, 1)))


class Level(nn.Module):
    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.block = nn.ModuleList(Block(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        return x


class Encoder(nn.Module):
    def __init__(self, s: OriginalSettings) -> None:
        super().__init__()
        widths = [s.ch * factor for factor in s.ch_mult]
        self.conv_in = conv3(s.in_channels, s.ch)
        self.down = nn.ModuleList()
        for i, width in enumerate(widths):
            level = Level([widths[i - 1] if i else s.ch, *[width] * s.num_res_blocks])
            if i < len(widths) - 1:
                level.downsample = Resize(width, is_up=False)
            self.down.append(level)
        self.mid = Middle(widths[-1])
        self.norm_out, self.conv_out = group_norm(widths[-1]), conv3(widths[-1], 2 * s.z_channels)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
            h = level.downsample(h) if hasattr(level, "downsample") else h
        return self.conv_out(functional.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    def __init__(self, s: OriginalSettings) -> None:
        super().__init__()
        widths = [s.ch * factor for factor in s.ch_mult]
        self.conv_in = conv3(s.z_channels, widths[-1])
        self.mid = Middle(widths[-1])
        levels = []
        for i, width in enumerate(widths):
            before = widths[min(i + 1, len(widths) - 1)]
            level = Level([before, *[width] * (s.num_res_blocks + 1)])
            if i > 0:
                level.upsample = Resize(width, is_up=True)
            levels.append(level)
        self.up = nn.ModuleList(levels)
        self.norm_out, self.conv_out = group_norm(widths[0]), conv3(widths[0], s.out_ch)

    def forward(self, z: Tensor) -> Tensor:
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            h = level(h)
            h = level.upsample(h) if hasattr(level, "upsample") else h
        return self.conv_out(functional.silu(self.norm_out(h)))


class OriginalAutoencoder(nn.Module):
    def __init__(self, settings: OriginalSettings = OriginalSettings()) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(settings), Decoder(settings)
        self.quant_conv = nn.Conv2d(2 * settings.z_channels, 2 * settings.z_channels, 1)
        self.post_quant_conv = nn.Conv2d(settings.z_channels, settings.z_channels, 1)

    def moments(self, x: Tensor) -> Tensor:
        """Mean and logarithm of the variance, one after the other."""
        return self.quant_conv(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(z))


def random_original(settings: OriginalSettings = OriginalSettings(), seed: int = 0) -> OriginalAutoencoder:
    """A network whose weights, norms and biases are all away from their usual first values."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = OriginalAutoencoder(settings).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def checkpoint_content(model: nn.Module, ema: nn.Module, step: int = 150_000, wrapper: str = "") -> dict[str, Any]:
    """What `model-<n>.pt` holds after some steps of both optimizers.

    Args:
        model: The network.
        ema: Its moving average.
        step: Training step.
        wrapper: Prefix of what the network was wrapped in: "module." or "".
    """
    discriminator = nn.Conv2d(1, 1, 4)
    losses = {
        "loss.logvar": torch.zeros(()),
        "loss.perceptual_loss.net.slice1.0.weight": torch.rand(2, 3, 3, 3),
        **{f"loss.discriminator.main.0.{name}": tensor for name, tensor in discriminator.state_dict().items()},
    }
    trained = copy.deepcopy(model)
    optimizers = []
    for network in (trained, discriminator):
        optimizer = torch.optim.AdamW(network.parameters(), lr=5e-6)
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        optimizers.append(optimizer)
    schedulers = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5) for optimizer in optimizers]
    weights = {f"{wrapper}{name}": tensor for name, tensor in (model.state_dict() | losses).items()}
    averages = {f"ema_model.{wrapper}{name}": tensor for name, tensor in (ema.state_dict() | losses).items()}
    return {
        "step": step,
        "model": weights,
        "opt_ae": optimizers[0].state_dict(),
        "lr_scheduler_ae": schedulers[0].state_dict(),
        "opt_disc": optimizers[1].state_dict(),
        "lr_scheduler_disc": schedulers[1].state_dict(),
        "ema": {"initted": torch.tensor([True]), "step": torch.tensor([step]), **averages},
        "scaler": None,
    }


def save_original(path: Path, model: nn.Module, ema: nn.Module | None = None, **options: Any) -> Path:
    """Write a checkpoint; without `ema` the average is the network itself."""
    torch.save(checkpoint_content(model, model if ema is None else ema, **options), path)
    return path
