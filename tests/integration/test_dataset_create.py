"""`radiodiff dataset create`: what is on the disk, whatever the number of workers and interruptions."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from command_line import Run, tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data import CreateSettings, create_data_set
from radiodiff.data.create import MANIFEST, read_manifest
from radiodiff.errors import InputError
from radiodiff.formats import read_mask_image, read_radiomapseer_scene, read_radiomapseer_transmitters
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.layouts import CitySettings
from radiodiff.propagation import DominantPath
from radiodiff.scene import Transmitter

MAPS, TX, SEED, SIZE = 24, 3, 5, 64
CITY = CitySettings(rows=SIZE, cols=SIZE)
OPTIONS = ("--tx-per-map", TX, "--seed", SEED, "--size", SIZE, "--cars")
COMMAND = ("dataset", "create", "--out", "city", "--maps", MAPS, "--workers", 1, *OPTIONS)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set made in one go by one process; it also leaves the kernels compiled on the disk."""
    root = tmp_path_factory.mktemp("reference") / "city"
    steps = list(create_data_set(root, CreateSettings(MAPS, TX, SEED, cars=True, city=CITY)))
    assert steps == [(done, MAPS) for done in range(MAPS + 1)]
    return root


@pytest.fixture
def city(reference: Path, tmp_path: Path) -> Path:
    """A copy of the finished data set, in the folder where commands run."""
    return shutil.copytree(reference, tmp_path / "city")


def files(folder: Path) -> dict[str, bytes | None]:
    """All but the manifest, which holds times."""
    return {name: content for name, content in tree(folder).items() if name != MANIFEST}


def check_manifest(root: Path) -> None:
    """A line for each map, in order, with the checksums of all its files."""
    records = read_manifest(root)
    assert [record["map"] for record in records] == list(range(MAPS))
    named = {name: digest for record in records for name, digest in record["sha256"].items()}
    there = {name: content for name, content in files(root).items() if "/" in name and content is not None}
    assert named == {name: hashlib.sha256(content).hexdigest() for name, content in there.items()}


def test_the_layout_is_that_of_radiomapseer(reference: Path) -> None:
    pairs = [f"{index}_{tx}" for index in range(MAPS) for tx in range(TX)]
    expected = {"dataset.csv", "dataset.json", "manifest.jsonl", "split.json"}
    for index in range(MAPS):
        expected |= {f"antenna/{index}.json"}
        expected |= {f"polygon/{layer}/{index}.json" for layer in ("buildings_complete", "cars")}
        expected |= {f"png/{layer}/{index}.png" for layer in ("buildings_complete", "cars")}
    expected |= {f"{folder}/{pair}.png" for folder in ("png/antennas", "gain/DPM", "gain/carsDPM") for pair in pairs}
    assert {name for name, content in tree(reference).items() if content is not None} == expected


def test_without_cars_there_is_no_trace_of_them(radiodiff: Run, tmp_path: Path) -> None:
    outcome = radiodiff("dataset", "create", "--out", "city", "--maps", 1, "--tx-per-map", 2, "--seed", 1, "--size", 64)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("city: 1 cities, 2 radio maps (")
    assert not [name for name in tree(tmp_path) if "cars" in name.lower()]


def test_every_gain_is_the_engines_map_of_the_scene_on_the_disk(reference: Path) -> None:
    """Equal bit for bit: outlines lie on a lattice of 1/1024 m, which JSON and the half-cell shift keep exactly."""
    for map_id in range(MAPS):
        cells = read_radiomapseer_transmitters(reference, map_id, rows=SIZE)
        for simulation, cars in (("DPM", False), ("carsDPM", True)):
            scene = read_radiomapseer_scene(reference, map_id, cars=cars)
            txs = [Transmitter.at_cell(scene.grid, *cell) for cell in cells]
            for tx, radio_map in enumerate(DominantPath().radio_maps(scene, txs)):
                expected = RADIOMAPSEER_GREY.to_grey(radio_map.path_loss_db, thresholded=False)
                with Image.open(reference / f"gain/{simulation}/{map_id}_{tx}.png") as image:
                    assert image.mode == "L"
                    np.testing.assert_array_equal(np.array(image), expected)


