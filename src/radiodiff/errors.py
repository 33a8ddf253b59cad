"""Every error that radiodiff raises on purpose.

```
RadiodiffError
  InputError (also ValueError)     something the caller gave breaks a rule
    GridError                      sizes, cell size, coordinate reference system
    SceneError                     building, car or footprint data
    TransmitterError               position or radio settings of a transmitter
    PropagationError               settings of a propagation engine
    LayoutError                    settings of a layout source
    ConfigError                    a key or a value of a configuration
  FormatError (also ValueError)    a file is not what its name or its reader says
  DataSetError                     a data set folder on disk
  CheckpointError                  weights or the state of a run on disk
  TrainingError                    a training run that cannot go on
```

Warnings are RadiodiffWarning (also UserWarning): the command line prints them as one paragraph.

A message has three parts: the rule, the value given, the remedy. The command line prints it as one
paragraph and ends with exit code 2.
"""

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataSetError",
    "FormatError",
    "GridError",
    "InputError",
    "LayoutError",
    "PropagationError",
    "RadiodiffError",
    "RadiodiffWarning",
    "SceneError",
    "TrainingError",
    "TransmitterError",
]


class RadiodiffError(Exception):
    """Base of all errors raised on purpose.

    Args:
        rule: What must hold, naming the thing, in the positive form.
        value: What was given.
        remedy: What to do next.
    """

    def __init__(self, rule: str, *, value: object, remedy: str) -> None:
        self.rule = rule
        self.value = value
        self.remedy = remedy
        super().__init__(rule, value, remedy)

    def __str__(self) -> str:
        return f"{self.rule}; got {self.value}. {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments: worker processes send errors back by pickle.
        return _rebuild, (type(self), self.rule, self.value, self.remedy)


def _rebuild(kind: type[RadiodiffError], rule: str, value: object, remedy: str) -> RadiodiffError:
    return kind(rule, value=value, remedy=remedy)


class RadiodiffWarning(UserWarning):
    """Something that the user should know, where the work goes on."""


class InputError(RadiodiffError, ValueError):
    """Something the caller gave breaks a rule."""


class GridError(InputError):
    """Sizes, cell size or coordinate reference system of a grid."""


class SceneError(InputError):
    """Building, car or footprint data of a scene."""


class TransmitterError(InputError):
    """Position or radio settings of a transmitter."""


class PropagationError(InputError):
    """Settings of a propagation engine."""


class LayoutError(InputError):
    """Settings of a layout source."""


class ConfigError(InputError):
    """A key or a value of a configuration."""


class FormatError(RadiodiffError, ValueError):
    """A file is not what its name or its reader says."""


class DataSetError(RadiodiffError):
    """A data set folder on disk."""


class CheckpointError(RadiodiffError):
    """Weights or the state of a run on disk."""


class TrainingError(RadiodiffError):
    """A training run that cannot go on."""
