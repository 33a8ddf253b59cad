"""Where a run comes from: versions, machine, command and data."""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from radiodiff.version import __version__

__all__ = ["Provenance", "UsedData", "collect_provenance", "source_commit"]

PACKAGES = ("torch", "diffusers", "accelerate", "numpy")

GIT_SECONDS = 20.0
"""A network file system may be slow, but no run waits longer than this for git."""


@dataclass(frozen=True)
class UsedData:
    """The data set of a run.

    Attributes:
        kind: Which reader: "radiomapseer", "icassp" or "edges".
        root: Its folder.
        num_examples: Examples it is trained on.
    """

    kind: str
    root: str
    num_examples: int


@dataclass(frozen=True)
class Provenance:
    """One start of a run.

    Attributes:
        started_utc: When, ISO 8601.
        radiodiff: Version of this package.
        commit: Commit of its checkout, or None where it is installed.
        is_modified: Whether tracked files of the checkout differ from the commit; None without a checkout.
        python: Version of Python.
        packages: Versions of what the numbers depend on.
        platform: Operating system and architecture.
        num_cpus: Processors of the machine.
        gpus: Names of its GPUs.
        num_processes: Processes of the run.
        precision: "fp32", "bf16" or "fp16".
        seed: Seed of the run.
        command: The command line.
        data: The data set.
    """

    started_utc: str
    radiodiff: str
    commit: str | None
    is_modified: bool | None
    python: str
    packages: Mapping[str, str]
    platform: str
    num_cpus: int | None
    gpus: tuple[str, ...]
    num_processes: int
    precision: str
    seed: int
    command: str
    data: UsedData

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self) | {"gpus": list(self.gpus)}


def collect_provenance(*, num_processes: int, precision: str, seed: int, data: UsedData) -> Provenance:
    """What is known at the start of a run, with the clock and the machine as they are now."""
    import torch

    num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    commit, is_modified = source_commit(Path(__file__)) or (None, None)
    return Provenance(
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        radiodiff=__version__,
        commit=commit,
        is_modified=is_modified,
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES},
        platform=platform.platform(),
        num_cpus=os.cpu_count(),
        gpus=tuple(torch.cuda.get_device_name(number) for number in range(num_gpus)),
        num_processes=num_processes,
        precision=precision,
        seed=seed,
        command=shlex.join(sys.orig_argv),
        data=data,
    )


def source_commit(file: Path) -> tuple[str, bool] | None:
    """Commit of the checkout that tracks a file, and whether tracked files differ from it.

    None where git is not there, where the file is in no checkout, or where a checkout merely lies around it, as around
    a virtual environment.
    """
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _git(file.parent, "rev-parse", "HEAD")
    changes = _git(file.parent, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None or changes is None else (commit, bool(changes))


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command, or None where it fails."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
