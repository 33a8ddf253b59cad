"""What a model was trained for: `radiodiff.json` beside its components."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from radiodiff.encoding import Encoding
from radiodiff.errors import CheckpointError, InputError

__all__ = ["RECORD_FILE", "WHOLE_SCALE", "PipelineKind", "PipelineRecord", "PriorRecord"]

RECORD_FILE = "radiodiff.json"

FORMAT, VERSION = "radiodiff pipeline", 2
"""The version rises when an older reader could misread a newer file."""
VERSION_WITHOUT_PRIOR = 1
"""What is written where there is no prior: older readers may go on with it."""

WHOLE_SCALE = 2.0
"""Encoded units of the longest residual: from one end of [-1, 1] to the other."""

PipelineKind = Literal["diffusion", "regression"]


@dataclass(frozen=True)
class PriorRecord:
    """What maps are predicted as the difference to: `map = prior + scale * what the networks give`, encoded.

    Attributes:
        channel: Name of the channel of the condition that is the prior; None where a model predicts it.
        model: Record of the regression that predicts it, whose network is a component of the model; None with a
            channel.
        digest: What tells the weights of that network from others; empty with a channel.
        scale: What 1 stands for, in units of the encoded map. 2 holds every residual; residuals beyond a smaller one
            are cut off where an autoencoder learns them.

    Raises:
        InputError: There is not one of channel and regression, or the scale is not in (0, 2].
    """

    channel: str | None = None
    model: "PipelineRecord | None" = None
    digest: str = ""
    scale: float = WHOLE_SCALE

    def __post_init__(self) -> None:
        is_one = (self.channel is None) != (self.model is None)
        if not (is_one and (self.model is None or self.model.kind == "regression") and 0 < self.scale <= WHOLE_SCALE):
            model = None if self.model is None else f"a {self.model.kind} model"
            raise InputError(
                "PriorRecord must name a channel or hold the record of a regression, with a scale in (0, 2]",
                value=f"channel={self.channel!r}, model={model}, scale={self.scale}",
                remedy="Correct the value.",
            )

    @property
    def identity(self) -> dict[str, Any]:
        """What residuals follow from besides the data, JSON types."""
        return {"channel": self.channel, "digest": self.digest, "scale": self.scale}

    def to_dict(self) -> dict[str, Any]:
        """JSON types; `from_dict` reads them."""
        return self.identity | {"model": None if self.model is None else self.model.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The record that `to_dict` wrote.

        Raises:
            CheckpointError: See `PipelineRecord.from_dict`.
        """
        model = content["model"]
        return cls(
            channel=content["channel"],
            model=None if model is None else PipelineRecord.from_dict(model),
            digest=str(content["digest"]),
            scale=float(content["scale"]),
        )


