"""Models are opened by diffusers itself, offline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from radiodiff.pipeline.base import RadioMapPipeline
from tiny_pipelines import tiny_diffusion, tiny_regression

LOAD = """
import sys
import torch
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained(sys.argv[1], trust_remote_code=True, local_files_only=True)
maps = pipeline.predict(torch.zeros(1, 5, 16, 16), [torch.Generator().manual_seed(0)])
torch.save({"class": type(pipeline).__name__, "record": pipeline.record.to_dict(), "maps": maps}, sys.argv[2])
"""


@pytest.mark.parametrize("make", [tiny_diffusion, tiny_regression])
def test_diffusers_opens_a_model_to_the_same_bits(tmp_path: Path, make: type[RadioMapPipeline]) -> None:
    pipeline = make()
    pipeline.save_pretrained(tmp_path / "model")
    # It copies the file that names the class to its cache.
    surroundings = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "model"), str(tmp_path / "found.pt")],
        check=True,
        env=surroundings,
        capture_output=True,
    )
    found = torch.load(tmp_path / "found.pt")
    assert found["class"] == type(pipeline).__name__
    assert found["record"] == pipeline.record.to_dict()
    assert torch.equal(found["maps"], pipeline.predict(torch.zeros(1, 5, 16, 16), [torch.Generator().manual_seed(0)]))
