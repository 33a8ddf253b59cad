"""Settings: the errors name the key, the value and what is allowed."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, model_validator

from radiodiff.config import Config, annotations_at, checked, faults, with_keys
from radiodiff.errors import ConfigError


class Inner(Config):
    count: Annotated[int, Field(ge=1, le=4)] | Literal["random"] = "random"


class Outer(Config):
    root: Path
    kind: Literal["first", "second"] = "first"
    rate: Annotated[float, Field(gt=0)] = 1.0
    inner: Inner = Inner()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rate > 100 and self.kind == "second":
            raise ConfigError("Outer.rate must be small for the second kind", value=self.rate, remedy="Lower it.")
        return self


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({}, ["Outer.root must be given", "Add the key"]),
        ({"root": 5}, ["Outer.root must be a path; got 5"]),
        ({"root": "x", "kin": "first"}, ["no key 'kin'", "Did you mean 'kind'?"]),
        ({"root": "x", "KIND": "first"}, ["no key 'KIND'", "Did you mean 'kind'?"]),
        ({"root": "x", "zzz": 1}, ["no key 'zzz'", "Its keys: root, kind, rate, inner"]),
        ({"root": "x", "kind": "frist"}, ["Outer.kind must be 'first' or 'second'", "'frist'", "mean 'first'"]),
        ({"root": "x", "kind": "other"}, ["Outer.kind", "'other'", "Correct the value"]),
        ({"root": "x", "rate": 0}, ["Outer.rate must be greater than 0", "got 0"]),
        ({"root": "x", "rate": float("nan")}, ["Outer.rate must be a finite number", "got nan"]),
        ({"root": "x", "inner": {"count": 9}}, ["Inner.count", "less than or equal to 4, or 'random'", "got 9"]),
        ({"root": "x", "inner": {"cuont": 2}}, ["Inner has no key 'cuont'", "Did you mean 'count'?"]),
        ({"root": "x", "rate": 200, "kind": "second"}, ["small for the second kind", "200", "Lower it"]),
    ],
)
def test_an_error_names_key_value_and_remedy(values: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        Outer(**values)
    for part in parts:
        assert part in str(error.value)


def test_settings_are_frozen_and_copied_with_checks() -> None:
    outer = Outer(root=Path("x"))
    with pytest.raises(ValueError, match="frozen"):
        outer.rate = 2.0  # type: ignore[misc]
    assert outer.replaced(rate=2.0).rate == 2.0
    with pytest.raises(ConfigError, match="rate"):
        outer.replaced(rate=-1.0)


def test_a_number_with_an_exponent_is_a_number() -> None:
    assert Outer(root=Path("x"), rate="5e-6").rate == 5e-6  # type: ignore[arg-type]


class First(Config):
    kind: Literal["first"] = "first"
    root: Path
    size: int | None = None


class Second(Config):
    kind: Literal["second", "zweite"] = "second"
    root: Path
    limits: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1, max_length=3)] = (1,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if max(self.limits) > 99:
            raise ConfigError("Second.limits must be below 100", value=self.limits, remedy="Correct Second.limits.")
        return self


class Part(Config):
    rate: Annotated[float, Field(gt=0)] = 1.0
    deep: Inner = Inner()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rate == 13:
            raise ConfigError("Inner.count must not be given with 13", value="13", remedy="Take 12.")
        if self.rate == 14:
            raise ConfigError("The rate must be lucky", value=14, remedy="Take 12.")
        return self


class Whole(Config):
    data: Annotated[First | Second, Field(discriminator="kind")]
    part: Part = Part()
    maybe: Part | None = None
    mixed: Inner | Literal["none"] = "none"
    steps: int = 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.steps == 13:
            raise ConfigError("steps must not be 13 with part.rate", value=13, remedy="Take 12.")
        return self


ROOT = {"kind": "first", "root": "x"}

DOTTED = {
    "a missing group": ({}, ["data must be given; got nothing", "Add data to the file, or write data=VALUE"]),
    "a missing key": ({"data": {"kind": "first"}}, ["data.root must be given; got nothing", "write data.root=VALUE"]),
    "a missing kind": ({"data": {"root": "x"}}, ["data.kind must be given: first, second, zweite; got nothing"]),
    "an unknown kind": (
        {"data": {"kind": "secnd", "root": "x"}},
        ["data.kind must be 'first', 'second' or 'zweite'; got 'secnd'. Did you mean 'second'?"],
    ),
    "a key of another kind": (
        {"data": {"kind": "second", "root": "x", "size": 3}},
        ["There is no key data.size; got 3. Another kind of data has it. The keys of data: kind, root, limits."],
    ),
    "a misspelt key": (
        {"data": ROOT, "part": {"rat": 3}},
        ["There is no key part.rat; got 3. Did you mean part.rate? The keys of part: rate, deep."],
    ),
    "a misspelt key, which is then missing": (
        {"data": {"kind": "first", "rot": "x"}},
        ["There is no key data.rot; got 'x'. Did you mean data.root?"],
    ),
    "a misspelt key below": (
        {"data": ROOT, "part": {"deep": {"cuont": 3}}},
        ["There is no key part.deep.cuont", "Did you mean part.deep.count? The keys of part.deep: count."],
    ),
    "a misspelt key of what may be off": ({"data": ROOT, "maybe": {"rat": 3}}, ["no key maybe.rat", "mean maybe.rate"]),
    "a misspelt key of what may be a word": (
        {"data": ROOT, "mixed": {"cuont": 3}},
        ["There is no key mixed.cuont", "Did you mean mixed.count?"],
    ),
    "a key at the wrong level": (
        {"data": ROOT, "rate": 3},
        ["There is no key rate", "Did you mean part.rate or maybe.rate? The keys: data, part, maybe, mixed, steps."],
    ),
    "an unknown key": ({"data": ROOT, "xyz": 3}, ["There is no key xyz; got 3. The keys: data, part"]),
    "a value below": ({"data": ROOT, "part": {"rate": -1}}, ["part.rate must be greater than 0; got -1"]),
    "a value of a kind": (
        {"data": {"kind": "first", "root": "x", "size": "big"}},
        ["data.size must be a valid integer"],
    ),
    "a value of two kinds": (
        {"data": ROOT, "part": {"deep": {"count": 9}}},
        ["part.deep.count must be less than or equal to 4, or 'random'; got 9"],
    ),
    "an entry of a list": (
        {"data": {"kind": "second", "root": "x", "limits": [1, 0]}},
        ["data.limits.1 must be greater than 0; got 0"],
    ),
    "too short a list": (
        {"data": {"kind": "second", "root": "x", "limits": []}},
        ["data.limits must be a list of at least 1"],
    ),
    "too long a list": (
        {"data": {"kind": "second", "root": "x", "limits": [1, 1, 1, 1]}},
        ["data.limits must be a list of at most 3"],
    ),
    "no group": ({"data": ROOT, "part": 5}, ["part must be a group of keys with values; got 5"]),
    "no group of a kind": ({"data": 5}, ["data must be a group of keys with values; got 5"]),
    "a rule of a group": (
        {"data": {"kind": "second", "root": "x", "limits": [100]}},
        ["data.limits must be below 100; got (100,). Correct data.limits."],
    ),
    "a rule that names a group inside": ({"data": ROOT, "part": {"rate": 13}}, ["part.deep.count must not be given"]),
    "a rule that names nothing": ({"data": ROOT, "maybe": {"rate": 14}}, ["maybe: The rate must be lucky; got 14"]),
    "a rule of the whole": ({"data": ROOT, "steps": 13}, ["steps must not be 13 with part.rate; got 13"]),
}


@pytest.mark.parametrize(("values", "parts"), DOTTED.values(), ids=DOTTED)
def test_an_error_of_a_file_names_keys_from_the_root(values: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        checked(Whole, values)
    for part in parts:
        assert part in str(error.value)


def test_values_that_are_right_make_settings() -> None:
    values = {"data": {"kind": "zweite", "root": "x"}, "maybe": {"deep": {"count": 2}}, "mixed": {"count": 3}}
    whole = checked(Whole, values)
    assert isinstance(whole.data, Second)
    assert whole == Whole(
        data=Second(kind="zweite", root=Path("x")), maybe=Part(deep=Inner(count=2)), mixed=Inner(count=3)
    )
    assert checked(Whole, whole.model_dump(mode="json")) == whole
    assert faults(Whole, values) == []


def test_all_faults_are_found_unknown_keys_first() -> None:
    found = faults(Whole, {"data": {"kind": "second", "rot": 1}, "part": {"rate": 0}, "steps": "many", "stps": 2})
    names = [error.rule.split(" must ")[0] for error in found]
    assert names == ["There is no key data.rot", "There is no key stps", "data.root", "part.rate", "steps"]


class Kinds(Config):
    count: int = 1
    rates: tuple[float, float] = (1.0, 2.0)
    names: tuple[str, ...] = ()
    is_on: bool = False
    number_or_flag: int | bool = 1
    mask: Literal["canny", "sobel"] | Path | None = None
    where: Path | None = None


class Kinded(Config):
    inner: Kinds | Literal["none"] = "none"


NO_NUMBERS = "Without quotes, yes, no, on and off are true and false."

OTHER_KINDS = {
    "true for a count": ({"count": True}, f"inner.count must be a valid integer; got True. {NO_NUMBERS}"),
    "false in a list": (
        {"rates": [1, False]},
        f"inner.rates.1 must be a valid number; got False. {NO_NUMBERS} Write the list as a whole, inner.rates=[...].",
    ),
    "a misspelt word": ({"mask": "cany"}, "inner.mask must be 'canny' or 'sobel', or a path; got 'cany'. Did you mean"),
    "no word for nothing": ({"mask": "None"}, "Did you mean 'null'? A file of that name is written ./None."),
    "an entry": ({"rates": [1, "x"]}, "got 'x'. Write the list as a whole, inner.rates=[...]."),
    "an entry too few": ({"rates": [1]}, "inner.rates.1 must be given; got nothing. Write the list as a whole, inner."),
    "a word for a list": (
        {"names": "encoder.*"},
        "inner.names must be a list, such as [a, b]; got 'encoder.*'. Write inner.names=[encoder.*].",
    ),
    "signs for a list": ({"names": "*.bias"}, 'Write inner.names=["*.bias"].'),
    "a number for a list": ({"rates": 0.5}, "inner.rates must be a list, such as [a, b]; got 0.5."),
}


@pytest.mark.parametrize(("values", "part"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_values_of_another_kind_are_refused(values: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError) as error:
        checked(Kinded, {"inner": values})
    assert part in str(error.value)


def test_values_that_may_be_of_several_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cany").touch()
    for mask in ("canny", "cany", "./cann", "some/cann", "masks"):
        assert Kinds(mask=mask).mask == (mask if mask == "canny" else Path(mask))  # type: ignore[arg-type]
    assert Kinds(where="none").where == Path("none")  # type: ignore[arg-type]
    assert Kinds(is_on=True, number_or_flag=True).number_or_flag is True
    with pytest.raises(ConfigError, match=r"Kinds\.names must be a list.*; got 'x'\. Write \[x\]\."):
        Kinds(names="x")  # type: ignore[arg-type]


def test_a_word_beside_settings_with_rules_of_their_own() -> None:
    class Ruled(Kinds):
        @model_validator(mode="after")
        def _check(self) -> Self:
            return self

    class Either(Config):
        one: Ruled | Literal["none"] = "none"

    with pytest.raises(ConfigError, match=r"There is no key one\.cuont; got 3\. Did you mean one\.count"):
        checked(Either, {"one": {"cuont": 3}})


def test_settings_made_in_code_name_their_class() -> None:
    with pytest.raises(ConfigError, match=r"Part\.rate must be greater than 0"):
        Part(rate=0)
    with pytest.raises(ConfigError, match=r"Second\.limits must be below 100"):
        Whole(data={"kind": "second", "root": "x", "limits": [100]})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Inner has no key 'cuont'"):
        Whole(data=ROOT, part={"deep": {"cuont": 1}})  # type: ignore[arg-type]


def test_what_a_key_may_be() -> None:
    assert annotations_at(Whole, ["data", "root"]) == [Path, Path]
    assert annotations_at(Whole, ["maybe", "deep", "count"]) == annotations_at(Inner, ["count"])
    assert annotations_at(Whole, ["part", "rat"]) == annotations_at(Whole, ["part", "rate", "more"]) == []


def test_names_of_classes_become_keys() -> None:
    text = "Second.limits and First must not hold Inner.count, nor Part.rate; got 'Secondary'"
    # Part and Inner are in two places and more.
    assert with_keys(text, Whole) == "data.limits and data must not hold Inner.count, nor Part.rate; got 'Secondary'"
    assert with_keys("Part.rate and Inner.count", Part, "some.part") == "some.part.rate and some.part.deep.count"
    assert with_keys("Whole.steps", Whole) == "steps"
