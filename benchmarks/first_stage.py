"""How well `autoencoder/tiny` reconstructs cities it has not seen, before and after its discriminator.

Protocol: 2,000 generated maps (100 cities, 20 transmitters each, 256 x 256 cells, seed 11; 70 cities to learn from, 15
to validate, 15 to test). `radiodiff train autoencoder --config autoencoder/tiny` from its first step to the model it
leaves; the time is that of the whole process, validations and latent statistics included. Figures "before" and "after"
the discriminator are validations of the run, at its last checkpoint before the discriminator starts and at its end, on
the same maps of the validation cities. "test" is `radiodiff reconstruct` on all maps of the test cities. RMSE is that
of levels on the raw scale, per whole map, then the mean over maps; the sharpness ratio is that of root mean square
slopes, 1 is as sharp as the truth. Weights are the moving average.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measure import write
from radiodiff.recipes.load import load_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        write("first_stage", {"protocol": (__doc__ or "").strip(), **measure(folder)})


def measure(folder: Path) -> dict[str, Any]:
    city, run = folder / "city", folder / "run"
    radiodiff("dataset", "create", "--out", city, "--maps", 100, "--tx-per-map", 20, "--seed", 11)
    settings = (f"data.root={city}", f"trainer.run_dir={run}")
    recipe = load_recipe("autoencoder/tiny", settings)
    assert recipe.loss.adversarial is not None
    alone = recipe.loss.adversarial.start - 1
    taken = radiodiff("train", "autoencoder", "--config", "autoencoder/tiny", *settings)
    radiodiff("reconstruct", "--model", run, "--data", city, "--part", "test", "--out", folder / "test")
    before, after = (validation(run, step) for step in (alone, recipe.trainer.max_steps))
    found = {
        "steps": {"autoencoder": alone, "all": recipe.trainer.max_steps},
        "minutes": taken / 60,
        "before": before,
        "after": after,
        "rmse_ratio": after["metrics"]["rmse"] / before["metrics"]["rmse"],
        "test": json.loads((folder / "test" / "metrics.json").read_text()),
    }
    print(json.dumps(found, indent=1))
    return found


def validation(run: Path, step: int) -> dict[str, Any]:
    """Figures of a validation."""
    content = json.loads((run / "metrics" / f"step-{step:08d}.json").read_text())
    return {name: content[name] for name in ("num_examples", "protocol", "metrics")}


def radiodiff(*arguments: object) -> float:
    """Run a command; its seconds."""
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "radiodiff", *map(str, arguments)], check=True)
    return perf_counter() - start


if __name__ == "__main__":
    main()
