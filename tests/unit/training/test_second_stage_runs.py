"""Whole runs of the second stage: resumed, cached, averaged."""

import json
import os
import signal
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from radiodiff.data.loader import BatchLoader, spread
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.selection import open_data_set
from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.errors import CheckpointError
from radiodiff.models.radio_unet import build_radio_unet
from radiodiff.models.warm_start import load_weights
from radiodiff.pipeline.load import load_pipeline
from radiodiff.training.config import EmaConfig, TrainerConfig
from radiodiff.training.diffusion_stage import DiffusionStage
from radiodiff.training.fill_latents import fill_latents
from radiodiff.training.latent_cache import LatentCache
from radiodiff.training.latent_encoder import LatentEncoder
from radiodiff.training.latent_source import CachedExamples
from radiodiff.training.regression_stage import RegressionStage
from radiodiff.training.reports import Listener, StepReport
from radiodiff.training.run import TrainingRun, make_accelerator
from radiodiff.training.stage import Stage
from second_stage import REGRESSION, UNET, diffusion_parts, make_city, regression_parts, small_autoencoder

SETTINGS = {
    "max_steps": 4,
    "cpu": True,
    "save_every": 2,
    "batch_size": 2,
    "loader_threads": 0,
    "validation": {"num_examples": 2, "num_previews": 1},
    "ema": EmaConfig(update_every=1, update_after=1, decay=0.9),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_city(tmp_path_factory.mktemp("runs") / "city")


class Recorder(Listener):
    """Keeps the losses, and may stop the run after a step."""

    def __init__(self, stop_at: int = 0) -> None:
        self.losses: list[float] = []
        self._stop_at = stop_at

    def on_step(self, report: StepReport) -> None:
        self.losses.append(report.losses["total"])
        if report.step == self._stop_at:
            os.kill(os.getpid(), signal.SIGTERM)


def data(city: Path) -> Any:
    return open_data_set(RadioMapSeerConfig(root=city, part="all", augment=True))


def stage_of(city: Path, kind: str, cache: Path | None = None, **changes: Any) -> Stage:
    source = data(city)
    if kind == "regression":
        return RegressionStage(regression_parts(source))
    parts = diffusion_parts(source, **changes)
    if kind == "cached":
        assert cache is not None
        filled = LatentCache(cache, LatentEncoder(parts.autoencoder, parts.unet.size_multiple), source)
        fill_latents(filled, make_accelerator(TrainerConfig(run_dir=cache, cpu=True)))
        return DiffusionStage(replace(parts, source=CachedExamples(filled)))
    return DiffusionStage(parts)


def prepared(folder: Path, stage: Stage, resume: str | None = None, **settings: Any) -> TrainingRun:
    config = TrainerConfig(run_dir=folder, **SETTINGS | settings)
    run = TrainingRun(stage, config, make_accelerator(config), resume)
    for part in (run.folder.checkpoints, run.folder.metrics, run.folder.samples):
        part.mkdir(parents=True, exist_ok=True)
    return run


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (network,) = (name for name in ("unet", "network") if (folder / "pipeline" / name).is_dir())
    return load_file(folder / "pipeline" / network / "diffusion_pytorch_model.safetensors")


@pytest.mark.parametrize("kind", ["encoded", "cached", "regression"])
def test_an_interrupted_run_goes_on_as_if_nothing_happened(city: Path, tmp_path: Path, kind: str) -> None:
    whole, first, rest = Recorder(), Recorder(stop_at=2), Recorder()
    cache = tmp_path / "cache"
    prepared(tmp_path / "whole", stage_of(city, kind, cache)).run([whole])
    # The signal comes while step 2 is reported: the run ends after the next one.
    assert prepared(tmp_path / "parts", stage_of(city, kind, cache)).run([first]).step == 3
    outcome = prepared(tmp_path / "parts", stage_of(city, kind, cache), "latest").run([rest])
    assert outcome.model == tmp_path / "parts" / "pipeline"
    assert whole.losses == [*first.losses, *rest.losses]
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_cached_latents_teach_what_encoded_ones_do(city: Path, tmp_path: Path) -> None:
    encoded, cached = Recorder(), Recorder()
    prepared(tmp_path / "encoded", stage_of(city, "encoded")).run([encoded])
    prepared(tmp_path / "cached", stage_of(city, "cached", tmp_path / "cache"), channels_last=True).run([cached])
    # Latents of float16 differ by 2^-11 of their value.
    assert cached.losses == pytest.approx(encoded.losses, rel=2e-3)
    assert cached.losses != encoded.losses


def test_averaged_weights_are_validated_and_left(city: Path, tmp_path: Path) -> None:
    stage = stage_of(city, "encoded")
    run = prepared(tmp_path, stage)
    run.run()
    pipeline = load_pipeline(tmp_path)
    averaged = load_file(tmp_path / "checkpoints" / "step-00000004" / "ema.safetensors")
    trained = load_file(tmp_path / "checkpoints" / "step-00000004" / "unet.safetensors")
    found = pipeline.unet.state_dict()
    names = [name.removeprefix("unet.") for name in averaged]
    assert all(torch.equal(found[name], averaged[f"unet.{name}"]) for name in names)
    assert not all(torch.equal(found[name], trained[f"unet.{name}"]) for name in names)
    # The picture and the figures are those of the model that is left.
    written = json.loads((tmp_path / "metrics" / "step-00000004.json").read_text())
    again = DiffusionStage(diffusion_parts(data(city)))
    load_weights(again.parts.unet, tmp_path / "pipeline", network="unet")
    batches = BatchLoader(again.source, 4, sampler=spread(len(again.source), 2), threads=0)
    expected = again.validate(batches, autocast=nullcontext, preview=None)
    for name, row in expected.per_example.items():
        assert written["per_example"][name] == pytest.approx(dict(row), rel=1e-4)
    assert {"rmse", "rmse_db", "loss", "outdoor/rmse_db", "steps_3/rmse"} <= written["metrics"].keys()
    assert (tmp_path / "samples" / "step-00000004.png").is_file()


def test_the_autoencoder_is_in_no_checkpoint(city: Path, tmp_path: Path) -> None:
    stage = stage_of(city, "encoded")
    before = {name: value.clone() for name, value in stage.parts.autoencoder.state_dict().items()}
    prepared(tmp_path, stage).run()
    for name, value in load_pipeline(tmp_path).autoencoder.state_dict().items():
        assert torch.equal(value, before[name])
    folder = tmp_path / "checkpoints" / "step-00000004"
    files = {path.name for path in folder.glob("*.safetensors")}
    assert files == {"unet.safetensors", "unet.optimizer.safetensors", "ema.safetensors"}
    prefixes = {name.split(".")[0] for name in load_file(folder / "unet.safetensors")}
    assert prefixes == {"unet", "scaling_factor", "encoder_fingerprint"}


def test_a_run_goes_on_with_its_factor_and_its_autoencoder_alone(city: Path, tmp_path: Path) -> None:
    prepared(tmp_path, stage_of(city, "encoded"), max_steps=2).run()
    stage = stage_of(city, "encoded", scaling_factor=None)
    prepared(tmp_path, stage, "latest")
    assert stage.networks["unet"].scaling_factor.item() == pytest.approx(1.7)
    with pytest.raises(CheckpointError, match=r"factor on its latents.*got 0\.5, 1\.7 in the checkpoint"):
        prepared(tmp_path, stage_of(city, "encoded", scaling_factor=0.5), "latest")
    with pytest.raises(CheckpointError, match="go on with the autoencoder it was begun with"):
        prepared(tmp_path, stage_of(city, "encoded", autoencoder=small_autoencoder(1)), "latest")


def test_a_run_does_not_go_on_with_weights_that_would_mean_something_else(city: Path, tmp_path: Path) -> None:
    """All of the same names and shapes."""
    prepared(tmp_path / "unet", stage_of(city, "encoded"), max_steps=1).run()
    asking = UNET.relation.model_copy(update={"query": "features"})
    for changes, said in (
        ({"diffusion": DiffusionConfig(preconditioning="none")}, "preconditioning 'none' ('corrected' with"),
        ({"unet": UNET.model_copy(update={"relation": asking})}, "relation.query 'features' ('condition' with"),
        ({"unet": UNET.model_copy(update={"fourier_scale": 3.0})}, "fourier_scale 3.0"),
    ):
        with pytest.raises(CheckpointError, match=r"unet of a run must go on with the settings") as caught:
            prepared(tmp_path / "unet", stage_of(city, "encoded", **changes), "latest")
        assert said in str(caught.value)
    prepared(tmp_path / "network", stage_of(city, "regression"), max_steps=1).run()
    prepared(tmp_path / "network", stage_of(city, "regression"), "latest")
    config = REGRESSION.model_copy(update={"norm_groups": 2})
    source = data(city)
    network = build_radio_unet(config, in_channels=len(source.encoding.names))
    other = RegressionStage(regression_parts(source, network=network))
    with pytest.raises(CheckpointError, match=r"network of a run must go on with the settings.*norm_groups 2"):
        prepared(tmp_path / "network", other, "latest")


def test_a_run_may_begin_with_the_weights_of_another(city: Path, tmp_path: Path) -> None:
    prepared(tmp_path, stage_of(city, "encoded"), max_steps=2).run()
    for path in (tmp_path / "pipeline", tmp_path / "checkpoints" / "step-00000002"):
        stage = stage_of(city, "encoded", autoencoder=small_autoencoder(1))
        report = load_weights(stage.parts.unet, path, network="unet")
        assert report.is_complete
        assert torch.equal(stage.parts.unet.entry.weight, load_pipeline(tmp_path).unet.entry.weight)
