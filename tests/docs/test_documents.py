"""The code in the documents runs, and their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import Run

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "docs", "examples")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.md"))])


def blocks(document: Path) -> list[tuple[str, str]]:
    """Language and text of the code in a document that can be run."""
    return re.findall(r"```(bash|python)\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder in which the paths of the documents mean what they say."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if blocks(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_code_of_a_document_runs_from_top_to_bottom(document: Path, checkout: Path, radiodiff: Run) -> None:
    """Lines of radiodiff run in this process: most of their time would go into loading torch."""
    folder = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for language, text in blocks(document):
        if language == "python":
            commands = [[sys.executable, "-W", "error", "-c", text]]
        else:
            commands = [line.split() for line in text.replace("\\\n", " ").strip().splitlines()]
        for command in commands:
            if command[0] == "radiodiff":
                outcome = radiodiff(*command[1:])
                assert outcome.code == 0, f"{command}: {outcome.err}"
                continue
            done = subprocess.run(
                command, cwd=checkout, env=os.environ | {"PATH": folder}, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
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
