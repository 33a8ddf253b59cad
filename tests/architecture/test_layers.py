"""The layers of the package, as the contracts in pyproject.toml draw them."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from engine_cases import ENGINES as CASES
from project_files import ROOT
from radiodiff.cli.main import app
from radiodiff.propagation.registry import ENGINES

CHECK = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
HEAVY = {
    *("geopandas", "matplotlib", "numba", "pandas", "PIL", "pyogrio", "pyproj", "rasterio", "scipy", "shapely"),
    *("accelerate", "cv2", "diffusers", "safetensors", "skimage", "torch", "xarray"),
}
"""What takes long to import. The start of the command line is timed in benchmarks/, its cause is tested here."""


def commands(app: typer.Typer, *words: str) -> Iterator[list[str]]:
    """The help of every command of an app, and of the apps in it."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield [*words, command.name or command.callback.__name__.replace("_", "-"), "--help"]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, *words, group.name or "")


COMMANDS = sorted(commands(app))


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "import radiodiff",
        "import radiodiff.cli.main",
        "import radiodiff.recipes.schema",
        "import radiodiff.data.selection",
        "import sys, radiodiff.cli.main as cli; sys.argv[1:] = ['--help']; cli.main()",
        *(f"import sys, radiodiff.cli.main as cli; sys.argv[1:] = {words!r}; cli.main()" for words in COMMANDS),
    ],
)
def test_starting_imports_nothing_heavy(statement: str) -> None:
    report = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {statement}"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "radiodiff" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("room", ["radiomapseer", "icassp", "edges", "inspect"])
def test_readers_and_checks_need_no_torch(room: str) -> None:
    report = f"import sys, radiodiff.data.{room}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_engine_is_under_the_shared_contract() -> None:
    assert {type(case.engine) for case in CASES} == set(ENGINES.values())
    assert {name: kind.name for name, kind in ENGINES.items()} == {name: name for name in ENGINES}
