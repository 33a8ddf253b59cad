"""Whether the ray tracer can run here, for tests that need it."""

import importlib.util
import os

import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing.llvm import find_llvm


def missing() -> str | None:
    """What the ray tracer lacks on this machine, or None."""
    if importlib.util.find_spec("sionna") is None or importlib.util.find_spec("mitsuba") is None:
        return "the extra raytrace is not installed"
    try:
        find_llvm(os.environ)
    except PropagationError as error:
        return str(error.value)
    return None


needs_ray_tracer = pytest.mark.skipif(missing() is not None, reason=f"needs the ray tracer: {missing()}")
