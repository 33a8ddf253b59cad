"""Checkpoints: the whole state of a run, in folders that are there or not, never half.

```
step-00005000/
  state.json                 format, counters, position in the data, settings of trainer and optimizers
  <network>.safetensors      weights and buffers
  <network>.optimizer.safetensors
  ema.safetensors            moving average of the weights
```

No pickles. Random numbers of a run follow from its seed, the step and the examples, so there is no generator to store.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_folder, atomic_write
from radiodiff.errors import CheckpointError, FormatError

__all__ = ["FORMAT", "CheckpointStore", "Snapshot", "read_checkpoint", "write_checkpoint"]

FORMAT = 1
"""Version of the folder's layout."""

STATE = "state.json"
BEST = "best.json"


@dataclass(frozen=True)
class Snapshot:
    """State of a run.

    Attributes:
        tensors: Tensors by name, by file without suffix.
        values: Everything else, JSON types.
    """

    tensors: Mapping[str, Mapping[str, Tensor]]
    values: Mapping[str, Any]


def write_checkpoint(folder: Path, snapshot: Snapshot) -> None:
    """Write a checkpoint under another name, force it to the disk, and move it into place.

    Raises:
        CheckpointError: The system refuses, or the disk is full; an earlier checkpoint of that name is untouched.
    """
    values = {"format": FORMAT, "files": sorted(snapshot.tensors), **snapshot.values}
    try:
        with atomic_folder(folder, is_forced=True) as temporary:
            (temporary / STATE).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
            for name, tensors in snapshot.tensors.items():
                file = temporary / f"{name}.safetensors"
                save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, file)
                # safetensors gives its files to their owner alone.
                shutil.copymode(temporary / STATE, file)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            "A checkpoint must be writable",
            value=f"{folder} ({error})",
            remedy="Free space on the disk, then go on with --resume RUN; earlier checkpoints are whole.",
        ) from error


def read_checkpoint(folder: Path) -> Snapshot:
    """Read a checkpoint, tensors on the CPU.

    Raises:
        CheckpointError: The folder is no checkpoint, a file is missing or cut short, or its format is newer.
    """
    if not (folder / STATE).is_file():
        raise CheckpointError(
            f"A checkpoint must be a folder with {STATE}",
            value=folder,
            remedy="Give a folder such as RUN/checkpoints/step-00005000, or that of the run.",
        )
    try:
        values = json.loads((folder / STATE).read_bytes())
        if values["format"] > FORMAT:
            raise CheckpointError(
                f"This version reads checkpoints up to format {FORMAT}",
                value=f"format {values['format']} in {folder}",
                remedy="Install a newer radiodiff.",
            )
        tensors = {name: load_file(folder / f"{name}.safetensors") for name in values["files"]}
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(
            "A checkpoint must be whole",
            value=f"{folder} ({error})",
            remedy="Go on from another checkpoint: a file of this one was cut short, changed or removed.",
        ) from error
    # Other addresses than those of the file: kernels may round differently on memory that is not aligned.
    copies = {name: {key: tensor.clone() for key, tensor in of_file.items()} for name, of_file in tensors.items()}
    return Snapshot(copies, values)


@dataclass
class CheckpointStore:
    """The checkpoints of a run.

    Attributes:
        root: Their folder.
        keep_last: How many to keep beside the best one.
        save_every: Steps between two, for numbers of milestones.
    """

    root: Path
    keep_last: int
    save_every: int

    def folder(self, step: int) -> Path:
        """Folder of the checkpoint after a step."""
        return self.root / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, in order."""
        names = (path.name.removeprefix("step-") for path in self.root.glob("step-*") if (path / STATE).is_file())
        return sorted(int(name) for name in names if name.isdigit())

    def best(self) -> dict[str, Any] | None:
        """Step, metric and value of the best checkpoint, or None before the first validation.

        Raises:
            CheckpointError: The record is damaged.
        """
        if not (self.root / BEST).is_file():
            return None
        try:
            content = json.loads((self.root / BEST).read_bytes())
            return {"step": int(content["step"]), "metric": str(content["metric"]), "value": float(content["value"])}
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{BEST} must hold step, metric and value of the best checkpoint",
                value=f"{self.root / BEST} ({error})",
                remedy="Delete the file: the next validation writes it again.",
            ) from error

    def save(self, step: int, snapshot: Snapshot) -> Path:
        """Write the checkpoint of a step, then remove those no longer kept; gives its folder.

        Raises:
            CheckpointError: The system refuses; earlier checkpoints are untouched.
        """
        write_checkpoint(self.folder(step), snapshot)
        self._prune()
        return self.folder(step)

    def rate(self, step: int, metric: str, value: float) -> bool:
        """Say how good a checkpoint is, in something of which less is better; gives whether it is the best so far.

        Raises:
            CheckpointError: The system refuses.
        """
        best = self.best()
        if best is not None and best["metric"] == metric and not value < best["value"]:
            return False
        try:
            with atomic_write(self.root / BEST) as temporary:
                temporary.write_text(json.dumps({"step": step, "metric": metric, "value": value}) + "\n", "utf-8")
        except FormatError as error:
            raise CheckpointError(error.rule, value=error.value, remedy=error.remedy) from error
        self._prune()
        return True

    def set_aside(self, step: int) -> Path | None:
        """Move checkpoints beyond a step to a folder beside: a run that goes on from there leaves them behind.

        Returns:
            The folder, or None where there is none to move.

        Raises:
            CheckpointError: The record of the best checkpoint is damaged.
            OSError: The system refuses.
        """
        later = [other for other in self.steps() if other > step]
        if not later:
            return None
        names = (f"after-step-{step:08d}" if number == 1 else f"after-step-{step:08d}-{number}" for number in count(1))
        aside = next(path for path in map(self.root.joinpath, names) if not path.exists())
        best = self.best()
        aside.mkdir()
        if best is not None and best["step"] > step:
            (self.root / BEST).rename(aside / BEST)
        for other in later:
            self.folder(other).rename(aside / self.folder(other).name)
        return aside

    def _prune(self) -> None:
        best = self.best()
        steps = self.steps()
        kept = {*steps[-self.keep_last :], *([best["step"]] if best else [])}
        for step in steps:
            if step not in kept:
                shutil.rmtree(self.folder(step))
        # What a killed run left unfinished.
        for leftover in self.root.glob(f"{TEMPORARY_PREFIX}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def find(self, which: str) -> Path:
        """The checkpoint that a word means: "latest", "best", a milestone (its step over `save_every`), or a path.

        Raises:
            CheckpointError: There is none.
        """
        if which == "latest" and self.steps():
            return self.folder(self.steps()[-1])
        best = self.best()
        if which == "best" and best is not None:
            return self.folder(best["step"])
        if which.isdigit() and self.folder(int(which) * self.save_every).is_dir():
            return self.folder(int(which) * self.save_every)
        path = Path(which)
        if not (which in ("latest", "best") or which.isdigit()) and (path / STATE).is_file():
            return path
        if (path / "checkpoints").is_dir():
            return CheckpointStore(path / "checkpoints", self.keep_last, self.save_every).find("latest")
        there = ", ".join(str(step) for step in self.steps())
        raise CheckpointError(
            "--resume takes latest, best, the number of a milestone, or a checkpoint's folder",
            value=f"{which!r}; {self.root} has " + (f"checkpoints of steps {there}" if there else "no checkpoint"),
            remedy="Correct it, or leave --resume out to begin a new run." if there else "Leave --resume out.",
        )
