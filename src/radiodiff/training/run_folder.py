"""The folder of a training run."""

import json
from itertools import count
from pathlib import Path
from typing import Any

from radiodiff.atomic_file import TEMPORARY_PREFIX, atomic_write
from radiodiff.errors import CheckpointError, TrainingError
from radiodiff.training.provenance import Provenance

__all__ = ["RunFolder"]


class RunFolder:
    """Paths of a run, and how one begins.

    ```
    recipe.yaml       all settings, resolved; recipe-<step>.yaml: those in force until a resume at that step
    provenance.json   {"starts": [...]}: where each start of the run comes from
    log.jsonl         one JSON object per logged step or validation
    train.log         the same in lines for people
    tensorboard/      curves and previews
    checkpoints/      states to resume from
    samples/          pictures of validations
    metrics/          metrics of validations, map by map
    ```

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.recipe = self.path / "recipe.yaml"
        self.provenance = self.path / "provenance.json"
        self.json_lines = self.path / "log.jsonl"
        self.text_log = self.path / "train.log"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.metrics = self.path / "metrics"

    def begin(self, recipe_yaml: str, provenance: Provenance, *, resume_step: int | None = None) -> None:
        """Make the folder ready and write what the run is, before its first step.

        Args:
            recipe_yaml: The resolved recipe.
            provenance: Where this start comes from.
            resume_step: Step of the checkpoint the run goes on from, or None for a new run.

        Raises:
            TrainingError: A new run is given a folder that holds something.
            CheckpointError: A run to go on with is not there, or its provenance is damaged.
            FormatError: The system refuses a write.
        """
        starts: list[dict[str, Any]] = []
        if resume_step is None:
            self.check_free()
        else:
            starts = self._earlier_starts()
        for folder in (self.path, self.tensorboard, self.checkpoints, self.samples, self.metrics):
            folder.mkdir(parents=True, exist_ok=True)
        starts.append({"step": resume_step or 0} | provenance.to_dict())
        # First the provenance: what holds one is a run, even if the process ends before the next line.
        _write(self.provenance, json.dumps({"starts": starts}, indent=1) + "\n")
        if resume_step is not None:
            self._keep_recipe(recipe_yaml, resume_step)
        _write(self.recipe, recipe_yaml)

    def starts(self) -> list[dict[str, Any]]:
        """Where each start of the run comes from, the first one first; `step` says after which step it went on.

        Raises:
            CheckpointError: The folder holds no run, or its provenance is damaged.
        """
        return self._earlier_starts()

    def check_free(self) -> None:
        """Check that a new run may have the folder.

        Raises:
            TrainingError: It holds something.
        """
        if not self.is_free():
            raise TrainingError(
                "The folder of a new run must be empty or absent",
                value=self.path,
                remedy=f"Go on with the run in it by --resume {self.path}, or give another trainer.run_dir.",
            )

    def is_free(self) -> bool:
        """Whether a new run may have the folder: it holds at most what a run writes before its first checkpoint."""
        if not self.path.is_dir():
            return not self.path.exists()
        own = {path.name for path in vars(self).values()}
        names = {path.name for path in self.path.iterdir() if not path.name.startswith(TEMPORARY_PREFIX)}
        has_log = self.json_lines.is_file() and self.json_lines.stat().st_size > 0
        files = [path for path in self.path.rglob("*") if path.is_file() and not path.name.startswith(TEMPORARY_PREFIX)]
        is_ours = self.provenance in files or not files
        return names <= own and is_ours and not has_log and not any(self.checkpoints.glob("step-*"))

    def _earlier_starts(self) -> list[dict[str, Any]]:
        try:
            content = json.loads(self.provenance.read_text(encoding="utf-8"))
            starts = content["starts"]
            if not (isinstance(starts, list) and all(isinstance(start, dict) for start in starts)):
                raise TypeError("starts is no list of objects")
        except FileNotFoundError:
            raise CheckpointError(
                "A run that goes on needs its folder, with provenance.json",
                value=self.path,
                remedy="Correct trainer.run_dir, or leave --resume out to begin a new run.",
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                "provenance.json of a run must hold the list `starts`",
                value=f"{self.provenance} ({error})",
                remedy='Restore it, or write {"starts": []} into it: the earlier starts are then unknown.',
            ) from error
        return starts

    def _keep_recipe(self, recipe_yaml: str, step: int) -> None:
        """Move an earlier recipe aside where the new one is another."""
        if not self.recipe.exists() or self.recipe.read_text(encoding="utf-8") == recipe_yaml:
            return
        names = (f"recipe-{step}.yaml" if number == 1 else f"recipe-{step}-{number}.yaml" for number in count(1))
        self.recipe.rename(next(path for path in map(self.path.joinpath, names) if not path.exists()))


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
