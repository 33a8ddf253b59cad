"""Square maps around the transmitter, in folders like RadioMapSeer's, from the ICASSP 2025 data set.

```
arranged.json                    settings: what makes two runs the same arrangement
image/<name>.png                 path loss; one grey level is 1 dB, 160 beside the map
condition/reflectance/<name>.png         reflectance, 1 dB a level
condition/transmittance/<name>.png       transmittance, 1 dB a level
condition/distance/<name>.png            distance to the transmitter, 1 m a level, 255 beside the map
condition/free_space_loss/<name>.png     path loss in free space with the antenna's pattern, 1 dB a level
antenna/<name>.png               one pixel of 255 at the transmitter
mask/<name>.png                  255 on the map, 0 beside it
split.json                       building numbers of train, validation and test (80 : 10 : 10)
manifest.csv                     one line per radio map
statistics.json                  counts over all parts; range, mean and standard deviation of each channel on the maps
                                 of the train part alone: networks may be normalised by them
```

Names are those of the challenge (`B1_Ant1_f1_S0`). Every file is written whole; an image that is there and ends as a
PNG does is kept. What an interrupted run left missing is made by the next one; the three tables come last, so their
presence says that the images are complete.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.atomic_file import atomic_write
from radiodiff.data.create import check_count
from radiodiff.data.icassp.arranged_manifest import MANIFEST_FILE, ArrangedMap, write_manifest
from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION, AzimuthConvention
from radiodiff.data.icassp.building_split import building_split
from radiodiff.data.icassp.crop import Window, centred_window, cut
from radiodiff.data.icassp.free_space_loss import free_space_loss_db
from radiodiff.data.icassp.layout import TASKS, SampleId, scan_icassp
from radiodiff.data.icassp.reader import IcasspReader, IcasspSample
from radiodiff.data.splits import MANIFEST as SPLIT_FILE
from radiodiff.data.splits import PARTS, Split
from radiodiff.data.work_folder import begin_folder, is_begun, is_whole
from radiodiff.data.worker_pool import run_tasks
from radiodiff.encoding import PADDING
from radiodiff.errors import FormatError, InputError
from radiodiff.formats import read_grey_image, read_json, write_grey_png

__all__ = [
    "ARRANGED_FOLDERS",
    "ARRANGED_MASKS",
    "ARRANGED_RECORD",
    "STATISTICS_FILE",
    "ArrangeSettings",
    "arrange_icassp",
    "read_arranged_record",
]

STATISTICS_FILE = "statistics.json"

ARRANGED_RECORD = "arranged.json"

SOURCE = "radiodiff-source"
"""Text of the images: a digest of the radio map that they were cut from."""

ARRANGED_FOLDERS = {
    "path_loss_db": "image",
    "reflectance_db": "condition/reflectance",
    "transmittance_db": "condition/transmittance",
    "distance_m": "condition/distance",
    "free_space_loss_db": "condition/free_space_loss",
}
"""Folder of each channel."""

ARRANGED_MASKS = ("antenna", "mask")
"""Folders of the images of two levels."""


@dataclass(frozen=True)
class ArrangeSettings:
    """What an arrangement holds.

    Attributes:
        task: Task of the challenge.
        size: Edge of the squares [pixels].
        split_seed: Seed of the split by building.
        azimuth: What azimuths mean.

    Raises:
        InputError: A value is out of range.
    """

    task: int = 3
    size: int = 256
    split_seed: int = 0
    azimuth: AzimuthConvention = DEFAULT_CONVENTION

    def __post_init__(self) -> None:
        allowed = {
            "task": (self.task in TASKS, "1, 2 or 3"),
            "size": (type(self.size) is int and 1 <= self.size <= 4096, "a whole number from 1 to 4096"),
            "split_seed": (type(self.split_seed) is int and self.split_seed >= 0, "a whole number of at least 0"),
            "azimuth": (self.azimuth in AZIMUTH_CONVENTIONS, f"one of {', '.join(AZIMUTH_CONVENTIONS)}"),
        }
        for name, (holds, rule) in allowed.items():
            if not holds:
                raise InputError(
                    f"ArrangeSettings.{name} must be {rule}",
                    value=repr(getattr(self, name)),
                    remedy="Correct the value.",
                )

    def identity(self) -> dict[str, Any]:
        """What two runs must share to add to the same folder."""
        return {"format": "radiodiff-icassp-arranged", "format_version": 1, **asdict(self)}


def read_arranged_record(root: Path) -> ArrangeSettings:
    """Settings of an arrangement, from its record.

    Raises:
        FormatError: The record is absent, damaged or of another program.
    """
    path = root / ARRANGED_RECORD
    record = read_json(path)
    try:
        settings = ArrangeSettings(**{field.name: record[field.name] for field in fields(ArrangeSettings)})
        is_ours = all(record.get(key) == value for key, value in settings.identity().items())
    except (InputError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise FormatError(
            f"{ARRANGED_RECORD} must hold the settings of an arrangement",
            value=path,
            remedy="It is damaged or of another program: arrange the data set again, into another folder.",
        )
    return settings


def arrange_icassp(
    root: str | Path, out: str | Path, settings: ArrangeSettings, *, workers: int = 1
) -> Iterator[tuple[int, int]]:
    """Write an arrangement, or what an interrupted run left missing of it.

    Args:
        root: The data set; it is only read.
        out: Folder of the arrangement; made where it is not there.
        settings: What to make.
        workers: Processes; 1 works in this one. The files do not depend on it.

    Yields:
        (radio maps done, radio maps wanted).

    Raises:
        DataSetError: The data set is not one or incomplete, has fewer than three buildings, or the folder holds
            something else or an arrangement with other settings.
        FormatError: A file is damaged or cannot be written.
        InputError: `workers` is not positive.
    """
    check_count("workers", workers, 1)
    out = Path(out)
    samples = scan_icassp(root, settings.task)
    split = building_split((sample.building for sample in samples), settings.split_seed)
    is_begun(out, ARRANGED_RECORD, settings.identity())
    begin_folder(out, ARRANGED_RECORD, settings.identity(), (*ARRANGED_FOLDERS.values(), *ARRANGED_MASKS))
    task = partial(_arrange, IcasspReader(root), out, settings)
    lines: dict[SampleId, ArrangedMap] = {}
    counts = {part: np.zeros((len(ARRANGED_FOLDERS), 256), dtype=np.int64) for part in PARTS}
    part_of = {building: part for part in PARTS for building in split.ids(part)}
    yield 0, len(samples)
    for sample, line, found in run_tasks(task, samples, workers):
        lines[sample] = line
        counts[part_of[sample.building]] += found
        yield len(lines), len(samples)
    split.write(out / SPLIT_FILE)
    _write_statistics(out, samples, split, counts)
    write_manifest(out / MANIFEST_FILE, [lines[sample] for sample in samples])


def _arrange(
    reader: IcasspReader, out: Path, settings: ArrangeSettings, sample_id: SampleId
) -> tuple[SampleId, ArrangedMap, NDArray[np.int64]]:
    """Write the images of one radio map where they are not there.

    Returns:
        The radio map, its line of the manifest, and how often each level 0..255 of each channel occurs on the map.
    """
    name = f"{sample_id.name}.png"
    paths = {channel: out / folder / name for channel, folder in ARRANGED_FOLDERS.items()}
    paths |= {mask: out / mask / name for mask in ARRANGED_MASKS}
    sample = reader.read(sample_id)
    window = centred_window(sample.shape, sample.tx_cell, settings.size)
    source = _digest(sample)
    images = _images_there(paths, source)
    if images is None:
        images = _images(sample, window, settings)
        for channel, path in paths.items():
            write_grey_png(path, images[channel], text={SOURCE: source})
    on_map = images["mask"] > 0
    line = ArrangedMap(
        name=sample_id.name,
        building=sample_id.building,
        antenna=sample_id.antenna,
        band=sample_id.band,
        frequency_hz=int(sample_id.frequency_hz),
        sample=sample_id.sample,
        map_rows=sample.shape[0],
        map_cols=sample.shape[1],
        map_tx_row=sample.tx_cell[0],
        map_tx_col=sample.tx_cell[1],
        tx_row=window.moved(sample.tx_cell)[0],
        tx_col=window.moved(sample.tx_cell)[1],
        crop_row=window.row,
        crop_col=window.col,
        azimuth_deg=sample.azimuth_deg,
    )
    return sample_id, line, np.stack([np.bincount(images[name][on_map], minlength=256) for name in ARRANGED_FOLDERS])


def _images_there(paths: dict[str, Path], source: str) -> dict[str, NDArray[np.uint8]] | None:
    """The images that an earlier run left, where all are whole and of this source."""
    if not all(is_whole(path) for path in paths.values()):
        return None
    found = {channel: read_grey_image(path) for channel, path in paths.items()}
    if any(text.get(SOURCE) != source for _, text in found.values()):
        return None
    return {channel: image for channel, (image, _) in found.items()}


def _digest(sample: IcasspSample) -> str:
    """What identifies a radio map and its transmitter."""
    digest = hashlib.sha256()
    for array in (sample.reflectance_db, sample.transmittance_db, sample.distance_m, sample.path_loss_db):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr((sample.shape, sample.tx_row, sample.tx_col, sample.azimuth_deg, sample.pattern)).encode())
    return digest.hexdigest()[:16]


def _images(sample: IcasspSample, window: Window, settings: ArrangeSettings) -> dict[str, NDArray[np.uint8]]:
    """Images (size, size) by channel and mask."""
    free_space_db = free_space_loss_db(
        sample.shape, sample.tx, sample.frequency_hz, sample.pattern, sample.azimuth_deg, settings.azimuth
    )
    values = {
        name: free_space_db if name == "free_space_loss_db" else getattr(sample, name) for name in ARRANGED_FOLDERS
    }
    images = {
        name: np.rint(np.clip(cut(array, window, PADDING[name]), 0.0, 255.0)).astype(np.uint8)
        for name, array in values.items()
    }
    antenna = np.zeros((window.rows, window.cols), dtype=np.uint8)
    antenna[window.moved(sample.tx_cell)] = 255
    on_map = cut(np.full(sample.shape, 255.0), window, 0.0).astype(np.uint8)
    return images | {"antenna": antenna, "mask": on_map}


def _write_statistics(
    out: Path, samples: tuple[SampleId, ...], split: Split, counts: dict[str, NDArray[np.int64]]
) -> None:
    """Write statistics.json: numbers of radio maps, and the channels over the pixels on the maps of the train part."""
    levels = np.arange(256.0)
    channels = {}
    for name, count in zip(ARRANGED_FOLDERS, counts["train"], strict=True):
        mean = float(count @ levels / count.sum())
        found = np.flatnonzero(count)
        channels[name] = {
            "min": int(found[0]),
            "max": int(found[-1]),
            "mean": mean,
            "std": float(np.sqrt(count @ (levels - mean) ** 2 / count.sum())),
        }
    content = {
        "counts_are_of": "all parts",
        "radio_maps": len(samples),
        "pixels_on_maps": sum(int(count[0].sum()) for count in counts.values()),
        "buildings": len({sample.building for sample in samples}),
        "by_part": {part: sum(sample.building in split.ids(part) for sample in samples) for part in PARTS},
        "by_antenna": {str(a): sum(s.antenna == a for s in samples) for a in sorted({s.antenna for s in samples})},
        "by_band": {str(band): sum(s.band == band for s in samples) for band in sorted({s.band for s in samples})},
        "channels_are_of": "train",
        "channels": channels,
    }
    with atomic_write(out / STATISTICS_FILE) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
