"""Checks of the constants of engines."""

import numpy as np

from radiodiff.errors import PropagationError

__all__ = ["check_constant", "check_rx_height"]


def check_constant(owner: object, name: str, remedy: str, *, may_be_zero: bool = False) -> None:
    """Make sure that a constant of an engine or of its settings is finite and not negative.

    Args:
        owner: The engine or the settings.
        name: Name of the constant.
        remedy: What to do where it is not.
        may_be_zero: Whether 0 is allowed.

    Raises:
        PropagationError: It is not finite, below 0, or a 0 that is not allowed.
    """
    value = getattr(owner, name)
    if not (np.isfinite(value) and (value > 0 or (may_be_zero and value == 0))):
        raise PropagationError(
            f"{type(owner).__name__}.{name} must be finite and {'at least' if may_be_zero else 'above'} 0",
            value=value,
            remedy=remedy,
        )


def check_rx_height(engine: object) -> None:
    """Make sure that `rx_height_m` of an engine is a height.

    Raises:
        PropagationError: It is not finite or not above 0.
    """
    check_constant(engine, "rx_height_m", "Give the receivers' height above ground in metres, for example 1.5.")
