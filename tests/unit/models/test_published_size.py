"""Parameters of the published second stage, part by part (docs/radiodiff-method.md, section 4)."""

import pytest
import torch

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.models.published_size import PUBLISHED_TOTAL, main, size_table
from radiodiff.models.unet import ConditionalUnet
from radiodiff.models.unet_config import UnetConfig


def published() -> ConditionalUnet:
    """The default settings, without memory for the weights."""
    diffusion = DiffusionConfig().model_dump(mode="json", include={"prediction_type", "preconditioning"})
    with torch.device("meta"):
        return ConditionalUnet(3, 3, 4, UnetConfig().model_dump(mode="json"), diffusion)


def test_the_table_is_that_of_the_published_and_of_our_network() -> None:
    network = published()
    *parts, total = size_table(network)
    assert total.published == PUBLISHED_TOTAL == 224_869_496
    assert total.ours == sum(p.numel() for p in network.parameters()) == 223_846_206
    assert {row.part for row in parts if row.published != row.ours} == {row.part for row in parts if row.reason}
    assert next(row.published for row in parts if row.part == "backbone") == 87_768_224


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split() == ["total", "224,869,496", "223,846,206", "-1,023,290"]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["backbone", "projections", "entry"]


def test_each_difference_is_explained_to_the_number() -> None:
    differences = {row.part: row.ours - row.published for row in size_table(published())}
    assert differences["backbone"] == -1_025_000 - 2_048 + 3_840
    assert differences["time"] == -64
    assert differences["five channels to three"] == -18
    assert differences["total"] == -1_023_290
