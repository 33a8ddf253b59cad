"""The JSON text that every radio-map file carries beside its values."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiodiff.errors import FormatError, RadiodiffError
from radiodiff.radio_map import Ensemble, RadioMap
from radiodiff.scene import Antenna, Grid, IsotropicAntenna, SectorAntenna, TableAntenna, Transmitter

__all__ = ["FORMAT_VERSION", "HEADER_NAME", "decode_header", "encode_header", "radio_map_from_header"]

HEADER_NAME = "radiodiff"
"""Name of the PNG text chunk and the GeoTIFF tag."""

FORMAT_VERSION = 1
"""Raised when an older reader could misread a newer file."""

ANTENNAS: dict[str, type[Antenna]] = {
    "isotropic": IsotropicAntenna,
    "sector": SectorAntenna,
    "table": TableAntenna,
}


def encode_header(radio_map: RadioMap, **extra: Any) -> str:
    """Header of a radio map as ASCII JSON: version, grid, transmitter, producer, units, scene and meta.

    Raises:
        FormatError: `meta` holds more than JSON types, or the antenna is of a class of its own.
    """
    grid, tx = radio_map.grid, radio_map.tx
    header = {
        "format": "radiodiff radio map",
        "version": FORMAT_VERSION,
        "grid": asdict(grid) | {"rows": int(grid.rows), "cols": int(grid.cols)},
        "tx": None if tx is None else _encode_transmitter(tx),
        "producer": radio_map.producer,
        "units": {"path_loss_db": "dB", "lengths": "m", "frequency_hz": "Hz", "eirp_dbm": "dBm"},
        "scene": None if radio_map.scene is None else radio_map.scene.source,
        "meta": radio_map.meta,
    }
    if radio_map.ensemble is not None:
        header["ensemble"] = radio_map.ensemble.description
    try:
        return json.dumps(header | extra, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise FormatError(
            "RadioMap.meta must hold JSON types only (text, finite numbers, booleans, lists, dictionaries)",
            value=str(error),
            remedy="Convert the entry, for example with str() or tolist().",
        ) from error


def decode_header(text: str | None, path: Path) -> dict[str, Any]:
    """Header of a file, checked for its version.

    Raises:
        FormatError: There is none, it is no JSON, or a newer version wrote it.
    """
    try:
        header = json.loads(text or "")
        version = header["version"]
    except (TypeError, ValueError, KeyError) as error:
        raise FormatError(
            "A radio-map file must carry the header that radiodiff writes",
            value=f"{path}, whose header is {'absent' if not text else 'damaged'}",
            remedy="Use a file written by write_radio_map.",
        ) from error
    if version != FORMAT_VERSION:
        raise FormatError(
            f"The version of a radio-map file must be {FORMAT_VERSION}",
            value=f"{path} of version {version!r}",
            remedy="Read it with the radiodiff that wrote it, or a newer one.",
        )
    return dict(header)


def radio_map_from_header(
    header: dict[str, Any], path_loss_db: ArrayLike, path: Path, layers: Mapping[str, NDArray[Any]] | None = None
) -> RadioMap:
    """The radio map of a header and its values, (rows, cols) [dB].

    Args:
        header: The header.
        path_loss_db: (rows, cols) [dB].
        path: The file, for messages.
        layers: Layers of the ensemble by name, of a kind of file that holds them.

    Raises:
        FormatError: An entry is missing or breaks a rule, or the values have another size than the grid.
    """
    try:
        said = header.get("ensemble")
        ensemble = None if said is None or layers is None else Ensemble.of_layers(said, layers)
        return RadioMap(
            np.array(path_loss_db, dtype=np.float32),
            Grid(**header["grid"]),
            None if header["tx"] is None else _decode_transmitter(header["tx"]),
            header["producer"],
            meta=header["meta"],
            ensemble=ensemble,
        )
    except (KeyError, TypeError, ValueError, RadiodiffError) as error:
        raise FormatError(
            "The header and the values of a radio-map file must fit together",
            value=f"{path} ({error!r})" if not isinstance(error, RadiodiffError) else f"{path} ({error})",
            remedy="The file was changed or damaged: write it again.",
        ) from error


def _encode_transmitter(tx: Transmitter) -> dict[str, Any]:
    kinds = {antenna: kind for kind, antenna in ANTENNAS.items()}
    kind = kinds.get(type(tx.antenna))
    if kind is None:
        raise FormatError(
            f"A file can hold the antennas {', '.join(ANTENNAS)}",
            value=type(tx.antenna).__name__,
            remedy="Sample the pattern into a TableAntenna (360 values).",
        )
    return asdict(tx) | {"antenna": {"kind": kind} | asdict(tx.antenna)}  # type: ignore[call-overload]


def _decode_transmitter(entry: dict[str, Any]) -> Transmitter:
    antenna = dict(entry["antenna"])
    kind = ANTENNAS[antenna.pop("kind")]
    if "gains_db" in antenna:
        antenna["gains_db"] = tuple(antenna["gains_db"])
    return Transmitter(**(entry | {"antenna": kind(**antenna)}))


def _plain(value: Any) -> Any:
    """Numpy scalars are numbers too."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} of type {type(value).__name__}")
