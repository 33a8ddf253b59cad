"""The cache of geometry channels: made once, made again when its sources change."""

from pathlib import Path

import numpy as np
import pytest

from radiodiff.data.radiomapseer import GeometryCache
from radiodiff.data.radiomapseer.store import PngTree
from radiodiff.errors import FormatError

LAYER = "buildings_complete"


def names(cache: GeometryCache) -> list[str]:
    return sorted(str(path.relative_to(cache.folder)) for path in cache.folder.rglob("*") if path.is_file())


def test_channels_are_computed_once(own_root: Path) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root))
    first = cache.channels(LAYER, 10, 1, ["los_mask"])[0]
    assert names(cache) == [f"{LAYER}/10.safetensors"]
    stamp = (own_root / f"cache/{LAYER}/10.safetensors").stat().st_mtime_ns
    again = GeometryCache(own_root / "cache", PngTree(own_root))
    np.testing.assert_array_equal(again.channels(LAYER, 10, 1, ["los_mask"])[0], first)
    assert (own_root / f"cache/{LAYER}/10.safetensors").stat().st_mtime_ns == stamp


def test_other_outlines_make_it_again(own_root: Path) -> None:
    before = GeometryCache(own_root / "cache", PngTree(own_root)).channels(LAYER, 10, 0, ["los_mask"])[0]
    for file in (f"polygon/{LAYER}/{{}}.json", f"png/{LAYER}/{{}}.png", "antenna/{}.json"):
        (own_root / file.format(10)).write_bytes((own_root / file.format(11)).read_bytes())
    after = GeometryCache(own_root / "cache", PngTree(own_root)).channels(LAYER, 10, 0, ["los_mask"])[0]
    assert (before != after).mean() > 0.05


def test_more_transmitters_make_it_again(own_root: Path) -> None:
    tree = PngTree(own_root)
    few = GeometryCache(own_root / "cache", tree, 1)
    first = few.channels(LAYER, 10, 0, ["obstructed_length_m"])[0]
    more = GeometryCache(own_root / "cache", tree, 3)
    np.testing.assert_array_equal(more.channels(LAYER, 10, 0, ["obstructed_length_m"])[0], first)
    assert more.channels(LAYER, 10, 2, ["obstructed_length_m"])[0].shape == (64, 64)


@pytest.mark.parametrize("workers", [1, 2])
def test_filling_reports_every_map(own_root: Path, workers: int) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root), 1)
    assert list(cache.fill([10, 11], LAYER, workers=workers)) == [(0, 2), (1, 2), (2, 2)]
    assert names(cache) == [f"{LAYER}/10.safetensors", f"{LAYER}/11.safetensors"]


def test_a_damaged_file_is_named(own_root: Path) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root), 1)
    cache.channels(LAYER, 10, 0, ["los_mask"])
    path = own_root / f"cache/{LAYER}/10.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FormatError, match=r"10\.safetensors.*delete it"):
        GeometryCache(own_root / "cache", PngTree(own_root), 1).channels(LAYER, 10, 0, ["los_mask"])


def test_a_cache_that_cannot_be_written_says_so(own_root: Path) -> None:
    (own_root / "cache").write_text("a file")
    with pytest.raises(FormatError, match=r"cache of geometry channels must be writable.*geometry_cache"):
        GeometryCache(own_root / "cache", PngTree(own_root)).channels(LAYER, 10, 0, ["los_mask"])
