"""Settings: the errors name the key, the value and what is allowed."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, model_validator

from radiodiff.config import Config
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
