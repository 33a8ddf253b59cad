"""Predictions in a folder of grey images, made by whatever program."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.data.loader import Batch
from radiodiff.encoding import Channel, path_loss_channel
from radiodiff.errors import InputError
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.evaluation.levels import levels_of, prediction_scales, scale_channel
from radiodiff.formats import LevelMeaning, read_level_png

__all__ = ["ImagePredictor"]

MOST_LISTED = 5

TOLERANCE = 1e-3
"""Of a range that was written with few digits [unit of the channel]."""


class ImagePredictor:
    """Images `<name of the example>.png` of a folder: `<map>_<tx>.png` for RadioMapSeer.

    Grey levels of images that do not name their values are those of the data set's own images: on the scale "db", as in
    the ICASSP challenge, whole decibels of path loss.

    Args:
        label: Short name, for tables.
        folder: The folder.
        examples: What is predicted.
        scale: Scale of images that do not name theirs; those that do must name this one. None takes what they name.

    Attributes:
        label: Short name.

    Raises:
        InputError: The folder is not there, or has not an image of each example; the scale is none of the data; or the
            first image names no scale, or another one, or other values than the data set has.
        FormatError: The first image is damaged or not grey.
    """

    def __init__(self, label: str, folder: Path, examples: EvaluationExamples, scale: str | None = None) -> None:
        self.label = label
        self._folder = folder
        self._channel = examples.source.encoding.target
        self._data_scale = examples.source.scale
        self._scale = scale
        self._fitting = prediction_scales(self._data_scale)
        if scale not in (None, *self._fitting):
            raise InputError(
                f"The scale of predictions for these data must be {' or '.join(self._fitting)}",
                value=scale,
                remedy="Correct --pred-scale, or leave it out where the images name their scale.",
            )
        names = examples.names
        if not folder.is_dir():
            raise InputError(
                "Predictions must be in a folder",
                value=f"{folder}, which is {'a file' if folder.exists() else 'not there'}",
                remedy="Check the path.",
            )
        missing = [name for name in names if not (folder / f"{name}.png").is_file()]
        if missing:
            listed = ", ".join(f"{name}.png" for name in missing[:MOST_LISTED])
            raise InputError(
                "Every map of the part must have a prediction, named as its example",
                value=f"{folder} without {len(missing)} of {len(names)}: "
                f"{listed}{', ...' if len(missing) > MOST_LISTED else ''}",
                remedy="Predict them, or evaluate fewer maps (--limit), another part (--split) or another split "
                "(data.split=...).",
            )
        # All images are on the scale of the first.
        self._scale = self._read(names[0])[1]

    @property
    def scale(self) -> str:
        """See `Predictor`."""
        assert self._scale is not None
        return self._scale

    def predict(self, batch: Batch) -> list[NDArray[np.float64]]:
        """See `Predictor`.

        Raises:
            FormatError: An image is damaged or not grey.
            InputError: It has another size than its map, is on another scale than the first, or names other values.
        """
        found = []
        for i, name in enumerate(batch.names):
            levels, _ = self._read(name)
            rows, cols = batch.content[i].tolist()
            if levels.shape != (rows, cols):
                raise InputError(
                    f"A prediction must have the {rows} x {cols} cells of its map",
                    value=f"{self._folder / name}.png of {levels.shape[0]} x {levels.shape[1]}",
                    remedy="Predict at the size of the data, without resampling (or set data.size to that of the "
                    "predictions).",
                )
            found.append(levels[None])
        return found

    def facts(self) -> Mapping[str, Any]:
        """See `Predictor`."""
        return {
            "kind": "images",
            "folder": str(self._folder),
            "scale": self.scale,
            "rounding": "8-bit levels",
            "condition": "not known",
            "buildings": "as in the images",
        }

    def _read(self, name: str) -> tuple[NDArray[np.float64], str]:
        """Levels of an image and their scale."""
        path = self._folder / f"{name}.png"
        levels, meaning = read_level_png(path)
        if meaning is None and self._scale is None:
            raise InputError(
                f"The scale of predictions that do not name theirs must be said: {' or '.join(self._fitting)}",
                value=f"{path}, which names none",
                remedy=f"Add {' or '.join(f'--pred-scale {scale}' for scale in self._fitting)}: figures on different "
                "scales must not be mixed.",
            )
        if meaning is not None and self._scale not in (None, meaning.scale):
            raise InputError(
                f"All predictions must be on the {self._scale} scale",
                value=f"{path}, which names the {meaning.scale} scale",
                remedy="Correct --pred-scale, or keep predictions of different scales in different folders.",
            )
        scale = self._scale if meaning is None else meaning.scale
        assert scale is not None
        channel = self._channel_of(scale)
        if meaning is not None:
            _check_values(path, meaning, channel)
        is_unit = meaning is None and scale == "db"
        values = 255.0 * levels if is_unit else channel.decode(2.0 * levels - 1.0)
        # As the data set rounds it: a prediction that is the truth has no error at all.
        return levels_of(channel.encode(values)), scale

    def _channel_of(self, scale: str) -> Channel:
        """What grey levels of a scale are, for these data."""
        if scale == "raw" and self._data_scale == "thresholded":
            return path_loss_channel("raw")
        return scale_channel(self._channel, self._data_scale, scale)


def _check_values(path: Path, meaning: LevelMeaning, channel: Channel) -> None:
    ends = (meaning.grey_0 - channel.low, meaning.grey_255 - channel.high)
    if meaning.channel != channel.name or max(map(abs, ends)) > TOLERANCE:
        raise InputError(
            f"Predictions must hold {channel.name}, {channel.low:g} at grey 0 and {channel.high:g} at grey 255",
            value=f"{path}, {meaning.channel}, {meaning.grey_0:g} and {meaning.grey_255:g}",
            remedy="Take the predictions that belong to this data set, or its settings (data.scale=...).",
        )
