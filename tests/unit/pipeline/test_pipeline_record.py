"""What a model says of itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline.record import RECORD_FILE, PipelineRecord
from tiny_pipelines import tiny_encoding

RECORD = PipelineRecord(
    "diffusion",
    tiny_encoding(scale="thresholded"),
    "thresholded",
    data={"kind": "radiomapseer", "cars": False, "geometry": ["los_mask"]},
    map_shape=(256, 128),
    cell_size_m=1.0,
    frequency_hz=5.9e9,
    tx_height_m=1.5,
    is_resampled=True,
    num_inference_steps=5,
    is_stochastic=False,
    training={"recipe": "diffusion/tiny", "steps": 300},
)


def written(folder: Path, **changes: Any) -> Path:
    content = RECORD.to_dict() | changes
    (folder / RECORD_FILE).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_record_comes_back_from_its_file(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text(RECORD.to_json(), encoding="utf-8")
    assert PipelineRecord.read(tmp_path) == RECORD


def test_what_nobody_knows_stays_unknown(tmp_path: Path) -> None:
    unknown = {"map_shape": None, "cell_size_m": None, "frequency_hz": None, "tx_height_m": None}
    found = PipelineRecord.read(written(tmp_path, **unknown))
    assert {name: getattr(found, name) for name in unknown} == unknown


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"up to version 2; got version 3\. Install a newer radiodiff"):
        PipelineRecord.read(written(tmp_path, version=3))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "radiodiff autoencoder"},
        {"version": "new"},
        {"kind": "gan"},
        {"encoding": {"condition": []}},
        {"map_shape": 256},
        {"map_shape": [256]},
        {"cell_size_m": "one"},
        {"frequency_hz": "high"},
        {"tx_height_m": -1.5},
        {"num_inference_steps": 0},
        {"data": None},
    ],
)
def test_a_changed_record_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"radiodiff\.json must hold the record of a model"):
        PipelineRecord.read(written(tmp_path, **changes))


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    content = RECORD.to_dict()
    del content["scale"]
    (tmp_path / RECORD_FILE).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CheckpointError, match="'scale'"):
        PipelineRecord.read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"format":', "\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError, match=rf"must hold a JSON object; got {tmp_path}"):
        PipelineRecord.read(tmp_path)


def test_a_folder_without_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=rf"must have radiodiff\.json.*; got {tmp_path}, which has none"):
        PipelineRecord.read(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "gan"},
        {"map_shape": (0, 5)},
        {"cell_size_m": float("nan")},
        {"frequency_hz": 0.0},
        {"tx_height_m": -1.0},
        {"num_inference_steps": 0},
    ],
)
def test_values_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    fields = {name: getattr(RECORD, name) for name in vars(RECORD)}
    with pytest.raises(InputError, match="PipelineRecord must have kind"):
        PipelineRecord(**(fields | changes))


@pytest.mark.parametrize("value", [Path("x"), float("nan"), {1, 2}])
def test_only_json_types_are_written(value: object) -> None:
    with pytest.raises(InputError, match="PipelineRecord must hold JSON types only"):
        PipelineRecord("diffusion", RECORD.encoding, "raw", training={"x": value}).to_json()
