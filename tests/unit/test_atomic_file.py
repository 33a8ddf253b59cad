import contextlib

import pytest

from radiodiff.atomic_file import atomic_write, check_target
from radiodiff.errors import FormatError


def test_the_file_appears_only_when_the_block_has_ended(tmp_path):
    target = tmp_path / "a.tif"
    with atomic_write(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
        assert temporary.suffix == ".tif"
        assert temporary.parent == tmp_path
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with contextlib.suppress(KeyboardInterrupt), atomic_write(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_written_anew_has_ordinary_rights(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("")
    assert (tmp_path / "a").stat().st_mode == plain.stat().st_mode


def test_a_refused_write_is_a_format_error(tmp_path):
    with pytest.raises(FormatError, match="No space left"), atomic_write(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"folder of an output file must exist.*mkdir -p"):
        check_target(tmp_path / "absent" / "a.png")


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(FormatError, match="must not be a folder"):
        check_target(tmp_path)
