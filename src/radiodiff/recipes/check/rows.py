"""What a check finds."""

from dataclasses import asdict, dataclass
from typing import Literal

from radiodiff.config import with_keys
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.schema import Recipe

__all__ = ["CheckRow", "Status", "error_row"]

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class CheckRow:
    """One finding.

    Attributes:
        what: What was looked at.
        status: "error" keeps the recipe from running as it is; "warning" does not.
        finding: What was found.
        remedy: What to do about it; empty where there is nothing to do.
    """

    what: str
    status: Status
    finding: str
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON types."""
        return asdict(self)


def error_row(what: str, error: RadiodiffError, kind: type[Recipe]) -> CheckRow:
    """An error as a finding, in the keys of a recipe.

    Args:
        what: What was looked at.
        error: The error.
        kind: What the recipe holds.
    """
    finding, remedy = (with_keys(text, kind) for text in (f"{error.rule}; got {error.value}", error.remedy))
    return CheckRow(what, "error", finding, remedy)
