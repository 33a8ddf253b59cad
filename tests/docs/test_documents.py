"""The code in the documents runs, and their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "docs", "examples")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.md"))])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder in which the paths of the README mean what they say."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.mark.parametrize("code", blocks("python"))
def test_python_of_the_readme(code: str, checkout: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=checkout, check=True)
    assert any((checkout / "out").iterdir())


@pytest.mark.parametrize("line", [line for block in blocks("bash") for line in block.strip().splitlines()])
def test_commands_of_the_readme(line: str, checkout: Path) -> None:
    folder = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        line.split(), cwd=checkout, env=os.environ | {"PATH": folder}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert any((checkout / "out").iterdir())


@pytest.mark.parametrize("example", sorted(ROOT.glob("examples/minimal.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, checkout: Path) -> None:
    done = subprocess.run([sys.executable, str(example)], cwd=checkout, capture_output=True, text=True, check=True)
    assert "dB" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith("http") and not (document.parent / t).exists()]
    assert not missing
