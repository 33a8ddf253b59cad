"""A benchmark set, made once."""

from pathlib import Path

import pytest

from bench_cases import finished, small_bench


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test part. Not to be changed."""
    out = tmp_path_factory.mktemp("bench") / "set"
    finished(out, small_bench())
    return out
