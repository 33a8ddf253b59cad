import json
import shutil
from pathlib import Path

import pytest
import torch

from radiodiff.errors import CheckpointError
from radiodiff.training import checkpoint
from radiodiff.training.checkpoint import CheckpointStore, Snapshot, read_checkpoint, write_checkpoint


def snapshot(value: float = 1.0) -> Snapshot:
    return Snapshot(
        {"net": {"a": torch.full((3, 2), value), "b": torch.tensor(7)}, "ema": {"a": torch.zeros(1)}}, {"x": [1]}
    )


def store(root: Path, keep_last: int = 2) -> CheckpointStore:
    return CheckpointStore(root, keep_last, save_every=10)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "one", snapshot())
    found = read_checkpoint(tmp_path / "one")
    assert found.values["x"] == [1]
    assert found.tensors.keys() == {"net", "ema"}
    assert torch.equal(found.tensors["net"]["a"], torch.ones(3, 2))
    assert found.tensors["net"]["b"].item() == 7
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_step_can_be_written_again(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "one", snapshot())
    write_checkpoint(tmp_path / "one", snapshot(2.0))
    assert read_checkpoint(tmp_path / "one").tensors["net"]["a"][0, 0] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store(tmp_path)
    made.save(10, snapshot())

    def full(tensors: object, file: Path) -> None:
        Path(file).write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    for step in (10, 20):
        with pytest.raises(CheckpointError, match="No space left on device"):
            made.save(step, snapshot(2.0))
    assert made.steps() == [10]
    assert read_checkpoint(made.find("latest")).tensors["net"]["a"][0, 0] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000010"]


def test_the_last_ones_and_the_best_are_kept(tmp_path: Path) -> None:
    made = store(tmp_path)
    for step, value in ((10, 0.5), (20, 0.2), (30, 0.4), (40, 0.3), (50, 0.3)):
        made.save(step, snapshot())
        assert made.rate(step, "rmse", value) == (step in (10, 20))
    assert made.steps() == [20, 40, 50]
    assert made.find("best").name == "step-00000020"
    assert made.find("latest").name == "step-00000050"


def test_checkpoints_of_a_branch_that_is_left_are_set_aside(tmp_path: Path) -> None:
    made = store(tmp_path, keep_last=5)
    for step, value in ((10, 0.5), (20, 0.6), (30, 0.2)):
        made.save(step, snapshot())
        made.rate(step, "rmse", value)
    assert made.set_aside(30) is None
    aside = made.set_aside(10)
    assert aside == tmp_path / "after-step-00000010"
    assert sorted(path.name for path in aside.iterdir()) == ["best.json", "step-00000020", "step-00000030"]
    assert made.steps() == [10]
    assert made.find("latest") == made.folder(10)
    made.save(20, snapshot())
    assert made.set_aside(10) == tmp_path / "after-step-00000010-2"


def test_what_is_no_number_is_never_best(tmp_path: Path) -> None:
    made = store(tmp_path)
    made.save(10, snapshot())
    assert made.rate(10, "rmse", 0.5)
    made.save(20, snapshot())
    assert not made.rate(20, "rmse", float("nan"))


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".radiodiff-abc").mkdir()
    (tmp_path / ".radiodiff-file").write_text("part")
    store(tmp_path).save(10, snapshot())
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000010"]


def test_milestones_and_folders_are_found(tmp_path: Path) -> None:
    made = store(tmp_path / "run" / "checkpoints")
    made.save(20, snapshot())
    expected = made.folder(20)
    assert made.find("2") == expected
    assert made.find(str(expected)) == expected
    assert made.find(str(tmp_path / "run")) == expected


@pytest.mark.parametrize("which", ["latest", "best", "3", "nowhere"])
def test_a_checkpoint_that_is_not_there_is_an_error(tmp_path: Path, which: str) -> None:
    with pytest.raises(CheckpointError, match="has no checkpoint"):
        store(tmp_path).find(which)


def test_an_error_lists_what_is_there(tmp_path: Path) -> None:
    made = store(tmp_path)
    made.save(10, snapshot())
    with pytest.raises(CheckpointError, match="has checkpoints of steps 10"):
        made.find("7")


def test_a_folder_without_state_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"must be a folder with state\.json"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("file", ["net.safetensors", "ema.safetensors", "state.json"])
def test_a_file_cut_short_is_an_error(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "one"
    write_checkpoint(folder, snapshot())
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="must be whole"):
        read_checkpoint(folder)


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    write_checkpoint(folder, snapshot())
    (folder / "net.safetensors").unlink()
    with pytest.raises(CheckpointError, match="must be whole"):
        read_checkpoint(folder)


def test_a_newer_format_is_an_error(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "one", snapshot())
    state = tmp_path / "one" / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"format": 99}))
    with pytest.raises(CheckpointError, match="reads checkpoints up to format 1"):
        read_checkpoint(tmp_path / "one")


def test_a_damaged_record_of_the_best_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "best.json").write_text("{}")
    with pytest.raises(CheckpointError, match="must hold step, metric and value"):
        store(tmp_path).best()


def test_a_best_that_was_removed_by_hand_is_no_checkpoint(tmp_path: Path) -> None:
    made = store(tmp_path)
    made.save(10, snapshot())
    made.rate(10, "rmse", 0.1)
    shutil.rmtree(made.folder(10))
    with pytest.raises(CheckpointError):
        read_checkpoint(made.find("best"))
