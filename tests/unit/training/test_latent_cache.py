"""Latents on disk: those of the autoencoder, whole or made again, and nobody else's."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.loader import BatchLoader
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set
from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.training import latent_cache
from radiodiff.training.config import TrainerConfig
from radiodiff.training.fill_latents import fill_latents
from radiodiff.training.latent_cache import LatentCache
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_source import CachedExamples
from radiodiff.training.run import make_accelerator
from second_stage import SIZE, make_city, small_autoencoder


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_city(tmp_path_factory.mktemp("latents") / "city")


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_cache, "MAPS_PER_FILE", 5)


def opened(city: Path, **settings: Any) -> RepeatedTargets:
    return open_data_set(RadioMapSeerConfig(root=city, part="all", **settings))


def cache_of(root: Path, source: RepeatedTargets, *, seed: int = 0, multiple: int = 8) -> LatentCache:
    return LatentCache(root, LatentEncoder(small_autoencoder(seed), multiple), source)


def fill(cache: LatentCache, **settings: Any) -> int:
    accelerator = make_accelerator(TrainerConfig(run_dir=Path("run"), cpu=True))
    return fill_latents(cache, accelerator, **{"batch_size": 3, "threads": 0} | settings)


def test_a_cache_holds_what_the_encoder_gives(city: Path, tmp_path: Path) -> None:
    source = opened(city, augment=True)
    cache = cache_of(tmp_path / "cache", source)
    assert cache.missing() == [(symmetry, number) for symmetry in range(8) for number in range(3)]
    assert fill(cache) == 8 * len(source) == 96
    assert cache.missing() == []
    assert fill(cache) == 0
    examples = CachedExamples(cache)
    assert len(examples) == len(source)
    for draw in range(3):
        loader = [(number, draw) for number in range(len(source))]
        found = next(iter(BatchLoader(examples, 12, sampler=loader)))
        plain = next(iter(BatchLoader(source, 12, sampler=loader)))
        expected = cache.encoder.posterior(plain.target)
        assert found.latents is not None
        assert found.latents.shape == (12, 6, SIZE // 2, SIZE // 2)
        # Half a unit in the last place of float16 is 2^-11 of the value.
        torch.testing.assert_close(found.latents, expected, rtol=2**-11, atol=1e-6)
        torch.testing.assert_close(found.condition, plain.condition, rtol=0, atol=0)
        assert (found.target.shape, found.names, found.draws) == ((12, 0, SIZE, SIZE), plain.names, plain.draws)


def test_a_cache_takes_twice_the_latents_in_half_precision(city: Path, tmp_path: Path) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    fill(cache)
    files = list(cache.folder.glob("0/*.safetensors"))
    values = sum(load_file(file)["posterior"].nbytes for file in files)
    assert values == cache.num_bytes == 12 * 6 * 24 * 24 * 2
    assert {load_file(file)["posterior"].dtype for file in files} == {np.dtype(np.float16)}


def test_maps_are_padded_to_what_the_unet_takes(city: Path, tmp_path: Path) -> None:
    cache = cache_of(tmp_path / "cache", opened(city), multiple=32)
    fill(cache)
    padded = np.full((1, 1, 64, 64), -1.0, dtype=np.float32)
    padded[0, :, :SIZE, :SIZE] = cache.source.target(4, 0)
    with torch.no_grad():
        expected = cache.encoder.autoencoder.encode(torch.from_numpy(padded)).latent_dist
    posterior = torch.cat([expected.mean, expected.std], dim=1)[0]
    torch.testing.assert_close(torch.from_numpy(cache.posterior(4, 0)), posterior, rtol=2**-11, atol=1e-6)


def test_an_interrupted_cache_is_completed(city: Path, tmp_path: Path) -> None:
    source = opened(city)
    cache = cache_of(tmp_path / "cache", source)

    def stop(items: Iterable[Any], total: int, title: str, unit: str) -> Iterator[Any]:
        assert (total, unit) == (12, "maps")
        for count, item in enumerate(items):
            if count == 7:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        fill(cache, track=stop)
    assert cache.missing() == [(0, 1), (0, 2)]
    first = (cache.folder / "0" / "00000.safetensors").stat().st_mtime_ns
    again = cache_of(tmp_path / "cache", source)
    assert fill(again) == 7
    assert (cache.folder / "0" / "00000.safetensors").stat().st_mtime_ns == first
    assert not list(cache.root.rglob(".radiodiff-*"))


@pytest.mark.parametrize("num_written", [0, 1])
def test_a_cache_that_is_killed_while_it_begins_begins_again(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_written: int
) -> None:
    source, write, written = opened(city), latent_cache.atomic_write, []

    def killed(path: Path) -> Any:
        if len(written) == num_written:
            raise KeyboardInterrupt
        written.append(path)
        return write(path)

    with monkeypatch.context() as patch:
        patch.setattr(latent_cache, "atomic_write", killed)
        with pytest.raises(KeyboardInterrupt):
            fill(cache_of(tmp_path / "cache", source))
    assert fill(cache_of(tmp_path / "cache", source)) == 12


def test_more_symmetries_are_added(city: Path, tmp_path: Path) -> None:
    plain, turned = (cache_of(tmp_path / "cache", opened(city, augment=augment)) for augment in (False, True))
    assert fill(plain) == 12
    assert fill(turned) == 7 * 12
    assert plain.folder == turned.folder
    assert plain.missing() == []


@pytest.mark.parametrize(
    "change",
    [{"scale": "thresholded"}, {"tx_per_map": 2}, {"size": 32}, {"simulation": "IRT2"}, {"part": "train"}],
)
def test_other_targets_have_files_of_their_own(city: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    if "simulation" in change:
        city = Path(shutil.copytree(city, tmp_path / "copy"))
        shutil.copytree(city / "gain" / "DPM", city / "gain" / "IRT2")
        image = next((city / "gain" / "IRT2").iterdir())
        (city / "gain" / "IRT2" / "0_0.png").write_bytes(image.read_bytes())
        (city / "gain" / "IRT2" / "0_1.png").write_bytes(image.read_bytes())
    cache = cache_of(tmp_path / "cache", opened(city))
    other = cache_of(tmp_path / "cache", open_data_set(cache.source.config.replaced(**change)))
    assert cache.folder != other.folder


def test_another_autoencoder_has_files_of_its_own(city: Path, tmp_path: Path) -> None:
    source = opened(city)
    cache = cache_of(tmp_path / "cache", source)
    assert cache.folder != cache_of(tmp_path / "cache", source, seed=1).folder
    assert cache.folder != cache_of(tmp_path / "cache", source, multiple=32).folder
    # Both pad to the same size.
    assert cache.folder == cache_of(tmp_path / "cache", source, multiple=16).folder
    fill(cache)
    # What comes after the encoder does not change latents.
    autoencoder = small_autoencoder()
    torch.nn.init.zeros_(autoencoder.decoder.conv_out.weight)
    same = LatentCache(tmp_path / "cache", LatentEncoder(autoencoder, 8), source)
    assert same.missing() == []


def test_the_condition_does_not_matter_to_a_cache(city: Path, tmp_path: Path) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    fill(cache)
    other = cache_of(tmp_path / "cache", opened(city, geometry=("los_mask",), measurements={"kind": "random"}, seed=4))
    assert other.missing() == []
    assert CachedExamples(other)[3].condition.shape == (6, SIZE, SIZE)


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def rename(path: Path) -> None:
    path.rename(path.with_suffix(".gone"))


def swap(path: Path) -> None:
    tensors = load_file(path)
    save_file({"posterior": tensors["posterior"][:2]}, path, {"digest": "0" * 64})


def shrink(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    save_file({"posterior": load_file(path)["posterior"][:2]}, path, metadata)


@pytest.mark.parametrize("fault", [shorten, rename, swap, shrink])
def test_a_damaged_file_is_made_again(city: Path, tmp_path: Path, fault: Any) -> None:
    source = opened(city)
    cache = cache_of(tmp_path / "cache", source)
    fill(cache)
    expected = cache.posterior(6, 0)
    fault(cache.folder / "0" / "00001.safetensors")
    again = cache_of(tmp_path / "cache", source)
    with pytest.raises(CheckpointError, match=r"stay whole.*00001\.safetensors.*made anew"):
        again.posterior(6, 0)
    assert again.missing() == [(0, 1)]
    assert fill(again) == 5
    np.testing.assert_array_equal(again.posterior(6, 0), expected)


def test_a_file_that_is_cut_short_while_it_is_used_is_named(city: Path, tmp_path: Path) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    fill(cache)
    cache.posterior(6, 0)
    shorten(cache.folder / "0" / "00001.safetensors")
    with pytest.raises(CheckpointError, match=r"stay whole.*00001\.safetensors"):
        cache.posterior(6, 0)


@pytest.mark.parametrize(("channel", "value"), [(0, np.nan), (1, np.inf), (4, 0.0)])
def test_values_that_no_encoder_gives_are_found(city: Path, tmp_path: Path, channel: int, value: float) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    fill(cache)
    path = cache.folder / "0" / "00001.safetensors"
    values = load_file(path)["posterior"].copy()
    values[1, channel, 3, 3] = value
    save_file({"posterior": values}, path, {"digest": cache.digest})
    again = cache_of(tmp_path / "cache", cache.source)
    again.posterior(5, 0)
    with pytest.raises(CheckpointError, match=r"stay whole.*not finite at 1"):
        again.posterior(6, 0)


@pytest.mark.parametrize("fault", ["file", "other folder", "newer", "no json"])
def test_a_folder_that_is_something_else_is_left_alone(city: Path, tmp_path: Path, fault: str) -> None:
    root = tmp_path / "cache"
    if fault == "file":
        root.write_text("text")
    else:
        root.mkdir()
        (root / ("notes.txt" if fault == "other folder" else "latents.json")).write_text(
            '{"format": "radiodiff latents", "version": 2}' if fault == "newer" else "{"
        )
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(CheckpointError, match=r"empty, absent or a cache.*another folder"):
        fill(cache_of(root, opened(city)))
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_made_is_named(city: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(CheckpointError, match=r"must be writable; got .*file.cache"):
        fill(cache_of(tmp_path / "file" / "cache", opened(city)))


def test_a_full_disk_is_found_before_the_work(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    cache = cache_of(tmp_path / "cache", opened(city))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(cache.num_bytes - 1))
    with pytest.raises(CheckpointError, match=r"room for it.*8\.29e-05 GB.*another disk"):
        fill(cache)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(cache.num_bytes))
    fill(cache)


def test_a_disk_that_fills_up_keeps_what_is_done(city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    write = latent_cache.save_file

    def full(tensors: Any, path: Path, metadata: Any) -> None:
        if any(cache.folder.rglob("00000.safetensors")):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        write(tensors, path, metadata)

    monkeypatch.setattr(latent_cache, "save_file", full)
    with pytest.raises(CheckpointError, match=r"must be writable.*No space left.*what is done is kept"):
        fill(cache)
    assert not list(cache.root.rglob(".radiodiff-*"))
    monkeypatch.undo()
    monkeypatch.setattr(latent_cache, "MAPS_PER_FILE", 5)
    assert cache.missing() == [(0, 1), (0, 2)]


def test_latents_that_are_too_large_are_refused(city: Path, tmp_path: Path) -> None:
    autoencoder = small_autoencoder()
    with torch.no_grad():
        autoencoder.quant_conv.bias.fill_(7e4)
    cache = LatentCache(tmp_path / "cache", LatentEncoder(autoencoder, 8), opened(city))
    with pytest.raises(CheckpointError, match=r"below 65,504.*not so for 0_0"):
        fill(cache)


def test_targets_of_other_channels_are_refused(city: Path, tmp_path: Path) -> None:
    from radiodiff.models.autoencoder import build_autoencoder
    from second_stage import AUTOENCODER

    autoencoder = build_autoencoder(AUTOENCODER.replaced(in_channels=2))
    with pytest.raises(ConfigError, match=r"must take the target.*2 channels, a target of 1"):
        LatentCache(tmp_path / "cache", LatentEncoder(autoencoder, 8), opened(city))


def test_targets_that_do_not_repeat_are_refused(city: Path, tmp_path: Path) -> None:
    source = open_data_set(RadioMapSeerConfig(root=city, part="all"))
    source.config = source.config.replaced(simulation="mix")  # type: ignore[misc]
    with pytest.raises(ConfigError, match="cannot be kept"):
        cache_of(tmp_path / "cache", source)


def test_maps_of_several_sizes_are_refused(tmp_path: Path) -> None:
    settings = FakeIcasspSettings(buildings=4, antennas=2, samples=2, smallest=30, largest=90, seed=3)
    list(write_fake_icassp(tmp_path / "icassp", settings))
    source = open_data_set(IcasspConfig(root=tmp_path / "icassp", crop="none", part="all"))
    with pytest.raises(ConfigError, match=r"must all have one size.*latents\.cache"):
        cache_of(tmp_path / "cache", source)


def test_a_target_of_another_size_is_refused_while_the_cache_is_made(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(city)
    cache = cache_of(tmp_path / "cache", source)
    target = type(source).target
    monkeypatch.setattr(
        type(source), "target", lambda self, number, symmetry: target(self, number, symmetry)[:, : 48 - number]
    )
    with pytest.raises(ConfigError, match=r"0_1 of 47 x 48 cells, others of 48 x 48"):
        fill(cache)


def test_examples_are_numbered_as_those_of_the_data_set(city: Path, tmp_path: Path) -> None:
    cache = cache_of(tmp_path / "cache", opened(city))
    fill(cache)
    with pytest.raises(IndexError):
        _ = CachedExamples(cache)[12]
    assert CachedExamples(cache)[7].name == cache.source[7].name
