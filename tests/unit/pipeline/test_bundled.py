"""Models as they come with the package: small, checked, and named where they are missing."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from command_line import tree
from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline import bundle, bundled
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.bundle import bundle_model
from radiodiff.pipeline.bundled import SUMS_FILE, locate_model
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.training_range import TrainingRange
from tiny_pipelines import tiny_diffusion, tiny_regression

RANGE = TrainingRange(cell_size_m=(1.0, 1.0), coverage=(0.1, 0.4))
CONDITION = torch.rand((1, 5, 16, 16), generator=torch.Generator().manual_seed(1)) * 2 - 1


def predicted(pipeline: RadioMapPipeline) -> torch.Tensor:
    return pipeline.predict(CONDITION, [torch.Generator().manual_seed(2)])


@pytest.fixture(scope="module")
def model() -> RadioMapPipeline:
    return tiny_diffusion()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for bundled models."""
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "bundled_models")
    return tmp_path / "bundled_models"


def test_weights_are_those_of_the_model_in_float16(model: RadioMapPipeline, package: Path) -> None:
    before = predicted(model)
    bundle_model(model, package / "default", RANGE)
    found = load_pipeline(locate_model("default"))
    assert {parameter.dtype for parameter in found.unet.parameters()} == {torch.float32}
    for name, weight in model.unet.state_dict().items():
        wanted = weight.half().float() if weight.is_floating_point() else weight
        assert torch.equal(found.unet.state_dict()[name], wanted), name
    assert found.training_range == RANGE
    assert found.record == model.record
    # Half a unit in the last of 11 places, some hundred times over.
    torch.testing.assert_close(predicted(found), before, rtol=0.0, atol=2e-2)
    assert torch.equal(predicted(model), before)
    # No module of the package comes with it.
    assert not [name for name in tree(package) if name.endswith(".py")]


def test_large_weights_are_spread_over_files(model: RadioMapPipeline, tmp_path: Path) -> None:
    bundle_model(model, tmp_path / "small", RANGE, largest_file=100_000)
    bundle_model(model, tmp_path / "large", RANGE)
    shards = sorted((tmp_path / "small/unet").glob("*.safetensors"))
    assert len(shards) > 1
    files = {name: content for name, content in tree(tmp_path / "small").items() if content is not None}
    assert max(map(len, files.values())) <= 100_000
    tensors = [tensor for shard in shards for tensor in load_file(shard).values()]
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {torch.float16}
    assert len(list((tmp_path / "large/unet").glob("*.safetensors"))) == 1
    assert torch.equal(predicted(load_pipeline(tmp_path / "small")), predicted(load_pipeline(tmp_path / "large")))


def test_a_weight_that_fits_into_no_file(model: RadioMapPipeline, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"at most 3,000 bytes; got [\d,]+ in .* It holds one weight"):
        bundle_model(model, tmp_path / "model", RANGE, largest_file=3_000)
    assert list(tmp_path.iterdir()) == []


def test_a_weight_beyond_float16(tmp_path: Path) -> None:
    pipeline = tiny_regression()
    next(pipeline.network.parameters()).data[0] = 1e5
    with pytest.raises(CheckpointError, match=r"numbers that float16 can hold; got .* of network beyond 65504"):
        bundle_model(pipeline, tmp_path / "model", RANGE)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_one_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    bundle_model(tiny_regression(), tmp_path / "model", RANGE)
    bundle_model(tiny_regression(seed=1), tmp_path / "model", RANGE)
    found = load_pipeline(locate_model(tmp_path / "model")).network.state_dict()
    wanted = tiny_regression(seed=1).network.state_dict()
    assert all(torch.equal(found[name], weight.half().float()) for name, weight in wanted.items())
    (tmp_path / "thesis.txt").touch()
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(InputError, match="must replace an earlier one, or nothing"):
            bundle_model(tiny_regression(), place, RANGE)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "write_sums", full)
    with pytest.raises(CheckpointError, match=r"A bundled model must be writable.*No space left"):
        bundle_model(tiny_regression(), tmp_path / "model", RANGE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["default", "radiomapseer-dpm"])
def test_a_model_that_is_not_there_is_named_with_the_way_to_restore_it(package: Path, name: str) -> None:
    told = rf"'{name}' must be part of the package; got no file .*{name}.*--force-reinstall.*\(radiodiff train"
    with pytest.raises(CheckpointError, match=told):
        locate_model(name)


@pytest.fixture
def whole(package: Path) -> Path:
    return bundle_model(tiny_regression(), package / "default", RANGE)


WEIGHTS = "network/diffusion_pytorch_model.safetensors"


def test_damaged_weights_are_named(whole: Path) -> None:
    content = bytearray((whole / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (whole / WEIGHTS).write_bytes(content)
    told = rf"must be those that were written; got .*{WEIGHTS}, whose SHA-256 .*--force-reinstall"
    with pytest.raises(CheckpointError, match=told):
        locate_model("default")
    with pytest.raises(CheckpointError, match="Copy the folder again"):
        locate_model(whole)


def test_missing_files_are_named(whole: Path) -> None:
    (whole / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=rf"must have all its files; got no file .*{WEIGHTS}.*--force-reinstall"):
        locate_model("default")
    (whole / SUMS_FILE).unlink()
    with pytest.raises(CheckpointError, match=rf"must be part of the package; got no file .*{SUMS_FILE}"):
        locate_model("default")


def test_a_damaged_list_is_named(whole: Path) -> None:
    (whole / SUMS_FILE).write_text("nonsense\n")
    with pytest.raises(CheckpointError, match=r"a checksum and a file in each line; got line 1 of .*SHA256SUMS"):
        locate_model("default")


def test_an_index_of_shards_that_is_damaged(model: RadioMapPipeline, tmp_path: Path) -> None:
    bundle_model(model, tmp_path / "model", RANGE, largest_file=100_000)
    (index,) = (tmp_path / "model/unet").glob("*.index.json")
    index.write_text('{"weight_map": 3}')
    with pytest.raises(CheckpointError, match="must name the file of each weight"):
        load_pipeline(tmp_path / "model")


def test_any_other_model_is_found_by_its_folder(tmp_path: Path) -> None:
    tiny_regression().save_pretrained(tmp_path / "run/pipeline")
    assert locate_model(tmp_path / "run") == tmp_path / "run/pipeline"
    with pytest.raises(CheckpointError, match="The folder of a model must exist"):
        locate_model(tmp_path / "absent")
