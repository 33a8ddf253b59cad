"""What became of every key of a settings file of the original."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from radiodiff.recipes.load import STAGES
from radiodiff.recipes.resolve import must_be_given, value_at
from radiodiff.recipes.yaml_text import format_yaml

__all__ = ["Finding", "OriginalImport", "OriginalStage"]

OriginalStage = Literal["autoencoder", "diffusion"]


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
        stage: What the recipe is for.
        file_stage: What the file is for: that of a diffusion model holds its first stage, too.
        values: Plain values of the recipe: what the file says, in our keys; all else has its default.
        mapped: Keys that have a place here.
        added: What no key says: what the original's code has, or what is needed here; `key` is ours.
        dropped: Keys without a place, and why.
        contradictions: Keys that say something else than what the original did, or than what is done here.
        kept: Keys of the other stage.
        unknown: Keys that the original's files are not known to have.
    """

    stage: OriginalStage
    file_stage: OriginalStage
    values: dict[str, Any] = field(default_factory=dict)
    mapped: list[Finding] = field(default_factory=list)
    added: list[Finding] = field(default_factory=list)
    dropped: list[Finding] = field(default_factory=list)
    contradictions: list[Finding] = field(default_factory=list)
    kept: list[Finding] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values.setdefault("stage", self.stage)

    @property
    def not_given(self) -> tuple[str, ...]:
        """Keys that must be given to train with the recipe."""
        wanted = [*must_be_given(STAGES[self.stage])]
        backbone = self.get("unet.backbone") or {}
        if backbone.get("is_frozen") and self.get("trainer.warm_start.init_from") is None:
            wanted.append("unet.backbone.weights")
        return tuple(key for key in wanted if self.get(key) is None)

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

    def take(self, key: str, value: Any, ours: Mapping[str, Any]) -> None:
        """Give our keys the values that a key has; a key without a value leaves the defaults."""
        if value is None or value == "":
            self.dropped.append(Finding(key, value, "empty"))
            return
        for name, given in ours.items():
            self.set(name, given)
        self.mapped.append(Finding(key, value, ", ".join(f"{name} = {given}" for name, given in ours.items())))

    def add(self, key: str, value: Any, reason: str) -> None:
        """Give one of our keys a value that no key of the file says."""
        if value is not None:
            self.set(key, value)
        self.added.append(Finding(key, value, reason))

    def to_yaml(self) -> str:
        """The recipe as a file."""
        return format_yaml({key: self.values[key] for key in STAGES[self.stage].model_fields if key in self.values})
