"""A network's optimizer with its learning rate."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm

from radiodiff.errors import CheckpointError
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.learning_rate import learning_rate
from radiodiff.training.precision import Precision

__all__ = ["Learner"]


class Learner:
    """AdamW on the parameters of a network that are not frozen.

    Args:
        network: The network, on its device.
        config: Optimizer and learning rate.
        num_updates: Updates of the whole run.
    """

    def __init__(self, network: nn.Module, config: OptimizerConfig, num_updates: int) -> None:
        self._config = config
        self._num_updates = num_updates
        trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
        self._names = [name for name, _ in trained]
        self._parameters = [parameter for _, parameter in trained]
        self.optimizer = torch.optim.AdamW(
            self._parameters, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay
        )
        self.stand_at(0)

    @property
    def rate(self) -> float:
        """Learning rate of the next update."""
        return float(self.optimizer.param_groups[0]["lr"])

    def stand_at(self, update: int, scale: float = 1.0) -> None:
        """Take the learning rate of an update, times a factor; a run that goes on takes that of its settings."""
        for group in self.optimizer.param_groups:
            group["lr"] = scale * learning_rate(self._config, update, self._num_updates)

    def clip(self, precision: Precision, max_norm: float | None) -> Tensor:
        """Unscale the gradients and clip their norm; gives the norm before, a scalar."""
        precision.unscale(self.optimizer)
        if max_norm is None:
            return get_total_norm([p.grad for p in self._parameters if p.grad is not None])
        return clip_grad_norm_(self._parameters, max_norm)

    def update(self, precision: Precision) -> None:
        """Step the optimizer."""
        precision.step(self.optimizer)

    def forget_gradients(self) -> None:
        """Let the gradients go."""
        self.optimizer.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """State of the optimizer as `<parameter>/<what>`; its settings are not part of it."""
        return {
            f"{self._names[number]}/{key}": torch.as_tensor(value)
            for number, moments in self.optimizer.state_dict()["state"].items()
            for key, value in moments.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the state of `tensors()`; the settings stay as they are.

        Raises:
            CheckpointError: It belongs to other parameters.
        """
        numbers = {name: number for number, name in enumerate(self._names)}
        state: dict[int, dict[str, Any]] = {}
        for path, tensor in tensors.items():
            name, _, key = path.rpartition("/")
            parameter = self._parameters[numbers[name]] if name in numbers else None
            if parameter is None or (tensor.ndim > 0 and tensor.shape != parameter.shape):
                raise CheckpointError(
                    "A checkpoint must belong to the network that is trained",
                    value=f"state of the optimizer for {name!r}, which is not trained here with that shape",
                    remedy="Resume with the same network and frozen parts, or start from its weights with "
                    "trainer.warm_start.init_from.",
                )
            # In the memory layout of the parameter: a file knows none.
            moment = torch.empty_like(parameter).copy_(tensor) if tensor.ndim > 0 else tensor
            state.setdefault(numbers[name], {})[key] = moment
        if state and len(state) < len(self._names):
            raise CheckpointError(
                "A run must go on with the same frozen parts",
                value=f"{len(self._names) - len(state)} parameters learn here that did not",
                remedy="Resume with the freeze patterns of that run, or start from its weights with "
                "trainer.warm_start.init_from.",
            )
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
