"""Arrays in one safetensors file: written piece by piece, read by memory map.

The library writes a file from arrays that are all in memory; a part of RadioMapSeer takes gigabytes. The format is
public and simple (eight bytes of header length, a JSON header, the bytes of the arrays), so the writer here lays out
the header and fills the arrays through a memory map. Reading is the library's.

Source: https://huggingface.co/docs/safetensors, "Format".
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import DataSetError, FormatError

__all__ = ["ArrayFile", "ArrayLayout", "map_arrays"]

NAMES = {"uint8": "U8", "uint16": "U16", "int64": "I64", "float16": "F16", "float64": "F64"}
DTYPES = {name: dtype for dtype, name in NAMES.items()}
ALIGNMENT = 64


@dataclass(frozen=True)
class ArrayLayout:
    """Shape and type of an array in a file.

    Attributes:
        shape: Its shape.
        dtype: "uint8", "uint16", "int64", "float16" or "float64".
    """

    shape: tuple[int, ...]
    dtype: str = "uint8"


def map_arrays(path: Path, layouts: Mapping[str, ArrayLayout], metadata: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Make a file of zeros and give its arrays, mapped for writing: what is put in them is in the file.

    Args:
        path: The file, usually a temporary one of `atomic_write`.
        layouts: Arrays by name.
        metadata: Text by name.

    Raises:
        OSError: The system refuses the file; the disk is checked for room first.
    """
    # Wide elements first keeps each array aligned to its element.
    names = sorted(layouts, key=lambda name: (-np.dtype(layouts[name].dtype).itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name in names:
        layout = layouts[name]
        start, end = end, end + int(np.prod(layout.shape)) * np.dtype(layout.dtype).itemsize
        header[name] = {"dtype": NAMES[layout.dtype], "shape": list(layout.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    begin = 8 + len(text)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        file.truncate(begin + end)
        # A mapped file that outgrows the disk ends the process; reserved room fails here instead.
        if hasattr(os, "posix_fallocate") and end > 0:
            os.posix_fallocate(file.fileno(), begin, end)
    return {
        name: np.memmap(
            path,
            mode="r+",
            dtype=layouts[name].dtype,
            shape=layouts[name].shape,
            offset=begin + content["data_offsets"][0],
        )
        if np.prod(layouts[name].shape) > 0
        else np.empty(layouts[name].shape, dtype=layouts[name].dtype)
        for name, content in header.items()
        if name != "__metadata__"
    }


class ArrayFile:
    """Arrays of a file, read by slices through a memory map. Worker processes open it anew.

    Args:
        path: The file.

    Raises:
        FormatError: It is absent, cut short or no safetensors file.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self.path = path
        if not path.is_file():
            raise FormatError("A packed file must exist", value=path, remedy="Check the path, or pack it again.")
        try:
            file: Any = safe_open(path, "numpy")
        except (SafetensorError, OSError) as error:
            raise FormatError(
                "A packed file must be a whole safetensors file",
                value=f"{path} ({error})",
                remedy="It is damaged or cut short: delete it and write it again.",
            ) from error
        stat = path.stat()
        self._inode, self._size = stat.st_ino, stat.st_size
        self.metadata: dict[str, str] = file.metadata() or {}
        self.names = tuple(file.keys())
        self._slices = {name: file.get_slice(name) for name in self.names}

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array.

        Raises:
            DataSetError: There is none of this name.
        """
        return tuple(self._named(name).get_shape())

    def __getitem__(self, key: tuple[str, Any]) -> NDArray[Any]:
        """A copy of a part of an array: `file[name, index]` with an index of integers and slices.

        Raises:
            DataSetError: There is no array of this name.
            FormatError: The file has become shorter or longer since it was opened.
        """
        name, index = key
        array = self._named(name)
        self._check_size()
        if isinstance(index, slice) and index.start is not None and index.start == index.stop:
            # The library refuses empty parts at the end of an array.
            return np.empty((0, *array.get_shape()[1:]), dtype=DTYPES[array.get_dtype()])
        part: NDArray[Any] = array[index]
        return part

    def _check_size(self) -> None:
        # What is cut off under a memory map ends the process; what is deleted or replaced stays readable.
        try:
            stat = os.stat(self.path)
        except OSError:
            return
        if stat.st_ino == self._inode and stat.st_size != self._size:
            raise FormatError(
                f"A packed file must keep its {self._size} bytes while it is read",
                value=f"{self.path} of {stat.st_size} bytes",
                remedy="Delete it and write it again, and leave it alone meanwhile.",
            )

    def _named(self, name: str) -> Any:
        if name not in self._slices:
            raise DataSetError(
                f"{self.path} must hold {name}",
                value=f"only {', '.join(sorted(self.names))}",
                remedy="Pack the data set again with this layer or simulation.",
            )
        return self._slices[name]

    def __reduce__(self) -> tuple[object, ...]:
        return ArrayFile, (self.path,)
