"""Commands about recipes start without what they do not need."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "diffusers", "accelerate", "matplotlib", "numba", "scipy", "cv2", "skimage", "PIL", "rasterio"}


@pytest.mark.parametrize(
    "arguments", [["check", "--help"], ["import", "--help"], ["list"], ["show", "autoencoder/tiny"]], ids=str
)
def test_no_network_library_is_imported(arguments: list[str]) -> None:
    start = f"import sys, radiodiff.cli.main as cli; sys.argv[1:] = {['config', *arguments]!r}; cli.main()"
    report = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {start}"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert "radiodiff.cli.config" in done.stderr
    assert set(done.stderr.split()) & HEAVY == set()
