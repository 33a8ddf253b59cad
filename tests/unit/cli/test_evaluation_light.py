"""Help of the commands of the second stage comes without what the work needs."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "diffusers", "accelerate", "matplotlib", "numba", "scipy", "cv2", "skimage", "PIL", "rasterio"}


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_help_imports_no_library(command: str) -> None:
    start = f"import sys, radiodiff.cli.main as cli; sys.argv[1:] = {[command, '--help']!r}; cli.main()"
    report = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {start}"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert f"radiodiff.cli.{command}" in done.stderr
    assert set(done.stderr.split()) & HEAVY == set()
