"""Where the time of a training step goes, and how large a checkpoint is.

Protocol: the recipe `autoencoder/tiny` on generated cities (256 x 256 cells, seed 1), with the discriminator from the
first step on, all listeners, a line of the log every ten steps. After ten steps as warm-up, the median and quartiles of
each part over the following steps are reported. "logging" is the time inside the listeners; "guard" is the check of
losses and gradients with the one transfer of a step's numbers; the overhead of both is their share of the sum of all
parts. The checkpoint is that of `autoencoder/radiomapseer` after one step with the discriminator. Nothing else runs
meanwhile.
"""

import argparse
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import nn

from benchmarks.measure import spread, write
from radiodiff.data.create import CreateSettings, create_data_set
from radiodiff.recipes.load import load_recipe
from radiodiff.recipes.train import prepare_run
from radiodiff.training.checkpoint import write_checkpoint
from radiodiff.training.listeners import JsonLinesListener, ProgressListener, TensorBoardListener, TextLogListener
from radiodiff.training.run_state import snapshot_of
from radiodiff.training.stopping import StopRequest

WARM_UP = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40, help="measured steps")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "city"
        list(create_data_set(root, CreateSettings(4, 20, 1)))
        result = {
            "protocol": (__doc__ or "").strip(),
            "threads": torch.get_num_threads(),
            "step": step_split(root, Path(folder) / "run", options.steps),
            "checkpoint": checkpoint_size(root, Path(folder) / "published"),
        }
    write("training", result)


def step_split(root: Path, run_dir: Path, steps: int) -> dict[str, Any]:
    """Seconds of each part of a step."""
    recipe = load_recipe(
        "autoencoder/tiny",
        [f"data.root={root}", f"trainer.run_dir={run_dir}", "loss.adversarial.start=1", "trainer.log_every=10"],
    )
    run = prepare_run(recipe).run
    listeners = [
        ProgressListener(),
        JsonLinesListener(run.folder.json_lines, 10),
        TextLogListener(run.folder.text_log, 10),
        TensorBoardListener(run.folder.tensorboard, 10),
    ]
    parts: dict[str, list[float]] = {}
    for report in run.engine.train(StopRequest()):
        start = perf_counter()
        for listener in listeners:
            listener.on_step(report)
        logging = perf_counter() - start
        if report.step > WARM_UP:
            for name, value in {**report.seconds, "logging": logging}.items():
                parts.setdefault(name, []).append(value)
        if report.step == WARM_UP + steps:
            break
    for listener in listeners:
        listener.close()
    whole = sum(sum(values) for values in parts.values())
    overhead = (sum(parts["logging"]) + sum(parts["guard"])) / whole
    found = {f"{name}_s": spread(values) for name, values in parts.items()}
    print({name: round(value["median"], 4) for name, value in found.items()}, f"overhead {overhead:.2%}")
    return found | {"steps": steps, "batch": recipe.trainer.batch_size, "logging_and_guard_share": overhead}


def checkpoint_size(root: Path, run_dir: Path) -> dict[str, Any]:
    """Bytes of a checkpoint of the published networks, and of their weights in float32."""
    recipe = load_recipe(
        "autoencoder/radiomapseer",
        [
            *(f"data.root={root}", f"trainer.run_dir={run_dir}", "trainer.batch_size=1", "examples.crop_size=32"),
            *("loss.adversarial.start=1", "trainer.ema.update_after=0"),
        ],
    )
    run = prepare_run(recipe).run
    next(iter(run.engine.train(StopRequest())))
    start = perf_counter()
    folder = run_dir / "checkpoints" / "step-00000001"
    write_checkpoint(folder, snapshot_of(run.engine))
    taken = perf_counter() - start
    stored = sum(path.stat().st_size for path in folder.iterdir())
    weights = {name: 4 * num_weights(network) for name, network in run.engine.stage.networks.items()}
    found = {
        "bytes": stored,
        "weights_bytes": weights,
        "times_all_weights": stored / sum(weights.values()),
        "times_autoencoder_weights": stored / weights["autoencoder"],
        "write_s": taken,
    }
    print(found)
    return found


def num_weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
