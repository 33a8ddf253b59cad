"""The regression beside the second stage."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from radiodiff.data.icassp import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set
from radiodiff.errors import ConfigError, InputError
from radiodiff.models.radio_unet import build_radio_unet
from radiodiff.pipeline.load import load_pipeline
from radiodiff.training.diffusion_config import RegressionLossConfig
from radiodiff.training.regression_stage import RegressionStage
from second_stage import REGRESSION, SIZE, PlainPass, batch_of, make_city, regression_parts


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RepeatedTargets:
    city = make_city(tmp_path_factory.mktemp("regression") / "city")
    return open_data_set(RadioMapSeerConfig(root=city, part="all"))


def made(source: RepeatedTargets, **changes: Any) -> RegressionStage:
    return RegressionStage(regression_parts(source, **changes))


def run(stage: RegressionStage, batch: Batch) -> dict[str, float]:
    (objective,) = stage.objectives(batch, PlainPass(stage.networks))
    objective.loss.backward()
    assert objective.network == "network"
    return {name: value.item() for name, value in objective.terms.items()}


@pytest.mark.parametrize(("mse_weight", "l1_weight"), [(1.0, 0.0), (0.5, 2.0)])
def test_the_loss_is_the_error_of_the_cells_that_count(
    source: RepeatedTargets, mse_weight: float, l1_weight: float
) -> None:
    stage = made(source, loss=RegressionLossConfig(mse_weight=mse_weight, l1_weight=l1_weight))
    batch = batch_of(source, 0, 1)
    with torch.no_grad():
        difference = stage.parts.network(batch.condition) - batch.target
    terms = run(stage, batch)
    mse, l1 = difference.square().mean().item(), difference.abs().mean().item()
    assert terms == pytest.approx({"mse": mse, "l1": l1, "total": mse_weight * mse + l1_weight * l1}, rel=1e-5)
    mask = torch.zeros(2, 1, SIZE, SIZE, dtype=torch.bool)
    mask[0, :, :12] = True
    part = run(stage, replace(batch, mask=mask))
    # The second map has no cell that counts, and a loss of 0.
    assert part["mse"] == pytest.approx(difference[0, :, :12].square().mean().item() / 2, rel=1e-5)


def test_every_parameter_gets_a_gradient(source: RepeatedTargets) -> None:
    stage = made(source)
    run(stage, batch_of(source, 0, 1))
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in stage.parts.network.parameters())


def test_one_batch_is_learned_by_heart(source: RepeatedTargets) -> None:
    stage = made(source)
    batch = batch_of(source, 0, 5)
    batch = replace(batch, target=batch.target[..., :16, :16], condition=batch.condition[..., :16, :16])
    optimizer = torch.optim.AdamW(stage.parts.network.parameters(), lr=1e-2, weight_decay=0.0)
    losses = []
    for _ in range(60):
        losses.append(run(stage, batch)["total"])
        optimizer.step()
        optimizer.zero_grad()
    assert min(losses[-10:]) < 0.05 * losses[0]


def test_maps_that_are_no_multiples_are_padded(source: RepeatedTargets) -> None:
    stage = made(source)
    batch = batch_of(source, 0)
    odd = replace(batch, target=batch.target[..., :45, :41], condition=batch.condition[..., :45, :41])
    pipeline_map = stage.validate([odd], autocast=nullcontext, preview=None).per_example["0_0"]["loss"]
    assert run(stage, odd)["total"] == pytest.approx(pipeline_map, rel=1e-5)


def test_conditions_are_padded_with_what_stands_beside_the_map(tmp_path: Path) -> None:
    """Air (0 dB, the least value) at 255 m, beyond the largest value."""
    list(write_fake_icassp(tmp_path / "rooms", FakeIcasspSettings(buildings=1, antennas=2, samples=1, smallest=48)))
    rooms = open_data_set(IcasspConfig(root=tmp_path / "rooms", crop="tx-centred", size=48, part="all"))
    stage = made(rooms)
    batch = replace(batch_of(rooms, 0), mask=None)
    odd = replace(batch, target=batch.target[..., :45, :41], condition=batch.condition[..., :45, :41])
    multiple = stage.parts.network.size_multiple
    padded = torch.ones(1, 3, *(-(-length // multiple) * multiple for length in (45, 41)))
    padded[:, :2] = -1.0
    padded[..., :45, :41] = odd.condition
    with torch.no_grad():
        difference = stage.parts.network(padded)[..., :45, :41] - odd.target
    assert run(stage, odd)["mse"] == pytest.approx(difference.square().mean().item(), rel=1e-5)


def test_validation_measures_what_the_model_predicts(source: RepeatedTargets, tmp_path: Path) -> None:
    stage = made(source)
    found = stage.validate(
        [batch_of(source, 0, 1), batch_of(source, 2)], autocast=nullcontext, preview=tmp_path / "seen.png"
    )
    assert found.preview == tmp_path / "seen.png"
    assert found.preview.is_file()
    assert stage.parts.network.training
    pipeline = load_pipeline(stage.export(tmp_path, {"step": 3}))
    assert pipeline.record == replace(stage.parts.record, training={"step": 3})
    for number, row in enumerate(found.per_example.values()):
        batch = batch_of(source, number)
        error = 0.5 * (pipeline.predict(batch.condition)[:, 0] - batch.target)
        assert row["rmse_db"] == pytest.approx(99.16 * error.square().mean().sqrt().item(), rel=1e-4)
        assert row["outdoor/rmse"] == pytest.approx(
            error[batch.condition[:, :1] < 0].square().mean().sqrt().item(), rel=1e-4
        )
        assert row["loss"] > 0
    assert "part all" in found.protocol
    assert stage.best_metric in found.per_example["0_0"]


def test_parts_must_fit(source: RepeatedTargets) -> None:
    parts = regression_parts(source)
    with pytest.raises(ConfigError, match="encoding and the scale"):
        RegressionStage(replace(parts, record=replace(parts.record, scale="thresholded")))
    with pytest.raises(InputError, match="components of a model must fit"):
        RegressionStage(replace(parts, network=build_radio_unet(REGRESSION, in_channels=5)))
