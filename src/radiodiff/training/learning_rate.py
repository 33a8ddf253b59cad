"""The learning rate over a run, as a closed form of the number of updates."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from radiodiff.training.config import OptimizerConfig

__all__ = ["learning_rate", "schedule"]


def learning_rate(config: OptimizerConfig, update: int, num_updates: int) -> float:
    """Learning rate of update 0..num_updates-1; it stays at the last value after.

    `max(floor, lr (1 - s/N)^power)` or a half cosine from `lr` to the floor, N updates without those of the warm-up;
    the warm-up rises linearly and reaches `lr` at its end.

    Source: the polynomial is that of RadioDiff (Wang et al. 2025), with the floor as a rate.
    """
    settings = config.schedule
    if update < settings.warmup_updates:
        return config.learning_rate * (update + 1) / (settings.warmup_updates + 1)
    progress = min((update - settings.warmup_updates) / max(num_updates - settings.warmup_updates, 1), 1.0)
    if settings.kind == "constant":
        return config.learning_rate
    if settings.kind == "cosine":
        return settings.floor + (config.learning_rate - settings.floor) * 0.5 * (1.0 + math.cos(math.pi * progress))
    return max(settings.floor, config.learning_rate * math.pow(1.0 - progress, settings.power))


def schedule(
    optimizer: Optimizer, config: OptimizerConfig, num_updates: int, *, update: int = 0, scale: float = 1.0
) -> LambdaLR:
    """A scheduler that stands at an update; a run that goes on takes the learning rate of its present settings.

    Args:
        optimizer: Its learning rates are set.
        config: The learning rate.
        num_updates: Updates of the whole run.
        update: The next update.
        scale: Factor on every rate, the floor included.
    """
    for group in optimizer.param_groups:
        group["initial_lr"] = config.learning_rate * scale
    factor: Callable[[int], float] = lambda s: learning_rate(config, s, num_updates) / config.learning_rate  # noqa: E731
    return LambdaLR(optimizer, factor, last_epoch=update - 1)
