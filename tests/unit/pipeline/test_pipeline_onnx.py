"""Graphs for ONNX runtimes: what they compute, and what is refused."""

import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from shapely import box
from torch import Tensor, nn

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.diffusion.noise import draw_generators, initial_noise
from radiodiff.diffusion.sampling import sample_latents
from radiodiff.errors import CheckpointError, ConfigError, InputError
from radiodiff.models.layers.blocks import StandardizedConv2d
from radiodiff.pipeline import onnx as onnx_export
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.measurements import Measurements
from radiodiff.pipeline.onnx import export_onnx
from radiodiff.pipeline.onnx_runtime import use_onnx_runtime
from radiodiff.pipeline.weights_digest import weights_digest
from radiodiff.scene import Footprint, Grid, Scene, Transmitter
from tiny_pipelines import RADIO_UNET, UNET, tiny_diffusion, tiny_regression

SAME = 1e-4


class Graph:
    """A graph as a function of tensors."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.inputs = [given.name for given in self.session.get_inputs()]

    def __call__(self, *tensors: Tensor) -> list[Tensor]:
        given = {name: tensor.numpy() for name, tensor in zip(self.inputs, tensors, strict=True)}
        return [torch.from_numpy(array) for array in self.session.run(None, given)]


MODELS = {
    "one head": partial(
        tiny_diffusion, diffusion=DiffusionConfig(prediction_type="pred_v"), unet=UNET.replaced(relation=None)
    ),
    "two heads": tiny_diffusion,
}


@pytest.fixture(scope="module", params=["one head", pytest.param("two heads", marks=pytest.mark.slow)])
def model(request: pytest.FixtureRequest) -> RadioDiffPipeline:
    """The exporter's time grows with the number of operations: the quick model has half of them."""
    return MODELS[request.param]()