@pytest.mark.parametrize(
    ("layer", "right", "down"), [("buildings_complete", 0.5, -0.5), ("cars", -0.5, 0.5)], ids=["buildings", "cars"]
)
def test_images_stand_half_a_cell_beside_the_gains(reference: Path, layer: str, right: float, down: float) -> None:
    """As in RadioMapSeer: a pixel tells of the point half a cell beside its centre, by shapely's own judgement."""
    x, y = np.meshgrid(np.arange(SIZE) + 0.5 + right, np.arange(SIZE) + 0.5 + down)
    for map_id in range(MAPS):
        image = read_mask_image(reference / f"png/{layer}/{map_id}.png")
        scene = read_radiomapseer_scene(reference, map_id, cars=True)
        footprints = scene.footprints if layer == "buildings_complete" else scene.car_footprints
        outlines = shapely.union_all([footprint.polygon for footprint in footprints])
        is_clear = shapely.distance(shapely.boundary(outlines), shapely.points(x, y)) > 1e-3
        np.testing.assert_array_equal(image[is_clear], shapely.contains_xy(outlines, x, y)[is_clear])


def test_the_index_names_every_radio_map_and_its_transmitter(reference: Path) -> None:
    with (reference / "dataset.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["map"]), int(row["tx"])) for row in rows] == [(m, t) for m in range(MAPS) for t in range(TX)]
    for entry in rows:
        col, row = int(entry["col"]), int(entry["row"])
        pair = f"{entry['map']}_{entry['tx']}"
        antenna = read_mask_image(reference / f"png/antennas/{pair}.png")
        assert np.argwhere(antenna).tolist() == [[row, col]]
        for simulation in ("DPM", "carsDPM"):
            assert entry[f"gain_{simulation}"] == f"gain/{simulation}/{pair}.png"
            gain = np.array(Image.open(reference / entry[f"gain_{simulation}"]))
            assert gain[row, col] == gain.max() == 255


def test_the_settings_are_on_record(reference: Path) -> None:
    record = json.loads((reference / "dataset.json").read_text(encoding="utf-8"))
    assert (record["tx_per_map"], record["seed"], record["cars"]) == (TX, SEED, True)
    assert record["city"]["rows"] == SIZE
    assert record["engine"]["law"]["max_corners"] == 3
    assert record["grey"]["scale"] == "raw"


def test_the_manifest_names_every_file_and_what_it_took(reference: Path) -> None:
    check_manifest(reference)
    for record in read_manifest(reference):
        assert (record["seed"], record["num_tx"]) == ([SEED, record["map"]], TX)
        assert record["source"].startswith("city ")
        assert set(record["seconds"]) == {"layout", "files", "DPM", "carsDPM"}
        assert all(seconds > 0 for seconds in record["seconds"].values())
        assert record["num_bytes"] == sum((reference / name).stat().st_size for name in record["sha256"])
        assert {"radiodiff", "numba", "shapely"} <= set(record["versions"])


def test_two_workers_write_the_same_bytes(radiodiff_process: Run, reference: Path, tmp_path: Path) -> None:
    outcome = radiodiff_process(*COMMAND, "--workers", 2)
    assert (outcome.code, outcome.err) == (0, "")
    assert files(tmp_path / "city") == files(reference)


def test_more_maps_keep_the_old_ones(radiodiff: Run, reference: Path, tmp_path: Path) -> None:
    city = tmp_path / "city"
    assert radiodiff("dataset", "create", *COMMAND[2:], "--maps", 2).code == 0
    few = {name: content for name, content in files(city).items() if name != "dataset.csv"}
    assert few.items() <= files(reference).items()
    gains = list(city.glob("gain/*/*.png"))
    written_ns = [path.stat().st_mtime_ns for path in gains]
    assert radiodiff(*COMMAND).code == 0
    assert [path.stat().st_mtime_ns for path in gains] == written_ns
    assert files(city) == files(reference)


def test_what_is_missing_is_made_again(radiodiff: Run, reference: Path, city: Path) -> None:
    lost = ("antenna/0.json", "gain/DPM/1_2.png", "png/antennas/2_0.png", "polygon/cars/3.json", "dataset.csv")
    for name in lost:
        (city / name).unlink()
    shutil.rmtree(city / "png/cars")
    # After a power cut: names with no or half their content, and what was being written.
    (city / "gain/carsDPM/1_0.png").write_bytes(b"")
    for name in ("gain/carsDPM/2_1.png", "polygon/cars/2.json"):
        whole = (city / name).read_bytes()
        (city / name).write_bytes(whole[: len(whole) // 2])
    for folder in ("", "gain/DPM"):
        (city / folder / f"{TEMPORARY_PREFIX}0.png").write_bytes(b"half")
    assert radiodiff(*COMMAND).code == 0
    assert files(city) == files(reference)
    check_manifest(city)


def test_a_data_set_without_a_manifest_gets_one_and_keeps_its_files(
    radiodiff: Run, reference: Path, city: Path
) -> None:
    """It was made before there were manifests, or its run was killed before the first line."""
    (city / MANIFEST).unlink()
    written_ns = {path: path.stat().st_mtime_ns for path in city.glob("*/*/*")}
    assert radiodiff(*COMMAND).code == 0
    assert {path: path.stat().st_mtime_ns for path in city.glob("*/*/*")} == written_ns
    assert files(city) == files(reference)
    check_manifest(city)
    assert [record["seconds"] for record in read_manifest(city)] == [None] * MAPS


def test_without_a_manifest_a_damaged_radio_map_is_made_again(radiodiff: Run, reference: Path, city: Path) -> None:
    (city / MANIFEST).unlink()
    gain = city / "gain/DPM/5_0.png"
    content = bytearray(gain.read_bytes())
    content[len(content) // 2] ^= 1
    gain.write_bytes(content)
    assert radiodiff(*COMMAND).code == 0
    assert files(city) == files(reference)
    check_manifest(city)


@pytest.mark.parametrize("cut", [10, 200], ids=["in the header", "in a line"])
def test_half_a_line_of_the_manifest_counts_as_none(radiodiff: Run, city: Path, cut: int) -> None:
    (city / MANIFEST).write_bytes((city / MANIFEST).read_bytes()[:cut])
    assert radiodiff(*COMMAND).code == 0
    check_manifest(city)


def test_changed_files_are_found_by_their_checksums(radiodiff: Run, reference: Path, city: Path) -> None:
    for name in ("gain/DPM/3_1.png", "polygon/cars/7.json"):
        content = bytearray((city / name).read_bytes())
        content[len(content) // 2] ^= 1
        (city / name).write_bytes(content)
    changed = files(city)
    assert radiodiff(*COMMAND).code == 0
    assert files(city) == changed
    assert radiodiff(*COMMAND, "--verify").code == 0
    assert files(city) == files(reference)
    check_manifest(city)


def test_a_run_killed_before_its_first_file_can_be_repeated(radiodiff: Run, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / f"{TEMPORARY_PREFIX}0.json").write_text("{")
    assert radiodiff(*COMMAND).code == 0
    assert files(tmp_path / "city") == files(reference)


def start(folder: Path, workers: int) -> subprocess.Popen[str]:
    """A run in a process group of its own, as a terminal makes it, in the middle of its work."""
    command = [sys.executable, "-m", "radiodiff", *map(str, COMMAND), "--workers", str(workers)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while process.poll() is None and len(list(folder.glob("city/gain/carsDPM/*.png"))) < TX:
        time.sleep(0.002)
    return process


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_is_completed_by_the_next(radiodiff: Run, reference: Path, tmp_path: Path, workers: int) -> None:
    process = start(tmp_path, workers)
    process.kill()
    # Every worker holds the other end of these pipes: they end when the last one does.
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    city = tmp_path / "city"
    assert not (city / "dataset.csv").exists()
    whole = {name: content for name, content in files(city).items() if TEMPORARY_PREFIX not in name}
    assert whole.items() <= files(reference).items()
    assert radiodiff(*COMMAND).code == 0
    check_manifest(city)
    assert files(city) == files(reference)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_says_so_and_is_completed_by_the_next(
    radiodiff: Run, reference: Path, tmp_path: Path, workers: int
) -> None:
    process = start(tmp_path, workers)
    os.killpg(process.pid, signal.SIGINT)
    text = process.communicate(timeout=60)
    assert (process.returncode, *text) == (130, "", "interrupted\n")
    city = tmp_path / "city"
    assert not (city / "dataset.csv").exists()
    assert not list(city.rglob(f"{TEMPORARY_PREFIX}*"))
    assert radiodiff(*COMMAND).code == 0
    assert files(city) == files(reference)


def test_a_full_disk_ends_the_run_and_the_next_completes_it(
    radiodiff: Run, radiodiff_process: Run, reference: Path, tmp_path: Path
) -> None:
    city = tmp_path / "city"
    # No file above 2 KiB: the settings and outlines fit, the first gain does not.
    outcome = radiodiff_process(*COMMAND, "--workers", 2, shell="ulimit -f 4")
    outcome.check_refusal("must be writable", "city/", "free space")
    assert (city / "dataset.json").is_file()
    assert not list(city.rglob(f"{TEMPORARY_PREFIX}*"))
    assert radiodiff(*COMMAND).code == 0
    assert files(city) == files(reference)


REFUSED = {
    "another seed": (["--seed", 6], ["settings it was begun with", "seed: 5 on disk, 6 asked for", "another folder"]),
    "more transmitters": (["--tx-per-map", 4], ["tx_per_map: 3 on disk, 4 asked for"]),
    "larger maps": (["--size", 96], ["city.rows: 64 on disk, 96 asked for"]),
    "another style": (["--style", "houses"], ["city.style: mixed on disk, houses asked for"]),
    "fewer maps": (["--maps", MAPS - 1], ["can grow, not shrink", f"map {MAPS - 1},", f"at least {MAPS} maps"]),
    "a foreign folder": (["--out", "foreign"], ["must be empty or absent", "foreign, which holds other files"]),
    "a file": (["--out", "file"], ["must have a folder", "file, which is a file", "another name"]),
    "a folder in a file": (["--out", "file/city"], ["must be writable", "Not a directory", "file/city"]),
    "no maps": (["--maps", 0], ["maps must be a whole number of at least 1", "got 0"]),
    "no transmitters": (["--out", "new", "--tx-per-map", 0], ["tx_per_map must be", "at least 1", "got 0"]),
    "a negative seed": (["--out", "new", "--seed", -1], ["seed must be", "at least 0", "got -1"]),
    "no workers": (["--out", "new", "--workers", 0], ["workers must be", "at least 1", "got 0"]),
    "no cells": (["--out", "new", "--size", 0], ["Grid.rows must be", "at least 1", "got 0"]),
    "small maps": (["--out", "new", "--size", 20], ["at least 48 m wide", "20 x 20 cells", "crop"]),
    "an unknown style": (["--out", "new", "--style", "gothic"], ["style of a city", "'gothic'", "Use one of"]),
    "too many transmitters": (["--out", "new", "--tx-per-map", 5000], ["5000 free cells", "fewer transmitters"]),
}


@pytest.mark.parametrize(("changes", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused_and_nothing_changes(
    radiodiff: Run, city: Path, tmp_path: Path, changes: list, parts: list[str]
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").touch()
    (tmp_path / "file").touch()
    (city / "gain/DPM/0_0.png").unlink()
    before = tree(tmp_path)
    radiodiff(*COMMAND, *changes).check_refusal(*parts)
    assert tree(tmp_path) == before


def test_a_data_set_with_cars_is_not_one_without(radiodiff: Run, city: Path) -> None:
    before = tree(city)
    outcome = radiodiff(*(part for part in COMMAND if part != "--cars"))
    outcome.check_refusal("cars: True on disk, False asked for")
    assert tree(city) == before


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\xff"], ids=["empty", "cut short", "a list", "not UTF-8"])
def test_a_damaged_record_is_refused(radiodiff: Run, city: Path, text: str) -> None:
    (city / "dataset.json").write_bytes(text.encode("latin-1"))
    before = tree(city)
    radiodiff(*COMMAND).check_refusal("dataset.json must hold the settings", "city/dataset.json, which is damaged")
    assert tree(city) == before


def test_a_file_where_a_folder_should_be(radiodiff: Run, city: Path) -> None:
    shutil.rmtree(city / "gain")
    (city / "gain").touch()
    before = tree(city)
    radiodiff(*COMMAND).check_refusal("must be writable", "city/gain", "name of a folder")
    assert tree(city) == before


def test_a_folder_where_a_file_should_be(radiodiff: Run, city: Path) -> None:
    gain = city / "gain/DPM/0_1.png"
    gain.unlink()
    gain.mkdir()
    before = tree(city)
    radiodiff(*COMMAND).check_refusal("must not be a folder", "gain/DPM/0_1.png")
    assert tree(city) == before


def test_a_damaged_antenna_file_is_named(radiodiff: Run, city: Path) -> None:
    (city / "antenna/3.json").write_text("[[1, x]]")
    radiodiff(*COMMAND).check_refusal("must hold JSON", "city/antenna/3.json")


@pytest.mark.parametrize(
    "broken", [{"maps": 0}, {"maps": 2.5}, {"maps": True}, {"tx_per_map": -1}, {"seed": -1}, {"seed": 1.0}], ids=str
)
def test_settings_refuse(broken: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(broken))} must be a whole number"):
        CreateSettings(**({"maps": 1, "tx_per_map": 1, "seed": 0} | broken))


def test_cars_need_cities_with_cars() -> None:
    with pytest.raises(InputError, match="needs cities with cars"):
        CreateSettings(1, 1, 0, cars=True, city=CitySettings(cars_per_hectare=0.0))
