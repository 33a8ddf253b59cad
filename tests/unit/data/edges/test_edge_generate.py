"""Edge images on the disk: both layouts, damaged images, interruptions."""

import csv
import json
import os
from contextlib import closing

import cv2
import numpy as np
import pytest
from PIL import Image

from command_line import tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.edges import generate, images
from radiodiff.data.edges.analyze import analyze_edges
from radiodiff.data.edges.detect import detect_edges
from radiodiff.data.edges.generate import EdgeSettings, generate_edges
from radiodiff.data.edges.images import check_failures, read_source
from radiodiff.data.splits import Split
from radiodiff.errors import ConfigError, DataSetError, FormatError, InputError

CANNY = EdgeSettings(method="canny")
SPLIT = EdgeSettings(method="sobel", train_share=0.7, seed=4)


def finish(steps):
    """What a generator returns, and what it yielded."""
    yielded = []
    while True:
        try:
            yielded.append(next(steps))
        except StopIteration as end:
            return end.value, yielded


def picture(seed, size=(24, 30)):
    grey = np.full(size, 90, np.uint8)
    row, col = np.random.default_rng(seed).integers(3, 10, 2)
    grey[row : row + 8, col : col + 9] = 200
    return grey


def read(path):
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.array(image)


@pytest.fixture
def maps(tmp_path):
    """Six maps of two transmitters, in two folders."""
    root = tmp_path / "maps"
    for map_id in range(6):
        for tx in range(2):
            path = root / f"set{map_id % 2}" / f"{map_id}_{tx}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(10 * map_id + tx)).save(path)
    return root


