"""YAML of recipes: numbers, repeated keys, and what is refused."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiodiff.errors import ConfigError
from radiodiff.recipes.yaml_text import format_yaml, parse_yaml, read_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-6", 5e-6),
        ("!!float 5e-6", 5e-6),
        ("5.0e-6", 5e-6),
        ("-.5e3", -500.0),
        ("1e5", 1e5),
        ("5.E+3", 5000.0),
        ("150_000", 150_000),
        ("'5e-6'", "5e-6"),
        ("+.5", 0.5),
        ("-3", -3),
        ("0x1f", 31),
        ("0", 0),
        ("010", "010"),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("-.inf", -math.inf),
        ("e5", "e5"),
        ("5e", "5e"),
        ("2025-08-15", "2025-08-15"),
        ("null", None),
        ("", None),
        ("none", "none"),
        ("[1, 2e0]", [1, 2.0]),
    ],
)
def test_values(text: str, value: object) -> None:
    found = parse_yaml(text, name="x")
    assert (found, type(found)) == (value, type(value))


@given(PLAIN)
def test_what_is_written_is_read(values: object) -> None:
    assert parse_yaml(format_yaml(values), name="x") == values


@pytest.mark.parametrize(
    "text", ["5e-6", "1e5", "-.5E3", "2025-08-15", "true", "no", "", "a: b", "#", "010", "0o7", "1:30"]
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    assert parse_yaml(format_yaml({"key": text}), name="x") == {"key": text}


def test_keys_that_an_anchor_brings_may_be_changed() -> None:
    assert parse_yaml("a: &x {q: 1, r: 2}\nb:\n  <<: *x\n  q: 3", name="x")["b"] == {"q": 3, "r": 2}


def test_what_an_anchor_repeats_is_changed_in_one_place() -> None:
    values = parse_yaml("a: &x {q: [1]}\nb: *x", name="x")
    values["a"]["q"].append(2)
    assert values == {"a": {"q": [1, 2]}, "b": {"q": [1]}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a: 1\nb: 2\na: 3", ["file.yaml, line 3, column 1", "the key 'a' stands twice"]),
        ("a: {b: 1, b: 1}", ["line 1", "the key 'b' stands twice"]),
        ("a: [1", ["line 1"]),
        ("a: b: c", ["line 1, column 5", "Correct the line"]),
        ("a: !!python/object/apply:os.getcwd []", ["could not determine a constructor"]),
        ("a: !!float x", ["file.yaml", "x"]),
        ("a: \x07", ["file.yaml", "special characters are not allowed"]),
        ("a: &x [*x]", ["file.yaml"]),
        ("a: 1\n---\nb: 2", ["another document"]),
    ],
)
def test_text_that_is_refused(text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError, match="must be YAML without repeated keys") as error:
        parse_yaml(text, name="file.yaml")
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize("line", ["{0}: &{0} [{1}]", "{0}: &{0} {{<<: [{1}]}}"], ids=["lists", "merged"])
def test_anchors_that_repeat_without_measure(line: str) -> None:
    lines = ["a: &a {x: 1}"]
    for last, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(line.format(name, ", ".join([f"*{last}"] * 9)))
    with pytest.raises(ConfigError, match=r"at most 100,000 values, .*; got file\.yaml"):
        parse_yaml("\n".join(lines), name="file.yaml")


def test_many_values_may_be_read() -> None:
    assert len(parse_yaml(f"a: [{', '.join(['1'] * 99_000)}]", name="x")["a"]) == 99_000


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "No such file"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"", "with nothing"),
        (b"- 1", "with list"),
        (b"5: 1", "with dict"),
    ],
)
def test_a_file_that_holds_no_settings(tmp_path: Path, content: bytes | None, part: str) -> None:
    path = tmp_path / "file.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="A file of settings must") as error:
        read_yaml(path)
    assert part in str(error.value)
    assert str(path) in str(error.value)
