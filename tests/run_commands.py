"""The command line, in this process or as one of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import Outcome, Run
from radiodiff.cli.main import main


@pytest.fixture
def radiodiff(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in this process, in the folder `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["radiodiff", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        text = capsys.readouterr()
        return Outcome(end.value.code or 0, text.out, text.err)

    return run


@pytest.fixture
def radiodiff_process(tmp_path: Path) -> Run:
    """Run a command in a process of its own, in the folder `tmp_path`; `shell` goes before it."""

    def run(*arguments: object, shell: str = "true") -> Outcome:
        command = ["sh", "-c", f'{shell} && exec "$0" "$@"', sys.executable, "-m", "radiodiff", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
