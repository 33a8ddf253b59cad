"""What all tests share: the engines as a parameter, repeatable property tests, the order."""

import signal

import pytest
from hypothesis import settings

from engine_cases import ENGINES
from ray_tracer import needs_ray_tracer

pytest_plugins = ["run_commands"]

# Compiling a kernel takes longer than any deadline; a failure must be the same on every machine.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Take interrupts: a shell that starts something in the background has them ignored, in what that starts, too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test with an argument `case` once for each engine."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize(
            "case",
            [
                pytest.param(case, id=name, marks=needs_ray_tracer if name == "ray-tracing" else ())
                for case in ENGINES
                for name in [case.engine.name]
            ],
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the documents: a document takes a minute, and none should be left for one worker at the end."""
    items.sort(key=lambda item: "docs" not in item.path.parts)
