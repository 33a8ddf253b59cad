"""What a run records of itself."""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

import radiodiff
from radiodiff.training.provenance import UsedData, collect_provenance, source_commit

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *IDENTITY, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_commit_of_a_checkout(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    (checkout / "new.txt").touch()
    assert source_commit(checkout / "code.py") == (head, False)
    (checkout / "code.py").write_text("2\n")
    assert source_commit(checkout / "code.py") == (head, True)


def test_an_installed_package_inside_another_checkout_has_no_commit(checkout: Path) -> None:
    (checkout / "installed.py").touch()
    assert source_commit(checkout / "installed.py") is None


def test_no_checkout_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "code.py").touch()
    assert source_commit(tmp_path / "code.py") is None
    monkeypatch.setenv("PATH", "")
    assert source_commit(Path(radiodiff.__file__)) is None


def test_a_provenance_says_what_is_here() -> None:
    data = UsedData("radiomapseer", "city", 40)
    provenance = collect_provenance(num_processes=2, precision="bf16", seed=7, data=data)
    content = json.loads(json.dumps(provenance.to_dict()))
    assert content["data"] == {"kind": "radiomapseer", "root": "city", "num_examples": 40}
    assert (content["num_processes"], content["precision"], content["seed"]) == (2, "bf16", 7)
    assert content["radiodiff"] == radiodiff.__version__
    assert content["python"] == ".".join(map(str, sys.version_info[:3]))
    assert content["packages"] == {name: version(name) for name in ("torch", "diffusers", "accelerate", "numpy")}
    assert content["num_cpus"] == os.cpu_count()
    started = datetime.fromisoformat(content["started_utc"])
    assert timedelta(0) <= datetime.now(UTC) - started < timedelta(minutes=1)
    assert content["command"] == shlex.join(sys.orig_argv)
