"""Two processes fill one cache: each a share, and they end together."""

from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import debug_launcher
from accelerate.state import AcceleratorState

from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.errors import CheckpointError, RadiodiffError
from radiodiff.training import latent_cache
from radiodiff.training.config import TrainerConfig
from radiodiff.training.fill_latents import fill_latents
from radiodiff.training.latent_cache import LatentCache, Shard
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.run import make_accelerator
from second_stage import make_city, small_autoencoder


@pytest.fixture(autouse=True)
def _no_process_group_yet() -> None:
    # Processes that are forked from this one would take over that it runs alone.
    AcceleratorState._reset_state(reset_partial_state=True)


def fill(folder: Path, kind: type[LatentCache] = LatentCache) -> None:
    torch.set_num_threads(1)
    latent_cache.MAPS_PER_FILE = 5
    source = open_data_set(RadioMapSeerConfig(root=folder / "city", part="all"))
    cache = kind(folder / "cache", LatentEncoder(small_autoencoder(), 8), source)
    accelerator = make_accelerator(TrainerConfig(run_dir=folder, cpu=True))
    rank = accelerator.process_index
    made: list[Shard] = []
    write = cache._write

    def note(shard: Shard, values: np.ndarray) -> None:
        made.append(shard)
        write(shard, values)

    cache._write = note  # type: ignore[method-assign]
    try:
        count = fill_latents(cache, accelerator, batch_size=2, threads=0)
        (folder / f"made-{rank}.txt").write_text(f"{count} {made}")
    except RadiodiffError as error:
        (folder / f"error-{rank}.txt").write_text(str(error))


def fill_both(folder: str) -> None:
    fill(Path(folder))


def test_each_process_makes_a_share(tmp_path: Path) -> None:
    make_city(tmp_path / "city")
    debug_launcher(fill_both, (str(tmp_path),), num_processes=2)
    made = [(tmp_path / f"made-{rank}.txt").read_text() for rank in (0, 1)]
    assert made == ["12 [(0, 0), (0, 2)]", "12 [(0, 1)]"]


class Failing(LatentCache):
    """Cannot write its second file."""

    def _write(self, shard: Shard, values: np.ndarray) -> None:
        if shard == (0, 1):
            raise CheckpointError("A file must be written", value="no room", remedy="Make some.")
        super()._write(shard, values)


def fail_in_one(folder: str) -> None:
    fill(Path(folder), Failing)


def test_all_end_where_one_cannot_write(tmp_path: Path) -> None:
    make_city(tmp_path / "city")
    debug_launcher(fail_in_one, (str(tmp_path),), num_processes=2)
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert errors[0].startswith("Every process must be able to do its share")
    assert "no room" in errors[0]
    assert errors[1].startswith("A file must be written")
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 1


def fill_something_else(folder: str) -> None:
    (Path(folder) / "cache").mkdir(exist_ok=True)
    (Path(folder) / "cache" / "notes.txt").write_text("text")
    fill(Path(folder))


def test_all_refuse_a_folder_that_is_something_else(tmp_path: Path) -> None:
    make_city(tmp_path / "city")
    debug_launcher(fill_something_else, (str(tmp_path),), num_processes=2)
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert "must be empty, absent or a cache" in errors[0]
    assert "must be empty, absent or a cache" in errors[1]


class Elsewhere(LatentCache):
    """Has a disk of its own in the second process."""

    def __init__(self, root: Path, encoder: LatentEncoder, source: object) -> None:
        from accelerate.state import PartialState

        rank = PartialState(cpu=True).process_index
        super().__init__(root / str(rank), encoder, source)  # type: ignore[arg-type]


def fill_apart(folder: str) -> None:
    fill(Path(folder), Elsewhere)


def test_a_cache_that_one_does_not_see_is_refused(tmp_path: Path) -> None:
    make_city(tmp_path / "city")
    debug_launcher(fill_apart, (str(tmp_path),), num_processes=2)
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert all("must see the whole cache" in error for error in errors)


class Emptied(Elsewhere):
    """Has a disk of its own with an older, empty cache."""

    def __init__(self, root: Path, encoder: LatentEncoder, source: object) -> None:
        super().__init__(root, encoder, source)
        self.begin([])


def fill_apart_again(folder: str) -> None:
    fill(Path(folder), Emptied)


def test_files_that_one_does_not_see_are_missed(tmp_path: Path) -> None:
    make_city(tmp_path / "city")
    debug_launcher(fill_apart_again, (str(tmp_path),), num_processes=2)
    errors = [(tmp_path / f"error-{rank}.txt").read_text() for rank in (0, 1)]
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 3
    assert all(error.startswith("Every process must see the whole cache") for error in errors)
