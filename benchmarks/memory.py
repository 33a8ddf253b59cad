"""Memory of training the published second stage on a CPU.

Protocol: `radiodiff train diffusion --config diffusion/radiomapseer-dpm` for 20 steps of 2 maps, float32, with a first
stage of the published size (random weights, its scaling factor measured on two maps), one validation of one map with
one step, checkpoint and export, in a process of its own; the peak is that of its resident set. Maps of generated
cities, of 256 x 256 cells and resampled to 320 x 320. Seconds of a step are the log's: means over the last ten steps of
forward, backward and optimizer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import write
from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord, save_autoencoder
from radiodiff.models.config import AutoencoderConfig

STEPS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, action="append", help="rows and columns, by default 256 and 320")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        list(create_data_set(folder / "city", CreateSettings(6, 2, 1)))
        target = path_loss_channel()
        record = AutoencoderRecord(encoding=Encoding((target,), target), scale="raw")
        save_autoencoder(folder / "first", build_autoencoder(AutoencoderConfig()), record)
        found = {f"{size} x {size}": measure(folder, size) for size in options.size or (256, 320)}
    write("memory", {"protocol": (__doc__ or "").strip(), "steps": STEPS, "batch": 2, "maps": found})


def measure(folder: Path, size: int) -> dict[str, Any]:
    """Peak memory and time of a step for maps of one size."""
    run = folder / f"run-{size}"
    settings = [
        *(f"data.root={folder / 'city'}", f"data.size={size}", f"autoencoder={folder / 'first'}"),
        *(
            f"trainer.run_dir={run}",
            f"trainer.max_steps={STEPS}",
            f"trainer.save_every={STEPS}",
            "trainer.log_every=10",
        ),
        *("trainer.batch_size=2", "trainer.validation.num_examples=1", "sampling.num_inference_steps=[1]"),
        "latents.num_examples=2",
    ]
    command = [sys.executable, "-m", "radiodiff", "train", "diffusion", "--config", "diffusion/radiomapseer-dpm"]
    process = subprocess.Popen([*command, *settings])
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"the run ended with {os.waitstatus_to_exitcode(status)}")
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    last = [line for line in lines if "seconds/forward" in line][-1]
    parts = {name: last[f"seconds/{name}"] for name in ("forward", "backward", "optimizer")}
    found = {"peak_gb": used.ru_maxrss * 1024 / 1e9, "seconds": parts, "log_step": last["step"]}
    print(size, found)
    return found


if __name__ == "__main__":
    main()
