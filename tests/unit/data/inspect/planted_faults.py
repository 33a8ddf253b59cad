"""Faults to plant in a sound fake RadioMapSeer folder, each with the finding that must come of it."""

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from radiodiff.data.inspect import ValidationReport, validate_data_set

SIZE = 64

Planter = Callable[[Path], None]


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def change(file: str, make: Callable[[np.ndarray], np.ndarray]) -> Planter:
    """A planter that changes the pixels of an image."""

    def plant(root: Path) -> None:
        Image.fromarray(make(read(root / file))).save(root / file)

    return plant


def write(file: str, content: bytes | str) -> Planter:
    def plant(root: Path) -> None:
        (root / file).parent.mkdir(exist_ok=True, parents=True)
        (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())

    return plant


def remove(file: str) -> Planter:
    return lambda root: (root / file).unlink()


def copy(file: str, to: str) -> Planter:
    def plant(root: Path) -> None:
        shutil.copy(root / file, root / to)

    return plant


def cut_short(file: str) -> Planter:
    def plant(root: Path) -> None:
        whole = (root / file).read_bytes()
        (root / file).write_bytes(whole[: len(whole) // 2])

    return plant


def save_as(file: str, mode: str) -> Planter:
    def plant(root: Path) -> None:
        with Image.open(root / file) as image:
            converted = image.convert(mode)
        converted.save(root / file)

    return plant


def move_tx(place: Callable[[Path], tuple[int, int]]) -> Planter:
    """A planter that moves transmitter 0 of map 1 to a cell (col, row), in all that names it."""

    def plant(root: Path) -> None:
        (col, row), file = place(root), root / "antenna/1.json"
        cells = json.loads(file.read_text())
        cells[0] = [col, SIZE - 1 - row]
        file.write_text(json.dumps(cells))
        for image in root.glob("png/antennas/1_0.png"):
            image.unlink()
        antenna = np.zeros((SIZE, SIZE), np.uint8)
        if 0 <= row < SIZE and 0 <= col < SIZE:
            antenna[row, col] = 255
        Image.fromarray(antenna).save(root / "png/antennas/1_0.png")
        lines = (root / "dataset.csv").read_text().splitlines()
        index = next(i for i, line in enumerate(lines) if line.startswith("1,0,"))
        lines[index] = ",".join(["1", "0", str(col), str(row), *lines[index].split(",")[4:]])
        (root / "dataset.csv").write_text("\n".join(lines) + "\n")
        for gain in root.glob("gain/*/1_0.png"):
            pixels = np.roll(read(gain), (row - tx_of(root)[1], col - tx_of(root)[0]), axis=(0, 1))
            Image.fromarray(pixels).save(gain)

    return plant


def huge(file: str, size: int) -> Planter:
    """A planter of a whole PNG of size x size grey pixels whose data say nothing: only its header can be read."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return write(file, b"\x89PNG\r\n\x1a\n" + chunks)


def tx_of(root: Path, map_id: int = 1) -> tuple[int, int]:
    x, y = json.loads((root / f"antenna/{map_id}.json").read_text())[0]
    return x, SIZE - 1 - y


def edit_index(edit: Callable[[list[str]], list[str]]) -> Planter:
    def plant(root: Path) -> None:
        lines = (root / "dataset.csv").read_text().splitlines()
        (root / "dataset.csv").write_text("\n".join(edit(lines)) + "\n")

    return plant


def manifest(parts: dict[str, list[int]], **keys: bool) -> Planter:
    content = {"format": "radiodiff-split", "format_version": 1, "name": "s", **keys, "parts": parts}
    return write("split.json", json.dumps(content))


def same_buildings(root: Path) -> None:
    """Map 2 gets the buildings of map 0, as image and as outlines."""
    for layer, suffix in (("png", "png"), ("polygon", "json")):
        shutil.copy(root / f"{layer}/buildings_complete/0.{suffix}", root / f"{layer}/buildings_complete/2.{suffix}")


def thresholded(pixels: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip((pixels / 255 - 0.2) / 0.8, 0, 1)).astype(np.uint8)


def grey16(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


GAIN, BUILDINGS, ANTENNA, ANTENNA_IMAGE = (
    "gain/DPM/1_0.png",
    "png/buildings_complete/1.png",
    "antenna/1.json",
    "png/antennas/1_0.png",
)

PLANTS: dict[str, tuple[Planter, str, str]] = {
    "a gain cut short": (cut_short(GAIN), "unreadable", GAIN),
    "an empty gain": (write(GAIN, b""), "unreadable", GAIN),
    "a gain that is no image": (write(GAIN, b"<html>"), "unreadable", GAIN),
    # Pillow warns at 89 million pixels, and refuses at twice that.
    "a gain of 100 million pixels": (huge(GAIN, 10_000), "unreadable", GAIN),
    "a gain of 400 million pixels": (huge(GAIN, 20_000), "unreadable", GAIN),
    "buildings of 400 million pixels": (huge(BUILDINGS, 20_000), "unreadable", BUILDINGS),
    "a building image cut short": (cut_short(BUILDINGS), "unreadable", BUILDINGS),
    "a gain in colours": (save_as(GAIN, "RGB"), "image-mode", GAIN),
    "a gain with a palette": (save_as(GAIN, "P"), "image-mode", GAIN),
    "a gain of 16 bits": (change(GAIN, grey16), "image-mode", GAIN),
    "a gain of another size": (change(GAIN, lambda p: p[:48]), "image-size", GAIN),
    "buildings of another size": (change(BUILDINGS, lambda p: p[:, :60]), "image-size", BUILDINGS),
    "smoothed buildings": (
        change(BUILDINGS, lambda p: np.where(p > 0, p - np.arange(SIZE, dtype=np.uint8), p)),
        "not-binary",
        BUILDINGS,
    ),
    "cars without a 0": (
        change("png/roads/1.png", lambda p: np.where(p > 0, 255, 9).astype(np.uint8)),
        "not-binary",
        "png/roads/1.png",
    ),
    "buildings of level 1": (change(BUILDINGS, lambda p: p // 255), "mask-level", BUILDINGS),
    "no buildings": (change(BUILDINGS, np.zeros_like), "zero-image", BUILDINGS),
    "no roads": (change("png/roads/1.png", np.zeros_like), "empty-layer", "png/roads/1.png"),
    "inverted cars": (change("png/cars/1.png", lambda p: 255 - p), "cars", "png/cars/1.png"),
    "cars that are the buildings": (copy(BUILDINGS, "png/cars/1.png"), "cars", "png/cars/1.png"),
    "cars of another map": (copy("png/cars/0.png", "png/cars/1.png"), "cars", "png/cars/1.png"),
    "cars upside down": (change("png/cars/1.png", lambda p: p[::-1]), "cars", "png/cars/1.png"),
    "outlines of the cars of another map": (
        copy("polygon/cars/0.json", "polygon/cars/1.json"),
        "cars",
        "png/cars/1.png",
    ),
    "a gain of zeros": (change(GAIN, np.zeros_like), "zero-image", GAIN),
    "a dimmed gain": (change(GAIN, lambda p: p // 2), "value-range", GAIN),
    "a gain of 0 and 1": (change(GAIN, lambda p: (p > 128).astype(np.uint8)), "value-range", GAIN),
    "a gain of 0 and 255": (change(GAIN, lambda p: np.where(p > 128, 255, 0).astype(np.uint8)), "value-range", GAIN),
    "a gain of 1 bit": (change(GAIN, lambda p: p > 100), "value-range", GAIN),
    "another antenna schema": (write(ANTENNA, '{"tx": [[1, 2]]}'), "json-schema", ANTENNA),
    "an antenna file cut short": (cut_short(ANTENNA), "json-schema", ANTENNA),
    "antennas between cells": (write(ANTENNA, "[[20.5, 20], [30, 30], [40, 40]]"), "json-schema", ANTENNA),
    "another polygon schema": (
        write("polygon/cars/1.json", '{"type": "FeatureCollection"}'),
        "json-schema",
        "polygon/cars/1.json",
    ),
    "no antenna file": (remove(ANTENNA), "missing-antenna", ANTENNA),
    "a gain of a map that is not there": (
        copy("gain/IRT2/1_0.png", "gain/DPM/9_0.png"),
        "missing-antenna",
        "antenna/9.json",
    ),
    "cars of a map that is not there": (copy("png/cars/1.png", "png/cars/9.png"), "missing-antenna", "antenna/9.json"),
    "no building image": (remove(BUILDINGS), "missing-buildings", BUILDINGS),
    "a missing gain": (remove(GAIN), "missing-gain", GAIN),
    "a missing gain of IRT4": (remove("gain/IRT4/1_1.png"), "missing-gain", "gain/IRT4/1_1.png"),
    "no gain of a simulation": (
        lambda root: [p.unlink() for p in root.glob("gain/IRT2/1_*.png")] and None,
        "missing-gain",
        "gain/IRT2/1_0.png",
    ),
    "no gain at all": (
        lambda root: [p.unlink() for p in root.glob("gain/*/1_*.png")] and None,
        "missing-gain",
        ANTENNA,
    ),
    "a missing antenna image": (remove(ANTENNA_IMAGE), "missing-antenna-image", ANTENNA_IMAGE),
    "a map without roads": (remove("png/roads/1.png"), "missing-layer", "png/roads/1.png"),
    "a map without a missing layer": (
        remove("png/buildings_missing2/5/1.png"),
        "missing-layer",
        "png/buildings_missing2/5/1.png",
    ),
    "a map without outlines": (remove("polygon/cars/1.json"), "missing-layer", "polygon/cars/1.json"),
    "a gain beyond the count": (
        lambda root: Image.fromarray(read(root / GAIN) // 2 * 2).save(root / "gain/DPM/1_3.png"),
        "tx-beyond-count",
        "gain/DPM/1_3.png",
    ),
    "IRT4 of a third transmitter": (
        copy("gain/IRT2/1_2.png", "gain/IRT4/1_2.png"),
        "tx-beyond-count",
        "gain/IRT4/1_2.png",
    ),
    "an antenna image beyond the count": (
        copy(ANTENNA_IMAGE, "png/antennas/1_3.png"),
        "tx-beyond-count",
        "png/antennas/1_3.png",
    ),
    "an antenna image of two pixels": (
        change(ANTENNA_IMAGE, lambda p: np.maximum(p, p.T)),
        "antenna-image",
        ANTENNA_IMAGE,
    ),
    "an antenna image of none": (change(ANTENNA_IMAGE, np.zeros_like), "antenna-image", ANTENNA_IMAGE),
    "an antenna image elsewhere": (
        change(ANTENNA_IMAGE, lambda p: np.roll(p, 1, axis=1)),
        "antenna-image",
        ANTENNA_IMAGE,
    ),
    "a moved gain": (change(GAIN, lambda p: np.roll(p, (5, 9), axis=(0, 1))), "gain-peak", GAIN),
    "a gain three columns aside": (change(GAIN, lambda p: np.roll(p, 3, axis=1)), "gain-peak", GAIN),
    "a gain two columns aside": (change(GAIN, lambda p: np.roll(p, 2, axis=1)), "gain-peak", GAIN),
    "an IRT gain three rows aside": (
        change("gain/IRT2/1_0.png", lambda p: np.roll(p, 3, axis=0)),
        "gain-peak",
        "gain/IRT2/1_0.png",
    ),
    "a gain upside down": (change(GAIN, lambda p: p[::-1]), "tx-mirrored", GAIN),
    "a gain left to right": (change(GAIN, lambda p: p[:, ::-1]), "tx-mirrored", GAIN),
    "a gain turned by 180 degrees": (change(GAIN, lambda p: p[::-1, ::-1]), "tx-mirrored", GAIN),
    "a transposed gain": (change(GAIN, lambda p: p.T), "tx-transposed", GAIN),
    "an inverted gain": (change(GAIN, lambda p: 255 - p), "inverted", GAIN),
    "a thresholded gain": (change(GAIN, thresholded), "scale", GAIN),
    "a thresholded IRT4 gain": (change("gain/carsIRT4/1_1.png", thresholded), "scale", "gain/carsIRT4/1_1.png"),
    "a gain of noise around a peak": (change(GAIN, lambda p: np.where(p == p.max(), p, p // 4)), "scale-unclear", GAIN),
    "damaged geometry channels": (
        write("geometry/buildings_complete/1-0123456789abcdef.safetensors", b"x"),
        "damaged",
        "geometry/buildings_complete/1-0123456789abcdef.safetensors",
    ),
    "outlines of another map": (
        copy("polygon/buildings_complete/0.json", "polygon/buildings_complete/1.json"),
        "outlines",
        "polygon/buildings_complete/1.json",
    ),
    "a foreign file": (write("gain/DPM/1_0 (1).png", b"x"), "foreign-file", "gain/DPM/1_0 (1).png"),
    "a manifest of another schema": (write("split.json", '{"train": [0]}'), "split", "split.json"),
    "a map in two parts": (manifest({"train": [0, 1], "test": [1]}), "split", "split.json"),
    "shared maps that are declared": (
        manifest({"train": [0, 1], "test": [1]}, overlapping=True),
        "split",
        "split.json",
    ),
    "a manifest with an absent map": (manifest({"train": [0, 7]}), "split", "split.json"),
    "an index without its columns": (edit_index(lambda lines: ["a,b", *lines[1:]]), "index", "dataset.csv"),
    "an index without lines": (edit_index(lambda lines: lines[:1]), "index", "dataset.csv"),
    "an index that is not text": (write("dataset.csv", b"\xff\xfe\xff"), "index", "dataset.csv"),
    "an index that lacks a line": (edit_index(lambda lines: lines[:-1]), "index", "dataset.csv"),
    "an index with a line without numbers": (edit_index(lambda lines: [*lines, "a,b,c,d"]), "index", "dataset.csv"),
    "an index of an absent map": (edit_index(lambda lines: [*lines, "9,0,1,1"]), "index", "dataset.csv"),
    "an index with another position": (
        edit_index(lambda lines: [lines[0], "0,0,1,1," + lines[1].split(",", 4)[4], *lines[2:]]),
        "index",
        "dataset.csv",
    ),
    "an index of a transmitter too many": (edit_index(lambda lines: [*lines, "0,3,1,1"]), "index", "dataset.csv"),
    "an index that names another gain": (
        edit_index(lambda lines: [lines[0], lines[1].replace("gain/DPM/0_0", "gain/DPM/0_1"), *lines[2:]]),
        "index",
        "dataset.csv",
    ),
}


def indoors(root: Path) -> tuple[int, int]:
    """A cell (col, row) with buildings all around."""
    from scipy.ndimage import binary_erosion

    row, col = np.argwhere(binary_erosion(read(root / BUILDINGS) > 0, np.ones((3, 3))))[0]
    return int(col), int(row)


def on_the_rim(root: Path) -> tuple[int, int]:
    from scipy.ndimage import binary_erosion

    mask = read(root / BUILDINGS) > 0
    row, col = np.argwhere(mask & ~binary_erosion(mask, np.ones((3, 3)), border_value=1))[0]
    return int(col), int(row)


def report_of(root: Path) -> ValidationReport:
    steps = validate_data_set(root)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def check_only(root: Path, kind: str, file: str) -> None:
    findings = report_of(root).findings
    assert {(finding.kind, finding.file) for finding in findings} == {(kind, file)}, findings
