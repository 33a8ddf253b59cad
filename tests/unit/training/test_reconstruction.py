"""Figures of reconstructions."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from radiodiff.data.example import Example
from radiodiff.data.loader import Batch, BatchLoader
from radiodiff.encoding import CHANNELS, Channel, Encoding, path_loss_channel
from radiodiff.errors import InputError, TrainingError
from radiodiff.metrics import compare_grey_maps
from radiodiff.training.reconstructed_maps import draw_maps, reconstructed_maps
from radiodiff.training.reconstruction import evaluate_reconstruction

TARGET = path_loss_channel("raw")
ROOMS = (Channel("reflectance_db", 0.0, 40.0), Channel("distance_m", 0.0, 128.0))


class Maps:
    """Examples of 16 x 24 cells, of which 12 x 20 are content; the padding is -1."""

    def __init__(
        self,
        encoding: Encoding,
        *,
        channels: int = 1,
        names: tuple[str, ...] = ("0_0", "0_1", "1_0"),
        target: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> None:
        self.mask = mask
        self.encoding, self.scale, self.names = encoding, "raw", names
        random = np.random.default_rng(7)
        self.targets = np.full((len(names), channels, 16, 24), -1.0, dtype=np.float32)
        self.targets[:, :, :12, :20] = random.uniform(-1, 1, (len(names), channels, 12, 20))
        if target is not None:
            self.targets[:, :, :12, :20] = target
        self.conditions = np.where(random.random((len(names), len(encoding.condition), 16, 24)) < 0.3, 1.0, -1.0)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: object) -> Example:
        number = index[0] if isinstance(index, tuple) else index
        return Example(
            target=self.targets[number],
            condition=self.conditions[number].astype(np.float32),
            tx=(0, 0),
            map_id=0,
            tx_id=number,
            name=self.names[number],
            content=(12, 20),
            mask=None if self.mask is None else self.mask[number],
        )

    def batches(self) -> Iterator[Batch]:
        yield from BatchLoader(self, 2, threads=0)


def outdoor_maps(**changes: object) -> Maps:
    return Maps(Encoding((TARGET, CHANNELS["buildings"]), TARGET), **changes)


def brighter(batch: Batch) -> torch.Tensor:
    """0.1 above in g on the map; nonsense beside it."""
    reconstruction = batch.target + 0.2
    reconstruction[:, :, 12:] = 5.0
    return reconstruction


def test_figures_are_those_of_the_levels_without_padding() -> None:
    maps = outdoor_maps()
    report = evaluate_reconstruction(brighter, maps.batches(), part="test")
    assert list(report.per_example) == ["0_0", "0_1", "1_0"]
    for number, row in enumerate(report.per_example.values()):
        truth = (maps.targets[number, 0, :12, :20].astype(np.float64) + 1) / 2
        prediction = np.minimum((maps.targets[number, 0, :12, :20] + np.float32(0.2)).astype(np.float64) / 2 + 0.5, 1.0)
        outdoors = maps.conditions[number, 1, :12, :20] < 0
        expected = compare_grey_maps(prediction, truth, span_db=99.16)
        expected |= {
            f"outdoor/{name}": value
            for name, value in compare_grey_maps(prediction, truth, outdoors, span_db=99.16).items()
        }
        assert row == pytest.approx(expected, rel=1e-9)
    for name, mean in report.means.items():
        assert mean == pytest.approx(np.mean([row[name] for row in report.per_example.values()]))
    assert report.means["rmse"] < 0.1 < report.means["rmse"] * 1.1


def test_pooled_figures_are_those_of_all_cells_together() -> None:
    maps = outdoor_maps()
    maps.targets[0] = -1.0
    report = evaluate_reconstruction(brighter, maps.batches())
    levels = (maps.targets[:, 0, :12, :20].astype(np.float64) + 1) / 2
    errors = np.minimum(levels + 0.1, 1.0) - levels
    outdoors = maps.conditions[:, 1, :12, :20] < 0
    assert report.pooled == pytest.approx(
        {
            "mse": (errors**2).mean(),
            "mae": errors.mean(),
            "rmse": math.sqrt((errors**2).mean()),
            "nmse": (errors**2).sum() / (levels**2).sum(),
            "outdoor/mse": (errors[outdoors] ** 2).mean(),
            "outdoor/mae": errors[outdoors].mean(),
            "outdoor/rmse": math.sqrt((errors[outdoors] ** 2).mean()),
            "outdoor/nmse": (errors[outdoors] ** 2).sum() / (levels[outdoors] ** 2).sum(),
        },
        rel=1e-6,
    )
    assert (report.num_cells, report.num_outdoor_cells) == (3 * 240, outdoors.sum())
    # A map of zeros has no normalised error; the mean says of how many maps it is not.
    assert report.means["undefined/nmse"] == 1
    assert "nmse" not in report.per_example["0_0"]
    assert report.means["nmse"] == pytest.approx(np.mean([report.per_example[name]["nmse"] for name in ("0_1", "1_0")]))


def masks(share: float = 0.6) -> np.ndarray:
    """Cells that count, of three maps: some, some and none."""
    found = np.random.default_rng(3).random((3, 1, 16, 24)) < share
    found[2] = False
    return found


def test_cells_that_do_not_count_are_in_no_figure() -> None:
    maps = outdoor_maps(mask=masks())
    report = evaluate_reconstruction(brighter, maps.batches(), part="test")
    levels = (maps.targets[:, 0, :12, :20].astype(np.float64) + 1) / 2
    predictions = np.minimum((maps.targets[:, 0, :12, :20] + np.float32(0.2)).astype(np.float64) / 2 + 0.5, 1.0)
    counting, outdoors = maps.mask[:, 0, :12, :20], maps.conditions[:, 1, :12, :20] < 0
    for number, name in enumerate(("0_0", "0_1")):
        cells = {"": counting[number], "outdoor/": counting[number] & outdoors[number]}
        expected = {
            f"{prefix}{figure}": value
            for prefix, mask in cells.items()
            for figure, value in compare_grey_maps(predictions[number], levels[number], mask, span_db=99.16).items()
        }
        assert report.per_example[name] == pytest.approx(expected, rel=1e-9)
    assert report.per_example["1_0"] == {}
    assert report.means["undefined/rmse"] == 1
    errors = (predictions - levels)[counting]
    assert report.pooled["rmse"] == pytest.approx(math.sqrt((errors**2).mean()), rel=1e-9)
    assert (report.num_cells, report.num_outdoor_cells) == (counting.sum(), (counting & outdoors).sum())
    assert "cells of the data set's mask, without padding" in report.protocol
    assert "all cells" not in report.protocol


def test_what_does_not_count_may_be_anything() -> None:
    def elsewhere(batch: Batch) -> torch.Tensor:
        assert batch.mask is not None
        return torch.where(batch.mask, batch.target + 0.2, -0.7)

    maps = Maps(Encoding((TARGET,), TARGET), mask=masks())
    found, expected = (evaluate_reconstruction(made, maps.batches()) for made in (elsewhere, brighter))
    assert found.pooled == expected.pooled
    for name in ("rmse", "rmse_db", "mae", "psnr", "brightest_point_distance", "sharpness_ratio"):
        assert found.means[name] == expected.means[name]


def test_maps_without_a_cell_that_counts_have_no_figures(tmp_path: Path) -> None:
    maps = outdoor_maps(mask=masks(share=0.0))
    report = evaluate_reconstruction(brighter, maps.batches(), num_previews=1)
    assert (report.pooled, report.means, report.num_cells) == ({}, {}, 0)
    assert draw_maps(report.previews, tmp_path / "preview.png").is_file()


def test_cells_of_several_channels_are_counted_once() -> None:
    maps = Maps(Encoding(ROOMS, Channel("building_encoded", -1.0, 1.0)), channels=2)
    report = evaluate_reconstruction(brighter, maps.batches())
    assert report.num_cells == 3 * 240
    levels = (maps.targets[..., :12, :20].astype(np.float64) + 1) / 2
    assert report.pooled["mae"] == pytest.approx((np.minimum(levels + 0.1, 1.0) - levels).mean(), rel=1e-6)


def test_incomplete_buildings_are_no_outdoors() -> None:
    report = evaluate_reconstruction(brighter, outdoor_maps().batches(), shows_all_buildings=False)
    assert not any(name.startswith("outdoor/") for name in (*report.means, *report.pooled))
    assert report.num_outdoor_cells is None
    assert "outdoor" not in report.protocol


def test_the_protocol_says_how() -> None:
    report = evaluate_reconstruction(brighter, outdoor_maps().batches(), part="test")
    for said in (
        "part test",
        "raw scale",
        "clipped to [0, 1]",
        "figures of each map, then their mean",
        "all cells without padding",
        "outdoor: cells outside buildings",
        "path_loss_db: g = 0..1 is 99.16 dB",
    ):
        assert said in report.protocol


def test_without_buildings_there_is_no_outdoors() -> None:
    report = evaluate_reconstruction(brighter, Maps(Encoding((TARGET,), TARGET)).batches())
    assert not any(name.startswith("outdoor/") for name in (*report.means, *report.pooled))
    assert report.num_outdoor_cells is None
    assert "outdoor" not in report.protocol


def test_a_map_full_of_buildings_has_no_outdoor_figures() -> None:
    maps = outdoor_maps()
    maps.conditions[1] = 1.0
    report = evaluate_reconstruction(brighter, maps.batches())
    assert "outdoor/rmse" not in report.per_example["0_1"]
    assert report.means["undefined/outdoor/rmse"] == 1
    maps.conditions[:] = 1.0
    assert evaluate_reconstruction(brighter, maps.batches()).num_outdoor_cells is None


def test_figures_of_several_channels_are_means_and_named() -> None:
    encoding = Encoding(ROOMS, Channel("building_encoded", -1.0, 1.0))
    maps = Maps(encoding, channels=2)

    def reconstruct(batch: Batch) -> torch.Tensor:
        return batch.target * torch.tensor([0.9, 0.5])[:, None, None]

    report = evaluate_reconstruction(reconstruct, maps.batches())
    row = report.per_example["1_0"]
    assert row["rmse"] == pytest.approx((row["reflectance_db/rmse"] + row["distance_m/rmse"]) / 2)
    assert row["reflectance_db/rmse"] < row["distance_m/rmse"]
    assert row["reflectance_db/rmse_db"] == pytest.approx(40.0 * row["reflectance_db/rmse"])
    # Metres are no decibels: there is no mean of both.
    assert "distance_m/rmse_db" not in row
    assert "rmse_db" not in row
    assert "mean over 2 channels, then over maps" in report.protocol


def test_a_figure_that_a_channel_lacks_has_no_mean_over_channels() -> None:
    maps = Maps(Encoding(ROOMS, Channel("building_encoded", -1.0, 1.0)), channels=2)
    maps.targets[:, 0] = -1.0
    row = evaluate_reconstruction(brighter, maps.batches()).per_example["0_0"]
    assert "distance_m/nmse" in row
    assert "reflectance_db/nmse" not in row
    assert "nmse" not in row


def test_examples_of_one_name_are_kept_apart() -> None:
    maps = outdoor_maps(names=("B1", "B1", "B1"))
    assert list(evaluate_reconstruction(brighter, maps.batches()).per_example) == ["B1", "B1_2", "B1_3"]


def test_previews_are_the_first_maps_and_can_be_drawn(tmp_path: Path) -> None:
    report = evaluate_reconstruction(brighter, outdoor_maps().batches(), num_previews=2)
    assert [found.name for found in report.previews] == ["0_0", "0_1"]
    path = draw_maps(report.previews, tmp_path / "preview.png")
    with Image.open(path) as image:
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 50
    assert evaluate_reconstruction(brighter, outdoor_maps().batches()).previews == ()


def test_pictures_show_physical_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows: list = []
    monkeypatch.setattr(
        "radiodiff.training.reconstructed_maps.draw_reconstructions", lambda found, path: rows.extend(found)
    )
    encoding = Encoding(ROOMS, Channel("building_encoded", -1.0, 1.0))
    draw_maps(list(reconstructed_maps(brighter, Maps(encoding, channels=2, target=0.0).batches())), tmp_path / "a.png")
    draw_maps(list(reconstructed_maps(brighter, outdoor_maps(target=0.0).batches())), tmp_path / "a.png")
    assert [row.title for row in rows[:2]] == ["0_0, reflectance_db", "0_0, distance_m"]
    assert [row.label for row in rows[1::6]] == ["distance [m]", "path loss [dB]"]
    assert (rows[0].dark, rows[0].bright, rows[0].truth[0, 0]) == (0.0, 40.0, 20.0)
    assert rows[0].prediction[0, 0] == pytest.approx(24.0)
    assert rows[6].truth[0, 0] == pytest.approx((147.0 + 47.84) / 2)
    assert rows[0].rmse == pytest.approx(0.1)
    masked = list(reconstructed_maps(brighter, outdoor_maps(mask=masks()).batches()))
    rows.clear()
    draw_maps(masked, tmp_path / "a.png")
    assert [row.rmse for row in rows] == [pytest.approx(masked[0].figures()["rmse"]), rows[1].rmse, None]


def test_reconstructions_that_cannot_be_compared() -> None:
    with pytest.raises(TrainingError, match="shape of its target"):
        evaluate_reconstruction(lambda batch: batch.target[..., 1:], outdoor_maps().batches())
    with pytest.raises(TrainingError, match=r"must be finite.*not so for 0_0"):
        evaluate_reconstruction(lambda batch: batch.target * math.nan, outdoor_maps().batches())
    with pytest.raises(InputError, match="at least one map"):
        evaluate_reconstruction(brighter, [])
