"""Moving average of the weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from radiodiff.training.config import EmaConfig

__all__ = ["WeightAverage"]


class WeightAverage:
    """Moving average of the weights of a network, kept once.

    The decay rises with the updates u since the average began, `min(decay, 1 - (1 + u)^(-2/3))`.

    Args:
        network: The network.
        config: Decay and rhythm.

    Source: diffusers' EMAModel with warm-up; the rhythm is that of RadioDiff (Wang et al. 2025).
    """

    def __init__(self, network: nn.Module, config: EmaConfig) -> None:
        self._network = network
        self._config = config
        self._num_updates = 0
        self._model = EMAModel(
            network.parameters(), decay=config.decay, update_after_step=config.update_after, use_ema_warmup=True
        )

    def update(self, num_updates: int) -> None:
        """Take in the weights after an update of the network; most updates change nothing."""
        self._num_updates = num_updates
        if num_updates == self._config.update_after:
            self._copy()
        elif num_updates > self._config.update_after and num_updates % self._config.update_every == 0:
            # EMAModel counts its own calls; what it should count are the updates of the network.
            self._model.optimization_step = num_updates - 1
            self._model.step(self._network.parameters())

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network have the averaged weights while the block runs."""
        self._copy_if_early()
        self._model.store(self._network.parameters())
        self._model.copy_to(self._network.parameters())
        try:
            yield
        finally:
            self._model.restore(self._network.parameters())

    def tensors(self) -> dict[str, Tensor]:
        """The averaged weights by name."""
        self._copy_if_early()
        return self._named()

    def load(self, tensors: Mapping[str, Tensor], num_updates: int) -> None:
        """Take averaged weights, by name, all of them, as they were after an update."""
        self._num_updates = num_updates
        for name, average in self._named().items():
            average.copy_(tensors[name])

    def _copy_if_early(self) -> None:
        """Until the average begins it is a copy, made when somebody asks."""
        if self._num_updates <= self._config.update_after:
            self._copy()

    def _copy(self) -> None:
        for average, weight in zip(self._model.shadow_params, self._network.parameters(), strict=True):
            average.copy_(weight.detach())

    def _named(self) -> dict[str, Tensor]:
        names = [name for name, _ in self._network.named_parameters()]
        return dict(zip(names, self._model.shadow_params, strict=True))
