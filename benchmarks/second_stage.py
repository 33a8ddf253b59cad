"""How good `diffusion/tiny` is on cities it has not seen, beside engines and a regression network of equal time.

Protocol: 2,000 generated maps (100 cities, 20 transmitters each, 256 x 256 cells, seed 11; 70 cities to learn from, 15
to validate, 15 to test), dominant path law. `radiodiff train` of `autoencoder/tiny`, `diffusion/tiny` and
`baseline/tiny` one after another, each from its first step to the model it leaves; the second stage and the baseline in
bfloat16, with latents that are encoded once (`latents.cache`). Minutes are those of whole processes, encoding,
validations and exports included. Condition of both: buildings, transmitter, line of sight, log-distance law;
no channel with path lengths, turns or dominant path gains. Then `radiodiff evaluate` on all 300 maps of the test
cities: free space and log-distance (3GPP UMi exponent), both networks, diffusion with 1 and 5 steps, and 5 draws of 1
and 5 steps. RMSE outside buildings in dB per map, then the mean over maps, with bootstrap intervals over cities.

`--autoencoder RUN` takes a first stage that is there; its minutes are then those of `results/first_stage.json`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measure import RESULTS, write

ENGINES = ("free-space", "log-distance")
PRECISION = "trainer.precision=bf16"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work; what is there is not made again")
    parser.add_argument("--autoencoder", type=Path, help="a finished run of autoencoder/tiny on the same cities")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        write("second_stage", {"protocol": (__doc__ or "").strip(), **measure(folder, options.autoencoder)})


def measure(folder: Path, autoencoder: Path | None) -> dict[str, Any]:
    city = folder / "city"
    if not city.is_dir():
        radiodiff("dataset", "create", "--out", city, "--maps", 100, "--tx-per-map", 20, "--seed", 11)
    minutes = {}
    if autoencoder is None:
        autoencoder = folder / "autoencoder"
        minutes["autoencoder/tiny"] = train("autoencoder", city, autoencoder)
    else:
        minutes["autoencoder/tiny"] = json.loads((RESULTS / "first_stage.json").read_text())["minutes"]
    first_stage = (f"autoencoder={autoencoder}", f"latents.cache={folder / 'latents'}")
    minutes["diffusion/tiny"] = train("diffusion", city, folder / "diffusion", PRECISION, *first_stage)
    minutes["baseline/tiny"] = train("baseline", city, folder / "baseline", PRECISION)
    models = (*both("--engine", ENGINES), *both("--model", (folder / "baseline", folder / "diffusion")))
    found = {
        "1 draw": evaluate(city, folder / "one draw", *models, "--steps", 1, "--steps", 5),
        "5 draws": evaluate(city, folder / "five draws", *models[-2:], "--steps", 1, "--steps", 5, "--draws", 5),
    }
    print(json.dumps(minutes, indent=1))
    return {"minutes": minutes, "minutes_in_all": sum(minutes.values()), "test": found}


def both(option: str, values: tuple[object, ...]) -> tuple[object, ...]:
    """An option for each value."""
    return tuple(word for value in values for word in (option, value))


def train(stage: str, city: Path, run: Path, *settings: str) -> float:
    """Train a tiny recipe; its minutes, those of the first time where the run is there."""
    note = run.with_suffix(".minutes")
    if not note.is_file():
        taken = radiodiff(
            "train", stage, "--config", f"{stage}/tiny", f"data.root={city}", f"trainer.run_dir={run}", *settings
        )
        note.write_text(str(taken / 60))
    return float(note.read_text())


def evaluate(city: Path, out: Path, *predictors: object) -> dict[str, Any]:
    """Summary of an evaluation on the test cities."""
    if not out.is_dir():
        radiodiff("evaluate", *predictors, "--data", city, "--split", "test", "--out", out)
    content: dict[str, Any] = json.loads((out / "metrics.json").read_text())
    return content


def radiodiff(*arguments: object) -> float:
    """Run a command; its seconds."""
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "radiodiff", *map(str, arguments)], check=True)
    return perf_counter() - start


if __name__ == "__main__":
    main()
