"""Where the files of the project are."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "radiodiff"
FOLDERS = ("src", "tests", "benchmarks", "examples", "docs", "scripts", ".ci")


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the project, by its path in it."""
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in FOLDERS:
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" in path.parts:
            continue
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def modules() -> Iterator[tuple[Path, str]]:
    """Every Python file of the project."""
    return ((path, text) for path, text in texts() if path.suffix == ".py")


def statements(text: str) -> list[ast.stmt]:
    """What a module holds besides its docstring."""
    body = ast.parse(text).body
    is_documented = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if is_documented else body
