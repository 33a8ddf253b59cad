"""Autocast and gradient scaling."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch
from torch.amp import GradScaler
from torch.optim import Optimizer

from radiodiff.errors import ConfigError

__all__ = ["Precision", "tensor_float_32", "without_float16", "without_tensor_float_32"]

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """How forward passes compute, and how small gradients are kept from vanishing.

    Weights, optimizers and moving averages are always float32. One scaler serves all optimizers of a step, and is
    updated once per step.

    Args:
        kind: "fp32", "bf16" or "fp16".
        device: Where the networks are.
        allow_slow: Accept fp16 on a CPU, where it works and is of no use.

    Attributes:
        scaler: The gradient scaler, for fp16 alone.
        loss_scale: Factor on losses; read from the device once per step.

    Raises:
        ConfigError: fp16 was asked for without a GPU.
    """

    def __init__(
        self, kind: Literal["fp32", "bf16", "fp16"], device: torch.device, *, allow_slow: bool = False
    ) -> None:
        if kind == "fp16" and device.type == "cpu" and not allow_slow:
            raise ConfigError(
                "trainer.precision 'fp16' needs a GPU", value="a run on the CPU", remedy="Use fp32 or bf16."
            )
        self._dtype = DTYPES.get(kind)
        self._device = device.type
        self.scaler = GradScaler(device.type) if kind == "fp16" else None
        self.loss_scale = 1.0 if self.scaler is None else self.scaler.get_scale()

    def autocast(self) -> AbstractContextManager[None]:
        """The precision of forward passes."""
        return nullcontext() if self._dtype is None else torch.autocast(self._device, dtype=self._dtype)

    def backward(self, loss: torch.Tensor) -> None:
        """Differentiate a loss, scaled."""
        (loss if self.scaler is None else self.scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def unscale(self, optimizer: Optimizer) -> None:
        """Take the factor out of the gradients, once per step and optimizer."""
        if self.scaler is not None:
            self.scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer) -> None:
        """Step, unless the gradients overflowed."""
        if self.scaler is None:
            optimizer.step()
        else:
            self.scaler.step(optimizer)

    def update(self) -> None:
        """End a step: adapt the factor."""
        if self.scaler is not None:
            self.scaler.update()
            self.loss_scale = self.scaler.get_scale()

    def state(self) -> dict[str, Any] | None:
        """State of the gradient scaler."""
        return None if self.scaler is None else self.scaler.state_dict()

    def load(self, state: Mapping[str, Any] | None) -> None:
        """Take the state of a gradient scaler; a precision without one, or a run that had none, keeps its own."""
        if self.scaler is not None and state:
            self.scaler.load_state_dict(dict(state))
            self.loss_scale = self.scaler.get_scale()


def tensor_float_32(enabled: bool) -> None:
    """Let GPUs multiply float32 matrices with ten bits of mantissa, in this process."""
    torch.backends.cuda.matmul.allow_tf32 = enabled
    torch.backends.cudnn.allow_tf32 = enabled


@contextmanager
def without_tensor_float_32() -> Iterator[None]:
    """Multiply with all bits of float32 in this block, whatever `tensor_float_32` has allowed."""
    kept = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = kept


@contextmanager
def without_float16(device: torch.device) -> Iterator[None]:
    """Compute in float32 where the autocast around this block would take float16; leave others as they are."""
    kind = device.type
    is_float16 = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.float16
    with torch.autocast(kind, enabled=torch.is_autocast_enabled(kind) and not is_float16):
        yield
