"""Folders that a run fills: begun once, completed with the same settings alone."""

import json
from pathlib import Path

import pytest

from command_line import tree
from radiodiff.atomic_file import TEMPORARY_PREFIX
from radiodiff.data.work_folder import begin_folder, is_begun, is_whole
from radiodiff.errors import DataSetError

SETTINGS = {"format": "test", "size": 3}


def test_a_folder_is_begun_once(tmp_path: Path) -> None:
    root = tmp_path / "data"
    assert not is_begun(root, "r.json", SETTINGS)
    begin_folder(root, "r.json", SETTINGS, ("a/b", "c"))
    assert sorted(tree(root)) == ["a", "a/b", "c", "r.json"]
    assert is_begun(root, "r.json", SETTINGS)


def test_what_a_killed_run_left_unfinished_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "data/a").mkdir(parents=True)
    for place in ("data", "data/a"):
        (tmp_path / place / f"{TEMPORARY_PREFIX}1.png").write_bytes(b"half")
    (tmp_path / "data/a/whole.png").write_bytes(b"kept")
    begin_folder(tmp_path / "data", "r.json", SETTINGS, ("a",))
    assert sorted(tree(tmp_path / "data")) == ["a", "a/whole.png", "r.json"]


def test_other_settings_are_named(tmp_path: Path) -> None:
    begin_folder(tmp_path, "r.json", SETTINGS)
    with pytest.raises(DataSetError, match=r"begun with; got .*: size: 3 on disk, 4 asked for\. Use the same"):
        is_begun(tmp_path, "r.json", SETTINGS | {"size": 4})


def test_of_groups_of_settings_those_that_differ_are_named(tmp_path: Path) -> None:
    """A whole engine, or all layouts, would bury them."""
    traced = {"name": "tracing", "settings": {"rays": 5, "depth": 8}}
    begin_folder(tmp_path, "r.json", {"engine": traced, "layouts": list(range(99)), "city": {"rows": 3}})
    wanted = {
        "engine": {"name": "tracing", "settings": {"rays": 6, "depth": 8}},
        "engines": {"RT": {"name": "launching"}},
        "layouts": list(range(98)),
        "city": None,
        "law": traced,
    }
    with pytest.raises(DataSetError) as caught:
        is_begun(tmp_path, "r.json", wanted)
    assert str(caught.value).partition("got ")[2].partition(" Use the same")[0] == (
        f"{tmp_path}: engine.settings.rays: 5 on disk, 6 asked for; engines: None on disk, other settings asked for; "
        "layouts: 99 others on disk, 98 others asked for; city: other settings on disk, None asked for; "
        "law: None on disk, tracing asked for."
    )


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(DataSetError, match=r"r\.json must hold the settings"):
        is_begun(tmp_path, "r.json", SETTINGS)


def test_a_foreign_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(DataSetError, match="empty or absent"):
        is_begun(tmp_path, "r.json", SETTINGS)
    with pytest.raises(DataSetError, match="must have a folder"):
        is_begun(tmp_path / "letter.txt", "r.json", SETTINGS)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(DataSetError, match="must be writable"):
        begin_folder(tmp_path, "r.json", SETTINGS, ("a",))
    assert json.loads((tmp_path / "r.json").read_text()) == SETTINGS


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [
        ("a.png", b"...IEND\xaeB`\x82", True),
        ("a.png", b"...IEND\xaeB", False),
        ("a.json", b"[1, 2]", True),
        ("a.json", b"[1, 2", False),
        ("a.png", b"", False),
        ("a.csv", b"x", True),
        ("a.csv", b"", False),
    ],
)
def test_a_whole_file_ends_as_its_kind_does(tmp_path: Path, name: str, content: bytes, whole: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_whole(tmp_path / name) is whole
    assert not is_whole(tmp_path / "absent.png")