@dataclass(frozen=True)
class PipelineRecord:
    """What a model was trained for, and how it is used where nothing else is said.

    Attributes:
        kind: "diffusion" draws maps, "regression" predicts one.
        encoding: Channels of its condition, in order, and its target.
        scale: What a target is: "raw" or "thresholded" grey, "db" for path loss itself, "binary" for edges.
        data: Settings of the data set without its folder, JSON types.
        map_shape: (rows, cols) of the maps that it was trained on, or None where they varied or nobody knows.
        cell_size_m: Edge of their cells [m], or None where nobody knows.
        frequency_hz: Carrier of their transmitters [Hz], or None where it varied or nobody knows.
        tx_height_m: Height of their transmitters above ground [m], likewise.
        is_resampled: They were made larger or smaller than the data set has them, and their conditions with them: no
            scene gives such a condition.
        num_inference_steps: Steps of a draw.
        is_stochastic: Draw by the stochastic reverse process; otherwise by the deterministic one.
        training: How it was trained (recipe, steps, minutes ...), JSON types.
        prior: What its maps are predicted as the difference to; None where they are predicted themselves.

    Raises:
        InputError: The kind is unknown, or a number is not positive.
    """

    kind: PipelineKind
    encoding: Encoding
    scale: str
    data: Mapping[str, Any] = field(default_factory=dict)
    map_shape: tuple[int, int] | None = None
    cell_size_m: float | None = None
    frequency_hz: float | None = None
    tx_height_m: float | None = None
    is_resampled: bool = False
    num_inference_steps: int = 1
    is_stochastic: bool = True
    training: Mapping[str, Any] = field(default_factory=dict)
    prior: PriorRecord | None = None

    def __post_init__(self) -> None:
        if self.map_shape is not None:
            rows, cols = self.map_shape
            object.__setattr__(self, "map_shape", (int(rows), int(cols)))
        names = ("cell_size_m", "frequency_hz", "tx_height_m", "num_inference_steps")
        numbers: dict[str, Any] = {name: getattr(self, name) for name in names}
        known = [number for number in (*numbers.values(), *(self.map_shape or ())) if number is not None]
        if self.kind not in get_args(PipelineKind) or not all(number > 0 for number in known):
            raise InputError(
                f"PipelineRecord must have kind 'diffusion' or 'regression', and map_shape, {', '.join(names)} above 0",
                value=f"kind={self.kind!r}, map_shape={self.map_shape}, "
                + ", ".join(f"{name}={number}" for name, number in numbers.items()),
                remedy="Correct the value; None stands for what nobody knows.",
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON types; `from_dict` reads them."""
        content = {
            "format": FORMAT,
            "version": VERSION_WITHOUT_PRIOR if self.prior is None else VERSION,
            "kind": self.kind,
            "encoding": self.encoding.to_dict(),
            "scale": self.scale,
            "data": dict(self.data),
            "map_shape": None if self.map_shape is None else list(self.map_shape),
            "cell_size_m": self.cell_size_m,
            "frequency_hz": self.frequency_hz,
            "tx_height_m": self.tx_height_m,
            "is_resampled": self.is_resampled,
            "num_inference_steps": self.num_inference_steps,
            "is_stochastic": self.is_stochastic,
            "training": dict(self.training),
        }
        return content if self.prior is None else content | {"prior": self.prior.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The record that `to_dict` wrote.

        Raises:
            CheckpointError: A newer version wrote it, or it is something else.
        """
        try:
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}")
            if content["version"] > VERSION:
                raise CheckpointError(
                    f"This radiodiff reads models up to version {VERSION}",
                    value=f"version {content['version']}",
                    remedy="Install a newer radiodiff.",
                )
            shape, prior = content["map_shape"], content.get("prior")
            return cls(
                kind=content["kind"],
                encoding=Encoding.from_dict(content["encoding"]),
                scale=str(content["scale"]),
                data=dict(content["data"]),
                map_shape=None if shape is None else (int(shape[0]), int(shape[1])),
                cell_size_m=_number(content["cell_size_m"]),
                frequency_hz=_number(content.get("frequency_hz")),
                tx_height_m=_number(content.get("tx_height_m")),
                is_resampled=bool(content.get("is_resampled", False)),
                num_inference_steps=int(content["num_inference_steps"]),
                is_stochastic=bool(content["is_stochastic"]),
                training=dict(content["training"]),
                prior=None if prior is None else PriorRecord.from_dict(prior),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CheckpointError(
                f"{RECORD_FILE} must hold the record of a model",
                value=str(error) if isinstance(error, InputError) else repr(error),
                remedy="It was changed or damaged: export the model again.",
            ) from error

    def to_json(self) -> str:
        """Text of the file.

        Raises:
            InputError: The record holds more than JSON types.
        """
        try:
            return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise InputError(
                "PipelineRecord must hold JSON types only (text, finite numbers, booleans, lists, dictionaries)",
                value=str(error),
                remedy='Convert the entry, for example with model_dump(mode="json").',
            ) from error

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The record of a model in a folder.

        Raises:
            CheckpointError: The file is not there or damaged, or a newer version wrote it.
        """
        path = folder / RECORD_FILE
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise CheckpointError(
                f"A model must have {RECORD_FILE}, which says what its channels are",
                value=f"{folder}, which has none",
                remedy="Give the folder RUN/pipeline of a finished run, whole.",
            ) from None
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{RECORD_FILE} of a model must hold a JSON object",
                value=f"{path} ({error})",
                remedy="It was changed or cut short: export the model again.",
            ) from error
        if not isinstance(content, dict):
            raise CheckpointError(
                f"{RECORD_FILE} of a model must hold a JSON object",
                value=f"{path} (a {type(content).__name__})",
                remedy="It was changed or cut short: export the model again.",
            )
        return cls.from_dict(content)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
