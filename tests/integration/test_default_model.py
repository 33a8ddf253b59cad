"""The model that comes with the package: whole, small, and better than the dominant path on maps it has not seen."""

import json
from pathlib import Path

import numpy as np
import pytest

import radiodiff as rd
from command_line import Run
from radiodiff.evaluation.bench import open_bench
from radiodiff.evaluation.map_scenes import MapScenes
from radiodiff.pipeline.bundle import LARGEST_FILE
from radiodiff.pipeline.bundled import bundled_folder, check_sums

LARGEST_IN_ALL = 60_000_000


def test_its_files_are_those_that_were_written_and_small() -> None:
    folder = bundled_folder("default")
    check_sums(folder, remedy="")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    assert max(sizes) <= LARGEST_FILE
    assert sum(sizes) <= LARGEST_IN_ALL


@pytest.mark.parametrize("scenario", ["street", "rooftop"])
def test_it_is_nearer_to_traced_maps_than_the_dominant_path(scenario: str, tmp_path: Path) -> None:
    (case,) = open_bench(cache=tmp_path).cases(scenario, ("RT",))
    examples = case.examples()
    scenes = MapScenes(examples.source)
    errors = []
    # One transmitter of each of four scenes that have never been in a training part.
    examples = type(examples)(examples.source, examples.config, range(0, 20, 5))
    for batch in examples.batches(1):
        (truth,) = examples.true_maps(batch, "raw")
        scene, tx = scenes.scene(truth.map_id), scenes.transmitter(batch, 0)
        true_db = examples.source.encoding.target.decode(truth.levels * 2.0 - 1.0)
        cells = truth.regions["outdoor"]
        for found in (rd.predict(scene, tx), rd.DominantPath().radio_map(scene, tx)):
            found_db = np.clip(found.path_loss_db, *sorted(examples.source.encoding.target.decode([-1.0, 1.0])))
            errors.append(float(np.sqrt(np.nanmean((found_db - true_db)[cells] ** 2))))
    of_model, of_dominant_path = np.reshape(errors, (-1, 2)).T
    assert of_model.mean() < 0.7 * of_dominant_path.mean()


def test_the_command_uses_it(radiodiff: Run, tmp_path: Path) -> None:
    layout = Path(__file__).parents[2] / "examples/data/munich.geojson"
    given = ("--buildings", layout, "--tx", "155,100", "--tx-height", "2.5")
    done = radiodiff("predict", *given, "--out", tmp_path / "map.npz")
    assert (done.code, done.err) == (0, "")
    found = rd.read_radio_map(tmp_path / "map.npz")
    assert 60.0 < np.nanmedian(found.path_loss_db) < 150.0


def test_it_is_evaluated_by_its_name(radiodiff: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    given = ("--bench", "street", "--target", "RT", "--model", "default", "--limit", 1, "--json", "-")
    done = radiodiff("evaluate", *given)
    assert done.code == 0, done.err
    (case,) = json.loads(done.out)["cases"]
    assert [one["label"] for one in case["predictors"]] == ["default"]
