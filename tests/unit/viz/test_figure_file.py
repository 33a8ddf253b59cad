"""Figures on disk."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from radiodiff.errors import FormatError
from radiodiff.scene import Grid
from radiodiff.viz import FIGURE_SUFFIXES, check_figure_path, draw_path_loss, save_figure


def figure():
    values_db = np.linspace(50.0, 120.0, 200).reshape(10, 20)
    return draw_path_loss(values_db, Grid(10, 20)).get_figure()


@pytest.mark.parametrize("suffix", [*FIGURE_SUFFIXES, ".PNG"])
def test_same_figure_same_bytes(tmp_path, suffix):
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    assert save_figure(figure(), first) == first
    save_figure(figure(), str(second))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-", b"<?xml")
    assert sorted(tmp_path.iterdir()) == [first, second]


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.tif"])
def test_wrong_suffix(tmp_path, name):
    with pytest.raises(FormatError, match=r"must end in \.png, \.pdf or \.svg"):
        save_figure(figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_folder_must_exist(tmp_path):
    with pytest.raises(FormatError, match="mkdir -p"):
        check_figure_path(tmp_path / "absent" / "figure.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FormatError, match="not be a folder"):
        check_figure_path(tmp_path / "folder.png")


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    target = tmp_path / "figure.png"
    target.write_bytes(b"old")

    def fill_half_then_fail(self, path, **options):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fill_half_then_fail)
    with pytest.raises(FormatError, match="No space left"):
        save_figure(figure(), target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
