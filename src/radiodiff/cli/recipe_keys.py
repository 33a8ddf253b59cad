"""Errors in the terms of what people write: keys of a file in place of names of classes."""

from collections.abc import Iterator
from contextlib import contextmanager

from radiodiff.config import Config, with_keys
from radiodiff.errors import ConfigError

__all__ = ["keys_in_errors"]


@contextmanager
def keys_in_errors(kind: type[Config]) -> Iterator[None]:
    """Name settings by their keys where errors of the block name classes.

    Args:
        kind: What a whole file holds, or what a command takes changes of.

    Raises:
        ConfigError: That of the block, in terms of the keys.
    """
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            with_keys(error.rule, kind), value=error.value, remedy=with_keys(error.remedy, kind)
        ) from error
