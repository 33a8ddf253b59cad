"""The cache of geometry channels: made once, made again when its sources change."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from radiodiff.data.radiomapseer import GeometryCache, geometry_cache
from radiodiff.data.radiomapseer.store import PngTree, RecentlyUsed
from radiodiff.encoding import CHANNELS, Channel
from radiodiff.errors import FormatError, InputError
from radiodiff.propagation import DominantPathLaw

LAYER = "buildings_complete"


def names(cache: GeometryCache) -> list[str]:
    """Maps in a cache."""
    return sorted(path.name.split("-")[0] for path in cache.folder.glob(f"{LAYER}/*.safetensors"))


def file_of(cache: GeometryCache, map_id: int) -> Path:
    (path,) = cache.folder.glob(f"{LAYER}/{map_id}-*.safetensors")
    return path


def test_channels_are_computed_once(own_root: Path) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root))
    first = cache.channels(LAYER, 10, 1, ["los_mask"])[0]
    assert names(cache) == ["10"]
    stamp = file_of(cache, 10).stat().st_mtime_ns
    again = GeometryCache(own_root / "cache", PngTree(own_root))
    np.testing.assert_array_equal(again.channels(LAYER, 10, 1, ["los_mask"])[0], first)
    assert file_of(cache, 10).stat().st_mtime_ns == stamp


@pytest.mark.parametrize("source", [f"polygon/{LAYER}/{{}}.json", f"png/{LAYER}/{{}}.png", "antenna/{}.json"])
def test_other_sources_are_another_file(own_root: Path, source: str) -> None:
    tree = PngTree(own_root)
    before = tree.digest(LAYER, 10)
    (own_root / source.format(10)).write_bytes((own_root / source.format(11)).read_bytes())
    assert tree.digest(LAYER, 10) != before


def test_two_data_sets_share_a_folder(own_root: Path, fake_root: Path) -> None:
    for file in (f"polygon/{LAYER}/{{}}.json", f"png/{LAYER}/{{}}.png", "antenna/{}.json"):
        (own_root / file.format(10)).write_bytes((own_root / file.format(11)).read_bytes())
    one, other = (GeometryCache(own_root / "cache", PngTree(root)) for root in (fake_root, own_root))
    alone = GeometryCache(own_root / "alone", PngTree(own_root)).channels(LAYER, 10, 0, ["los_mask"])[0]
    assert (one.channels(LAYER, 10, 0, ["los_mask"])[0] != alone).mean() > 0.05
    np.testing.assert_array_equal(other.channels(LAYER, 10, 0, ["los_mask"])[0], alone)
    assert names(one) == ["10", "10"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RADIOMAPSEER_LAW", DominantPathLaw(los_exponent=2.2)),
        ("CHANNELS", CHANNELS | {"obstructed_length_m": Channel("obstructed_length_m", 0.0, 100.0)}),
    ],
)
def test_another_law_or_range_is_another_file(
    own_root: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root), 1)
    cache.channels(LAYER, 10, 0, ["los_mask"])
    monkeypatch.setattr(geometry_cache, name, value)
    GeometryCache(own_root / "cache", PngTree(own_root), 1).channels(LAYER, 10, 0, ["los_mask"])
    assert names(cache) == ["10", "10"]


def test_threads_that_want_one_map_make_it_once(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    make = GeometryCache._make
    monkeypatch.setattr(GeometryCache, "_make", lambda self, path, *rest: (made.append(path), make(self, path, *rest)))
    cache = GeometryCache(own_root / "cache", PngTree(own_root))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda tx: cache.channels(LAYER, 10, tx % 3, ["los_mask"])[0], range(8)))
    assert len(made) == 1
    alone = GeometryCache(own_root / "alone", PngTree(own_root))
    for number, channel in enumerate(found):
        np.testing.assert_array_equal(channel, alone.channels(LAYER, 10, number % 3, ["los_mask"])[0])


def test_the_least_recently_used_value_makes_room() -> None:
    values: RecentlyUsed[int, int] = RecentlyUsed(2)
    made: list[int] = []
    for key in (1, 2, 1, 3, 1, 2):
        assert values.get(key, lambda key=key: made.append(key) or key * 10) == key * 10
    assert made == [1, 2, 3, 2]


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
    assert names(cache) == ["10", "11"]


def test_a_damaged_file_is_made_again(own_root: Path) -> None:
    cache = GeometryCache(own_root / "cache", PngTree(own_root), 1)
    before = cache.channels(LAYER, 10, 0, ["los_mask"])[0]
    path = file_of(cache, 10)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    again = GeometryCache(own_root / "cache", PngTree(own_root), 1)
    np.testing.assert_array_equal(again.channels(LAYER, 10, 0, ["los_mask"])[0], before)
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_says_so(own_root: Path) -> None:
    (own_root / "cache").write_text("a file")
    with pytest.raises(FormatError, match=r"cache of geometry channels must be writable.*geometry_cache"):
        GeometryCache(own_root / "cache", PngTree(own_root)).channels(LAYER, 10, 0, ["los_mask"])


def test_a_count_of_workers_must_be_positive(own_root: Path) -> None:
    with pytest.raises(InputError, match="workers must be a whole number of at least 1"):
        next(GeometryCache(own_root / "cache", PngTree(own_root)).fill([10], LAYER, workers=0))
