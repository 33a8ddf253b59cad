"""Models are opened by diffusers itself, offline."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from tiny_pipelines import tiny_diffusion, tiny_regression

LOAD = """
import sys
import torch
from diffusers import DiffusionPipeline

for folder in sys.argv[1:]:
    pipeline = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True, local_files_only=True)
    maps = pipeline.predict(torch.zeros(1, 5, 16, 16), [torch.Generator().manual_seed(0)])
    found = {"class": type(pipeline).__name__, "record": pipeline.record.to_dict(), "maps": maps}
    torch.save(found, folder + ".pt")
"""


def test_diffusers_opens_models_to_the_same_bits(tmp_path: Path) -> None:
    pipelines = {"diffusion": tiny_diffusion(), "regression": tiny_regression()}
    for name, pipeline in pipelines.items():
        pipeline.save_pretrained(tmp_path / name)
    # It copies the file that names the class to its cache.
    surroundings = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-c", LOAD, *(str(tmp_path / name) for name in pipelines)],
        check=True,
        env=surroundings,
        capture_output=True,
    )
    for name, pipeline in pipelines.items():
        found = torch.load(tmp_path / f"{name}.pt")
        assert found["class"] == type(pipeline).__name__
        assert found["record"] == pipeline.record.to_dict()
        expected = pipeline.predict(torch.zeros(1, 5, 16, 16), [torch.Generator().manual_seed(0)])
        assert torch.equal(found["maps"], expected)
