"""Rules for files: their size, their names, and what they must not hold."""

import re

from project_files import PACKAGE, ROOT, modules, statements, texts

MOST_LINES = 400
VAGUE_NAME = re.compile(r"utils?|helpers?|common|misc|.*_(v\d+|final|new|old|m)")

# Put together, so that this file does not hold them.
MACHINE_PATHS = [f"/{top}/" for top in ("home", "root", "Users", "work")]
BARE_IGNORE = re.compile("# type:" + r"\s*ignore(?!\[)")


def test_no_file_is_too_long() -> None:
    lengths = {str(path): text.count("\n") for path, text in modules()}
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_module_is_empty() -> None:
    assert [str(path) for path, text in modules() if path.name != "__init__.py" and not statements(text)] == []


def test_every_module_of_the_package_says_what_it_is_for() -> None:
    undocumented = [
        str(path)
        for path, text in modules()
        if PACKAGE in (ROOT / path).parents and not text.lstrip().startswith('"""')
    ]
    assert undocumented == []


def test_names_say_what_is_inside() -> None:
    assert [str(path) for path, _ in modules() if VAGUE_NAME.fullmatch(path.stem)] == []


def test_no_path_of_one_machine() -> None:
    found = [f"{path}: {part}" for path, text in texts() for part in MACHINE_PATHS if part in text]
    assert found == []


def test_every_ignored_type_error_names_its_code() -> None:
    found = [
        f"{path}:{number}"
        for path, text in modules()
        for number, line in enumerate(text.splitlines(), 1)
        if BARE_IGNORE.search(line)
    ]
    assert found == []
