"""What became of every key of a settings file of the original."""

from dataclasses import dataclass, field
from typing import Any

from radiodiff.recipes.resolve import must_be_given, value_at
from radiodiff.recipes.schema import AutoencoderRecipe
from radiodiff.recipes.yaml_text import format_yaml

__all__ = ["Finding", "OriginalImport"]


@dataclass(frozen=True)
class Finding:
    """What became of a key.

    Attributes:
        key: The key in the file.
        value: Its value there.
        text: Our key and value, or the reason.
    """

    key: str
    value: Any
    text: str


@dataclass
class OriginalImport:
    """A file of the original as a recipe.

    Attributes:
        stage: What the file is for: "autoencoder" or "diffusion".
        values: Plain values of the recipe: what the file says, in our keys; all else has its default.
        mapped: Keys that have a place here.
        added: What no key says: what the original's code has, or what is needed here; `key` is ours.
        dropped: Keys without a place, and why.
        contradictions: Keys that say something else than what the original did.
        kept: Keys that wait for the diffusion stage.
        unknown: Keys that the original's files are not known to have.
    """

    stage: str
    values: dict[str, Any] = field(default_factory=lambda: {"stage": "autoencoder"})
    mapped: list[Finding] = field(default_factory=list)
    added: list[Finding] = field(default_factory=list)
    dropped: list[Finding] = field(default_factory=list)
    contradictions: list[Finding] = field(default_factory=list)
    kept: list[Finding] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)

    @property
    def not_given(self) -> tuple[str, ...]:
        """Keys that must be given to train with the recipe."""
        return tuple(key for key in must_be_given(AutoencoderRecipe) if self.get(key) is None)

    def get(self, key: str) -> Any:
        """Value of one of our keys, or None."""
        return value_at(self.values, key)

    def set(self, key: str, value: Any) -> None:
        """Give one of our keys a value."""
        *groups, last = key.split(".")
        values = self.values
        for group in groups:
            values = values.setdefault(group, {})
        values[last] = value

    def to_yaml(self) -> str:
        """The recipe as a file."""
        return format_yaml({key: self.values[key] for key in AutoencoderRecipe.model_fields if key in self.values})
