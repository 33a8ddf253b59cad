"""The learning rate over a run, as a closed form of the number of updates.

PyTorch's schedulers count their own calls: one that rests while its network does (a discriminator before its start), or
goes on with another learning rate, would not know where the run is. Without a floor the values are theirs.
"""

import math

from radiodiff.training.config import OptimizerConfig

__all__ = ["learning_rate"]


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