@pytest.fixture(scope="module")
def exported(model: RadioDiffPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place and the fact are those of `use_onnx_runtime`."""
    folder = tmp_path_factory.mktemp("onnx") / "graphs/32x16"
    return export_onnx(model, folder, map_shape=(30, 16), facts={"weights": weights_digest(model.networks)})


def test_the_folder_says_what_the_graphs_are_for(model: RadioDiffPipeline, exported: Path) -> None:
    said = json.loads((exported / "radiodiff.json").read_text())
    assert (said["format"], said["version"]) == ("radiodiff onnx", 1)
    # 30 rows are padded up to what the networks take.
    assert said["map_shape"] == [32, 16]
    assert said["latent_factor"] == 4
    assert said["scheduler"]["prediction_type"] == model.scheduler.config["prediction_type"]
    assert [channel["name"] for channel in said["model"]["encoding"]["condition"]][:2] == ["buildings", "transmitter"]
    assert said["graphs"] == ["condition_encoder.onnx", "unet.onnx", "decoder.onnx"]
    assert all(value <= SAME for value in said["largest_differences"].values())
    assert sorted(path.name for path in exported.iterdir()) == sorted([*said["graphs"], "radiodiff.json"])


@pytest.mark.parametrize(("count", "steps"), [(1, 1), (3, 4)])
def test_maps_of_the_graphs_are_those_of_the_model(
    model: RadioDiffPipeline, exported: Path, count: int, steps: int
) -> None:
    """What a program does that has the graphs and a sampler alone."""
    pipeline = model
    condition = torch.rand((count, 5, 32, 16), generator=torch.Generator().manual_seed(4)) * 2 - 1
    expected = pipeline.predict(
        condition, [torch.Generator().manual_seed(seed) for seed in range(count)], num_inference_steps=steps
    )
    encode, unet, decode = (Graph(exported / f"{name}.onnx") for name in ("condition_encoder", "unet", "decoder"))
    features = encode(condition)
    generators = [draw_generators(torch.Generator().manual_seed(seed), 1)[0] for seed in range(count)]
    noise = initial_noise("normal", generators, (3, 8, 4), "cpu")
    *_, last = sample_latents(
        lambda noisy, t: unet(noisy, t, *features)[0], noise, pipeline.scheduler, steps, generators
    )
    found = decode(last.latents)[0].clamp(-1.0, 1.0)
    torch.testing.assert_close(found, expected[:, 0], rtol=0.0, atol=SAME)


def test_the_same_maps_in_the_other_runtime(model: RadioDiffPipeline, exported: Path) -> None:
    """Largest difference 1e-3 dB, of maps in one piece, in windows, and pulled to measured points."""
    other = RadioDiffPipeline(model.autoencoder, model.unet, model.scheduler, model.record)
    use_onnx_runtime(other, exported.parent)
    scene = Scene.from_footprints(Grid(40, 16), [Footprint(box(2.0, 9.0, 8.0, 20.0))])
    tx = Transmitter.at_cell(scene.grid, 3, 3)
    points = Measurements([(30, 10)], [80.0])

    def draw(pipeline: RadioDiffPipeline, part: Scene, measurements: Measurements | None) -> np.ndarray:
        options = {"num_inference_steps": 2, "num_draws": 2, "window": (32, 16), "measurements": measurements}
        return pipeline(part, tx, generator=torch.Generator().manual_seed(3), **options).path_loss_db

    for part, measurements in ((scene.crop(0, 0, 32, 16), points), (scene, None)):
        expected, found = draw(model, part, measurements), draw(other, part, measurements)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-3)
        # It is the other runtime that drew them.
        assert not np.array_equal(found, expected, equal_nan=True)


def test_graphs_of_another_model_are_refused(model: RadioDiffPipeline, exported: Path) -> None:
    other = tiny_diffusion(seed=8)
    use_onnx_runtime(other, exported.parent)
    with pytest.raises(ConfigError, match=r"must hold those of the model that is used; got .*32x16, exported from"):
        other.predict(torch.zeros(1, 5, 32, 16))


def test_a_damaged_graph_is_named(model: RadioDiffPipeline, exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "32x16")
    (tmp_path / "32x16/unet.onnx").write_bytes(b"no graph")
    other = RadioDiffPipeline(model.autoencoder, model.unet, model.scheduler, model.record)
    use_onnx_runtime(other, tmp_path)
    with pytest.raises(CheckpointError, match=r"that ONNX Runtime reads; got .*unet\.onnx .*exported again"):
        other.predict(torch.zeros(1, 5, 32, 16))


def test_kernels_are_standardised_once_and_not_at_each_run(tmp_path: Path) -> None:
    """The exporter works small constants out by itself, large ones not."""
    network = StandardizedConv2d(64, 64, 3, padding=1).requires_grad_(False)
    before = network.weight.clone()
    part = onnx_export.Part("network", network, {"x": torch.zeros(2, 64, 4, 4)}, ("y",))
    onnx_export._export(part, tmp_path)
    assert [node.op_type for node in onnx.load(tmp_path / "network.onnx").graph.node] == ["Conv"]
    assert torch.equal(network.weight, before)


def test_a_regression_is_one_graph(tmp_path: Path) -> None:
    pipeline = tiny_regression()
    pipeline.network.train()
    condition = torch.rand((4, 5, 32, 32), generator=torch.Generator().manual_seed(4)) * 2 - 1
    expected = pipeline.predict(condition)
    # What is not in the folder is exported where it is needed.
    use_onnx_runtime(pipeline, tmp_path)
    torch.testing.assert_close(pipeline.predict(condition), expected, rtol=0.0, atol=SAME)
    folder = tmp_path / "32x32"
    assert pipeline.network.training
    said = json.loads((folder / "radiodiff.json").read_text())
    assert said["graphs"] == ["network.onnx"]
    assert said["map_shape"] == [32, 32]
    found = Graph(folder / "network.onnx")(condition)[0].clamp(-1.0, 1.0)
    torch.testing.assert_close(found, expected[:, 0], rtol=0.0, atol=SAME)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """An export that writes nothing but its name."""
    written: list[Path] = []

    def export(part: onnx_export.Part, folder: Path) -> float:
        written.append(folder / f"{part.name}.onnx")
        written[-1].touch()
        return 0.0

    monkeypatch.setattr(onnx_export, "_export", export)
    return written


@pytest.mark.usefixtures("quick")
def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    export_onnx(tiny_regression(), tmp_path / "graphs")
    export_onnx(tiny_diffusion(), tmp_path / "graphs")
    assert not (tmp_path / "graphs/network.onnx").exists()
    (tmp_path / "thesis.txt").touch()
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(InputError, match="must replace an earlier one, or nothing"):
            export_onnx(tiny_regression(), place)


@pytest.mark.usefixtures("quick")
def test_a_size_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"must be given where the model has none on record; got None\. Pass map_shape"
    ):
        export_onnx(tiny_regression(map_shape=None), tmp_path / "graphs")
    with pytest.raises(ConfigError, match=r"got \(0, 32\)"):
        export_onnx(tiny_regression(), tmp_path / "graphs", map_shape=(0, 32))
    assert not (tmp_path / "graphs").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_the_command_that_installs_what_is_missing_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    found = onnx_export.find_spec
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None if name == package else found(name))
    told = rf'without {package}\. Install them: pip install "radiodiff\[onnx\]"'
    with pytest.raises(ConfigError, match=told):
        export_onnx(tiny_regression(), tmp_path / "graphs")
    if package == "onnxruntime":
        with pytest.raises(ConfigError, match=told):
            use_onnx_runtime(tiny_regression(), tmp_path / "graphs")


def test_half_precision_is_not_exported(tmp_path: Path) -> None:
    pipeline = tiny_regression()
    nn.Module.to(pipeline.network, torch.bfloat16)
    with pytest.raises(ConfigError, match=r"must be in float32 to be exported; got torch\.bfloat16"):
        export_onnx(pipeline, tmp_path / "graphs")


def test_a_graph_that_computes_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Session(onnxruntime.InferenceSession):  # type: ignore[misc]
        def run(self, *arguments: Any) -> Sequence[np.ndarray]:
            return [array + 1e-3 for array in super().run(*arguments)]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    with pytest.raises(CheckpointError, match=r"within 0.0001; got a difference of .* in network\.onnx"):
        export_onnx(tiny_regression(), tmp_path / "graphs")
    assert not (tmp_path / "graphs").exists()


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx_export, "_export", full)
    with pytest.raises(CheckpointError, match=r"An export must be writable.*No space left"):
        export_onnx(tiny_regression(), tmp_path / "graphs")
    assert RADIO_UNET.stem_factor == 1