def spoil(root):
    """Five images that no edges can be made of, by the word that says why."""
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(root / "set0" / "90_0.png")
    Image.fromarray(np.full((9, 9), 1000, np.uint16)).save(root / "set0" / "91_0.png")
    (root / "set1" / "92_0.png").write_bytes(b"")
    whole = (root / "set0" / "0_0.png").read_bytes()
    (root / "set1" / "93_0.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(root / "94_0.png")
    return {"90_0": "colours", "91_0": "16 or 32 bits", "92_0": "empty", "93_0": "damaged", "94_0": "one grey level"}


def test_the_structure_is_kept(maps, tmp_path):
    report, steps = finish(generate_edges(maps, tmp_path / "edges", CANNY))
    assert steps == [(done, 12) for done in range(13)]
    assert (report.images, report.written, report.kept, report.failures) == (12, 12, 0, ())
    there = {name for name, content in tree(tmp_path / "edges").items() if content is not None}
    assert there == {"edges.json"} | {path.relative_to(maps).as_posix() for path in maps.rglob("*.png")}
    for path in maps.rglob("*.png"):
        edges = read(tmp_path / "edges" / path.relative_to(maps))
        np.testing.assert_array_equal(edges, cv2.Canny(read(path), 50, 150))


def test_a_split_has_pairs_and_each_map_in_one_part(maps, tmp_path):
    out = tmp_path / "edges"
    report, _ = finish(generate_edges(maps, out, SPLIT))
    assert (report.split_by, report.parts) == ("map", {"test": 4, "train": 8})
    split = Split.read(out / "split.json")
    assert sorted(split.ids("all")) == list(range(6))
    for part in ("train", "test"):
        names = {path.relative_to(out / part / "edge").as_posix() for path in (out / part).glob("edge/**/*.png")}
        assert names == {f"set{m % 2}/{m}_{tx}.png" for m in split.ids(part) for tx in range(2)}
        for name in names:
            image = read(out / part / "image" / name)
            np.testing.assert_array_equal(image, read(maps / name))
            np.testing.assert_array_equal(read(out / part / "edge" / name), 255 * detect_edges(image, "sobel"))


def test_the_settings_and_counts_are_on_record(maps, tmp_path):
    finish(generate_edges(maps, tmp_path / "edges", SPLIT))
    record = json.loads((tmp_path / "edges" / "edges.json").read_text())
    assert (record["format"], record["format_version"], record["method"]) == ("radiodiff-edges", 1, "sobel")
    assert record["options"] == SPLIT.options.model_dump(mode="json")
    assert (record["source"], record["seed"]) == (str(maps), 4)
    assert record["counts"]["edges"] == record["counts"]["images"] == 12


def test_workers_write_the_same_bytes(maps, tmp_path):
    spoil(maps)
    one, _ = finish(generate_edges(maps, tmp_path / "one", SPLIT))
    two, steps = finish(generate_edges(maps, tmp_path / "two", SPLIT, workers=2))
    assert two == one
    assert steps[-1] == (17, 17)
    assert tree(tmp_path / "two") == tree(tmp_path / "one")


def test_bad_images_are_listed_and_the_rest_is_made(maps, tmp_path):
    reasons = spoil(maps)
    report, steps = finish(generate_edges(maps, tmp_path / "edges", CANNY))
    assert (report.images, report.written, len(report.failures), steps[-1]) == (17, 12, 5, (17, 17))
    with (tmp_path / "edges" / "failures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["reason"]) for row in rows] == [(f.path, f.reason) for f in report.failures]
    for row in rows:
        name = row["path"].rsplit("/", 1)[-1].removesuffix(".png")
        assert reasons.pop(name) in row["reason"]
        assert not list((tmp_path / "edges").rglob(f"{name}.png"))
    assert reasons == {}
    with pytest.raises(DataSetError, match=r"5 of 17 that failed, the first: .*94_0\.png\. there names each"):
        check_failures(report.failures, report.images, "there")
    check_failures((), 12, "there")


def test_a_bad_image_whose_name_is_no_utf8_is_listed(maps, tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    (maps / name).write_bytes(b"")
    for sound in (b"th\xe9.png", b"\xfe.png"):
        Image.fromarray(picture(3)).save(maps / os.fsdecode(sound))
    report, _ = finish(generate_edges(maps, tmp_path / "edges", EdgeSettings(method="canny")))
    assert report.written == 14
    with (tmp_path / "edges" / "failures.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == report.failures[0].path == rf"{maps}/caf\udce9.png"
    assert r"caf\udce9.png" in row["reason"]
    assert (tmp_path / "edges" / os.fsdecode(b"th\xe9.png")).is_file()


def test_mended_images_are_added_by_the_next_run(maps, tmp_path):
    out = tmp_path / "edges"
    spoil(maps)
    finish(generate_edges(maps, out, CANNY))
    for path in list(maps.rglob("9?_0.png")):
        Image.fromarray(picture(1)).save(path)
    report, steps = finish(generate_edges(maps, out, CANNY))
    assert (report.kept, report.written, report.failures, steps[0]) == (12, 5, (), (12, 17))
    assert not (out / "failures.csv").exists()


def test_an_interrupted_run_is_completed_and_its_files_are_kept(maps, tmp_path):
    out = tmp_path / "edges"
    with closing(generate_edges(maps, out, SPLIT)) as steps:
        for _ in range(5):
            next(steps)
    assert json.loads((out / "edges.json").read_text())["counts"] is None
    made = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert len(made) == 8
    cut = next(iter(made))
    cut.write_bytes(cut.read_bytes()[:-5])
    (cut.parent / f"{TEMPORARY_PREFIX}1.png").touch()
    report, _ = finish(generate_edges(maps, out, SPLIT))
    assert (report.kept, report.written) == (3, 9)
    for path, written_ns in made.items():
        assert (path.stat().st_mtime_ns == written_ns) is (path.name != cut.name)
    finish(generate_edges(maps, tmp_path / "whole", SPLIT))
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.parametrize(
    "changed",
    [{"method": "canny"}, {"seed": 5}, {"train_share": 0.5}, {"rest": "validation"}, {"size": 16}, {"options": 1}],
    ids=lambda changed: next(iter(changed)),
)
def test_other_settings_in_the_same_folder_are_refused(maps, tmp_path, changed):
    out = tmp_path / "edges"
    finish(generate_edges(maps, out, SPLIT))
    before = tree(out)
    if "options" in changed:
        changed = {"options": SPLIT.options.replaced(thin=False)}
    with pytest.raises(DataSetError, match=rf"begun with; got .*: {next(iter(changed))}[.:]"):
        finish(generate_edges(maps, out, SPLIT.replaced(**changed)))
    assert tree(out) == before


def test_other_images_in_the_same_folder_are_refused(maps, tmp_path):
    out = tmp_path / "edges"
    finish(generate_edges(maps, out, SPLIT))
    before = tree(out)
    with pytest.raises(DataSetError, match=r"begun with; got .*: source: "):
        finish(generate_edges(maps / "set0", out, SPLIT))
    # A seventh map changes who is dealt where.
    for number in range(6, 30):
        Image.fromarray(picture(1)).save(maps / f"{number}_0.png")
    with pytest.raises(DataSetError, match=r"alone, each in its part; got .* other files, such as"):
        finish(generate_edges(maps, out, SPLIT))
    assert tree(out) == before


def test_foreign_folders_are_refused(maps, tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").touch()
    with pytest.raises(DataSetError, match="must be empty or absent"):
        finish(generate_edges(maps, tmp_path / "foreign", CANNY))
    (tmp_path / "foreign" / "edges.json").write_text("[]")
    with pytest.raises(DataSetError, match=r"edges\.json must hold the settings"):
        finish(generate_edges(maps, tmp_path / "foreign", CANNY))
    with pytest.raises(DataSetError, match="must lie apart"):
        finish(generate_edges(maps, maps / "edges", CANNY))


@pytest.mark.parametrize(
    "run", [lambda *a, **k: generate_edges(*a, CANNY, **k), lambda s, o, **k: analyze_edges(s, **k)]
)
def test_workers_are_counted(maps, tmp_path, run):
    with pytest.raises(InputError, match="workers must be"):
        finish(run(maps, tmp_path / "edges", workers=0))


def test_a_disk_that_fails_for_a_moment(maps, tmp_path, monkeypatch):
    """Every first read and every first write fails with EIO; the report is that of a sound disk."""
    monkeypatch.setattr("radiodiff.data.edges.retry.time.sleep", lambda seconds: None)
    failed = set()

    def flaky(real):
        def call(path, *arguments):
            if (real, path) not in failed:
                failed.add((real, path))
                raise OSError(5, "Input/output error", str(path))
            return real(path, *arguments)

        return call

    for module, name in ((images, "read_grey_image"), (generate, "write_mask_png"), (generate, "write_grey_png")):
        monkeypatch.setattr(module, name, flaky(getattr(module, name)))
    report, _ = finish(generate_edges(maps, tmp_path / "edges", SPLIT))
    assert (report.written, report.failures, len(failed)) == (12, (), 36)


def broken_at(name, real):
    def call(path, *arguments):
        if path.name == name:
            raise OSError(5, "Input/output error", str(path))
        return real(path, *arguments)

    return call


def test_an_image_that_cannot_be_read_at_all_is_a_failure(maps, tmp_path, monkeypatch):
    monkeypatch.setattr("radiodiff.data.edges.retry.time.sleep", lambda seconds: None)
    monkeypatch.setattr(images, "read_grey_image", broken_at("3_1.png", images.read_grey_image))
    report, _ = finish(generate_edges(maps, tmp_path / "edges", CANNY))
    assert [failure.path for failure in report.failures] == [str(maps / "set1" / "3_1.png")]
    assert "Input/output error" in report.failures[0].reason


def test_a_folder_that_cannot_be_written_ends_the_run(maps, tmp_path, monkeypatch):
    monkeypatch.setattr("radiodiff.data.edges.retry.time.sleep", lambda seconds: None)
    monkeypatch.setattr(generate, "write_mask_png", broken_at("3_1.png", generate.write_mask_png))
    with pytest.raises(OSError, match="Input/output error"):
        finish(generate_edges(maps, tmp_path / "edges", CANNY))


def test_resized_images_are_those_of_opencv(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "g.png")
    # 40 to 13, not to 20: halves are the same by area and by interpolation.
    for size, method in ((13, cv2.INTER_AREA), (80, cv2.INTER_LINEAR)):
        expected = cv2.resize(grey, (size, size), interpolation=method)
        # OpenCV computes bytes with fewer digits.
        assert np.abs(read_source(tmp_path / "g.png", size).astype(int) - expected).max() <= 1
    assert read_source(tmp_path / "g.png", 30).shape == (30, 30)


@pytest.mark.parametrize("size", [7, 20, 33, 90])
def test_binary_images_stay_binary(tmp_path, size):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:25, 5:30] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    resized = read_source(tmp_path / "m.png", size)
    assert set(np.unique(resized)) == {0, 255}
    assert abs((resized > 0).mean() - (mask > 0).mean()) < 0.08


def test_edges_of_resized_images_are_whole_lines(tmp_path):
    """Edges of one cell, taken at every other column, could be gone."""
    (tmp_path / "maps").mkdir()
    for column in (20, 21):
        grey = np.tile(np.where(np.arange(64) < column, 60, 180).astype(np.uint8), (64, 1))
        Image.fromarray(grey).save(tmp_path / "maps" / f"{column}_0.png")
    finish(generate_edges(tmp_path / "maps", tmp_path / "edges", EdgeSettings(method="gradient", size=32)))
    for name in ("20_0.png", "21_0.png"):
        edges = read(tmp_path / "edges" / name) > 0
        assert edges.shape == (32, 32)
        assert edges.any(axis=1).all()


def test_an_image_that_becomes_constant_is_a_failure(tmp_path):
    Image.fromarray(np.full((5, 5), 7, np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(FormatError, match=r"more than one grey level.*c\.png, 7 everywhere"):
        read_source(tmp_path / "c.png", None)


@pytest.mark.parametrize(
    "broken",
    [{"method": "roberts"}, {"train_share": 0.0}, {"train_share": 1.0}, {"rest": "rest"}, {"seed": -1}, {"size": 0}],
    ids=str,
)
def test_settings_refuse(broken):
    with pytest.raises(ConfigError, match=f"EdgeSettings.{next(iter(broken))} must be"):
        EdgeSettings(**{"method": "canny"} | broken)


def test_an_analysis_counts_and_writes_nothing(maps, tmp_path):
    spoil(maps)
    (maps / "notes.txt").touch()
    Image.fromarray(picture(3, (50, 40))).save(maps / "7_0.png")
    before = tree(tmp_path)
    found, steps = finish(analyze_edges(maps, ["canny", "gradient"]))
    assert tree(tmp_path) == before
    assert steps[-1] == (18, 18)
    assert (found.images, found.others, len(found.failures)) == (18, 1, 5)
    assert found.sizes == {(24, 30): 12, (50, 40): 1}
    good = [path for path in maps.rglob("*.png") if not path.name.startswith("9")]
    expected = sorted(float((cv2.Canny(read(path), 50, 150) > 0).mean()) for path in good)
    assert found.shares["canny"] == pytest.approx(expected)
    content = json.loads(json.dumps(found.to_dict()))
    assert content["edge_share"]["canny"] == pytest.approx(
        {"min": expected[0], "median": expected[6], "max": expected[-1]}
    )
    assert content["sizes"] == {"24x30": 12, "50x40": 1}
    assert [failure["path"] for failure in content["failures"]] == [failure.path for failure in found.failures]


def test_an_analysis_of_bad_images_alone(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    found, _ = finish(analyze_edges(tmp_path))
    assert found.to_dict()["edge_share"] == {}
    assert len(found.failures) == 1


def test_edges_of_an_image_that_has_changed_are_made_again(maps, tmp_path):
    finish(generate_edges(maps, tmp_path / "edges", CANNY))
    path = next(maps.rglob("*.png"))
    kept = (tmp_path / "edges" / path.relative_to(maps)).read_bytes()
    Image.fromarray(np.rot90(np.asarray(Image.open(path)))).save(path)
    report, _ = finish(generate_edges(maps, tmp_path / "edges", CANNY))
    assert report.written == 1
    assert (tmp_path / "edges" / path.relative_to(maps)).read_bytes() != kept
