"""Which images are found, how they are dealt to parts, and what is tried again."""

import errno
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.edges import retry
from radiodiff.data.edges.retry import WAITS_S, retried
from radiodiff.data.edges.sources import deal_parts, find_images, map_and_tx
from radiodiff.errors import DataSetError, FormatError, InputError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "maps"
    for name in ("b/2_0.png", "b/1_0.PNG", "a/deep/3_1.png", "0_0.png", "notes.txt", f"b/{TEMPORARY_PREFIX}1.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_images_at_any_depth_in_order(folder):
    found = find_images(folder)
    assert found.images == ("0_0.png", "a/deep/3_1.png", "b/1_0.PNG", "b/2_0.png")
    assert found.others == 2


def test_linked_folders_are_read_and_loops_end(folder, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "9_0.png").touch()
    (folder / "link").symlink_to(tmp_path / "more")
    (folder / "second").symlink_to(tmp_path / "more")
    (folder / "a" / "loop").symlink_to(folder)
    own = {"0_0.png", "a/deep/3_1.png", "b/1_0.PNG", "b/2_0.png"}
    assert set(find_images(folder).images) == own | {"link/9_0.png", "second/9_0.png"}


@pytest.mark.parametrize("out", ["maps", "maps/edges", "maps/a/deep", ".", "beside/../maps/edges"])
def test_the_output_must_lie_apart(folder, tmp_path, out):
    with pytest.raises(DataSetError, match="must lie apart"):
        find_images(folder, tmp_path / out)
    assert find_images(folder, tmp_path / "edges").images


def test_an_output_behind_a_link_is_found(folder, tmp_path):
    (tmp_path / "edges").mkdir()
    (folder / "link").symlink_to(tmp_path / "edges")
    with pytest.raises(DataSetError, match="must lie apart"):
        find_images(folder, tmp_path / "edges")


def test_no_images(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.jpg").touch()
    with pytest.raises(DataSetError, match=r"at least one PNG file; got .*empty with 1 other files"):
        find_images(tmp_path / "empty")
    with pytest.raises(DataSetError, match="not there"):
        find_images(tmp_path / "absent")
    with pytest.raises(DataSetError, match="which is a file"):
        find_images(tmp_path / "empty" / "a.jpg")


def test_a_folder_that_cannot_be_listed_is_an_error(folder, monkeypatch):
    def walk(root, onerror, followlinks):
        onerror(PermissionError(errno.EACCES, "Permission denied", str(root)))
        return iter(())

    monkeypatch.setattr("radiodiff.data.edges.sources.os.walk", walk)
    with pytest.raises(DataSetError, match=r"must be readable.*Permission denied"):
        find_images(folder)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("gain/DPM/12_3.png", (12, 3)),
        ("0_79.PNG", (0, 79)),
        ("B7_Ant2_f3_S41.png", (7, 41)),
        ("12.png", None),
        ("12_3_edge.png", None),
        ("x12_3.png", None),
        ("-1_3.png", None),
    ],
)
def test_numbers_of_names(name, numbers):
    assert map_and_tx(name) == numbers


def test_a_split_deals_whole_maps():
    images = [f"{map_id}_{tx}.png" for map_id in range(20) for tx in range(5)]
    dealt = deal_parts(images, 0.8, "test", seed=3)
    assert dealt.by == "map"
    assert Counter(dealt.part_of.values()) == {"train": 80, "test": 20}
    parts_of_map = {(map_and_tx(image)[0], part) for image, part in dealt.part_of.items()}
    assert len(parts_of_map) == 20
    assert {part: {m for m, p in parts_of_map if p == part} for part in ("train", "test")} == {
        part: set(ids) for part, ids in dealt.split.parts.items()
    }


def test_buildings_of_icassp_are_dealt_whole():
    images = [f"B{building}_Ant1_f{f}_S{s}.png" for building in range(1, 6) for f in (1, 2) for s in range(3)]
    dealt = deal_parts(images, 0.6, "validation", seed=0)
    assert Counter(dealt.part_of.values()) == {"train": 18, "validation": 12}
    assert len({(map_and_tx(image)[0], part) for image, part in dealt.part_of.items()}) == 5


def test_the_seed_decides_alone():
    images = [f"{map_id}_0.png" for map_id in range(30)]
    assert deal_parts(images, 0.5, "test", 1) == deal_parts(images, 0.5, "test", 1)
    assert deal_parts(images, 0.5, "test", 1) != deal_parts(images, 0.5, "test", 2)


def test_other_names_are_dealt_by_file():
    dealt = deal_parts([f"photo{i}.png" for i in range(10)], 0.7, "test", seed=0)
    assert (dealt.by, dealt.split) == ("file", None)
    assert Counter(dealt.part_of.values()) == {"train": 7, "test": 3}


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_each_part_gets_something(share):
    assert set(deal_parts(["1_0.png", "2_0.png"], share, "test", 0).part_of.values()) == {"train", "test"}


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_shares_outside_the_parts_are_refused(share):
    with pytest.raises(InputError, match="between 0 and 1"):
        deal_parts(["1_0.png", "2_0.png"], share, "test", 0)


def test_mixed_names_and_single_maps_are_refused():
    with pytest.raises(DataSetError, match=r"1 of 2 that are not, such as b\.png"):
        deal_parts(["1_0.png", "b.png"], 0.5, "test", 0)
    with pytest.raises(DataSetError, match=r"at least two maps .*; got 1 in 2 images"):
        deal_parts(["1_0.png", "1_1.png"], 0.5, "test", 0)


@pytest.fixture
def waits(monkeypatch):
    slept = []
    monkeypatch.setattr(retry.time, "sleep", slept.append)
    return slept


def failing(errors, result="done"):
    """An action that raises these errors, one per call, and then succeeds."""
    left = iter(errors)

    def action():
        error = next(left, None)
        if error is not None:
            raise error
        return result

    return action


def wrapped(number):
    error = FormatError("An image must be readable", value="x", remedy="Copy it.")
    error.__cause__ = OSError(number, "text")
    return error


@pytest.mark.parametrize("make", [lambda: OSError(errno.EIO, "text"), partial(wrapped, errno.ESTALE)])
def test_what_may_pass_is_tried_again(waits, make):
    assert retried(failing([make(), make()])) == "done"
    assert waits == list(WAITS_S)


def test_tries_are_bounded(waits):
    errors = [OSError(errno.EIO, str(i)) for i in range(9)]
    with pytest.raises(OSError, match="2"):
        retried(failing(errors))
    assert len(waits) == 2


@pytest.mark.parametrize(
    "error", [OSError("image file is truncated"), OSError(errno.ENOSPC, "full"), wrapped(errno.ENOENT), ValueError()]
)
def test_what_stays_is_not_tried_again(waits, error):
    with pytest.raises(type(error)):
        retried(failing([error]))
    assert waits == []


@pytest.mark.parametrize("inner", ["gain", "Outputs"])
def test_of_a_data_set_only_the_radio_maps_are_taken(tmp_path: Path, inner: str) -> None:
    for name in (f"{inner}/DPM/3_0.png", "png/antennas/3_0.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / name)
    found = find_images(tmp_path, tmp_path / "edges")
    assert found.root == tmp_path / inner
    assert found.images == ("DPM/3_0.png",)
