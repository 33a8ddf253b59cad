"""Maps that others are predicted as the difference to (docs/decisions/019)."""

from collections.abc import Mapping
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from radiodiff.encoding import Channel, Encoding, path_loss_line
from radiodiff.errors import InputError
from radiodiff.pipeline.record import PriorRecord

__all__ = ["MeanModel", "Prior"]


Window = Literal["auto", "whole"]


class MeanModel(Protocol):
    """A regression model."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Its networks."""

    def predict(
        self, condition: Tensor, generators: None = None, *, batch_size: int = 16, window: Window = "auto"
    ) -> Tensor:
        """Maps (B, 1, 1, rows, cols) of conditions."""


class Prior:
    """Makes priors of conditions, residuals of maps, and maps of residuals.

    Args:
        record: What the prior is.
        encoding: Channels of the conditions that it will see, and the target.
        model: The regression of the record; None with a channel.

    Attributes:
        record: The same.
        model: The same.
        names: Channels of the condition that it is made of.

    Raises:
        InputError: The conditions lack a channel that it needs or have it with another range, the channel is no path
            loss, or the regression predicts another target.
    """

    def __init__(self, record: PriorRecord, encoding: Encoding, model: MeanModel | None = None) -> None:
        self.record = record
        self.model = model
        if (model is None) != (record.model is None):
            raise InputError(
                "A prior must have the network of its regression where its record says that one predicts it",
                value=f"{'no' if model is None else 'a'} network, record of channel {record.channel!r}",
                remedy="Put the parts of one model together.",
            )
        needed: tuple[Channel, ...] = ()
        if record.model is not None:
            _check_target(record.model.encoding, encoding)
            needed = record.model.encoding.condition
        known = {channel.name: channel for channel in encoding.condition}
        lacking = [channel.name for channel in needed if known.get(channel.name) != channel]
        if record.channel is not None and record.channel not in known:
            lacking = [record.channel]
        if lacking:
            raise InputError(
                "A condition must hold the channels that the prior is made of",
                value=f"{', '.join(encoding.names)}, without {', '.join(lacking)} (or with another range)",
                remedy="Add them to the condition (data.geometry has the geometry channels), or use another prior.",
            )
        self._line = (1.0, 0.0)
        if record.channel is not None:
            self._line = path_loss_line(known[record.channel], encoding.target)
        names = [record.channel] if record.channel is not None else [channel.name for channel in needed]
        self.names = tuple(name for name in names if name is not None)
        self._places = [encoding.names.index(name) for name in self.names]

    def to(self, device: torch.device) -> None:
        """Move a regression to a device."""
        if self.model is not None:
            for network in self.model.networks.values():
                network.to(device)

    def seen(self, condition: Tensor) -> Tensor:
        """The channels (B, C', rows, cols) of conditions that the prior is made of."""
        return condition[:, self._places]

    def maps(self, condition: Tensor, *, batch_size: int | None = None, window: Window = "whole") -> Tensor:
        """Priors (B, 1, rows, cols) float32 in [-1, 1] of conditions (B, C, rows, cols), without gradients.

        Args:
            condition: The conditions, on the device of the model.
            batch_size: Maps that go through a regression at a time; None takes all.
            window: "whole", or "auto" to have a regression cut large maps as it does alone.
        """
        seen = self.seen(condition)
        if self.model is not None:
            # The same in training and in use, whatever precision the rest is computed in.
            with torch.autocast(condition.device.type, enabled=False):
                return self.model.predict(seen, batch_size=batch_size or len(seen), window=window)[:, 0]
        slope, offset = self._line
        return (slope * seen + offset).clamp(-1.0, 1.0).float()

    def residual(self, target: Tensor, maps: Tensor) -> Tensor:
        """Residuals of targets in [-1, 1] to priors, in [-1, 1]; what lies beyond the scale is cut off."""
        return ((target - maps) / self.record.scale).clamp(-1.0, 1.0)

    def added(self, residual: Tensor, maps: Tensor) -> Tensor:
        """Maps of residuals and priors; nothing is clipped."""
        return maps + self.record.scale * residual


def _check_target(found: Encoding, wanted: Encoding) -> None:
    if found.target != wanted.target:
        raise InputError(
            "The regression that predicts a prior must have the target of the maps",
            value=f"{found.target} for {wanted.target}",
            remedy="Train it with the same data.simulation and data.scale.",
        )
