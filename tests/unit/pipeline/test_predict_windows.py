"""Predictions of maps larger than those of the training."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from prediction_cases import Calls, Oracle, conditions, seeded
from radiodiff.errors import ConfigError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from tiny_pipelines import tiny_diffusion, tiny_regression


@pytest.fixture
def diffusion() -> RadioDiffPipeline:
    return tiny_diffusion()


def test_large_maps_go_through_in_windows_of_the_training(diffusion: RadioDiffPipeline) -> None:
    calls = Calls(diffusion.unet)
    shapes = []
    diffusion.unet.register_forward_pre_hook(lambda _, arguments: shapes.append(arguments[0].shape[2:]))
    maps = diffusion.predict(conditions(1, 70, 45), seeded(0), num_inference_steps=2, num_draws=2, batch_size=5)
    assert maps.shape == (1, 2, 1, 70, 45)
    assert set(shapes) == {(8, 8)}
    # 72 rows in 3 windows of 32, 48 columns in 2.
    assert calls.rows == [5, 5, 2] * 2


def test_the_condition_of_each_window_is_encoded_once(diffusion: RadioDiffPipeline) -> None:
    calls = Calls(diffusion.unet.backbone)
    diffusion.predict(
        conditions(2, 32, 56), seeded(0, 1), num_inference_steps=3, num_draws=4, batch_size=3, overlap=0.25
    )
    assert calls.rows == [2, 2]


def test_the_training_size_is_no_large_map(diffusion: RadioDiffPipeline) -> None:
    calls = Calls(diffusion.unet)
    diffusion.predict(conditions(1, 32, 32), seeded(0))
    assert calls.rows == [1]


def test_whole_cuts_nothing(diffusion: RadioDiffPipeline) -> None:
    calls = Calls(diffusion.unet)
    diffusion.predict(conditions(1, 64, 64), seeded(0), window="whole")
    assert calls.rows == [1]


def test_where_nobody_knows_the_training_size_nothing_is_cut() -> None:
    pipeline = tiny_diffusion(map_shape=None)
    calls = Calls(pipeline.unet)
    pipeline.predict(conditions(1, 64, 64), seeded(0))
    assert calls.rows == [1]


@pytest.mark.parametrize("window", [16, (16, 24)])
def test_a_window_may_be_given(diffusion: RadioDiffPipeline, window: Any) -> None:
    shapes = []
    diffusion.unet.register_forward_pre_hook(lambda _, arguments: shapes.append(tuple(arguments[0].shape[2:])))
    diffusion.predict(conditions(1), seeded(0), window=window)
    assert set(shapes) == {(4, 4) if window == 16 else (4, 6)}


def test_a_window_must_be_a_multiple(diffusion: RadioDiffPipeline) -> None:
    with pytest.raises(ConfigError, match=r"must be multiples of 8 cells; got 20 x 20\. Take 24 x 24"):
        diffusion.predict(conditions(1), seeded(0), window=20)


@pytest.mark.parametrize("make", [tiny_diffusion, tiny_regression])
def test_a_model_that_does_not_see_the_distance_refuses_windows(make: Any) -> None:
    pipeline: RadioMapPipeline = make(("buildings", "transmitter", "cars", "los_mask", "turning_angle_deg"))
    with pytest.raises(ConfigError, match=r"how far the transmitter is.*Set window to \"whole\""):
        pipeline.predict(conditions(1, 64, 64), seeded(0))
    pipeline.predict(conditions(1, 32, 32), seeded(0))
    pipeline.predict(conditions(1, 64, 64), seeded(0), window="whole")


def test_all_windows_share_one_noise(diffusion: RadioDiffPipeline) -> None:
    """An oracle of the noise alone, whose decoded map shows the noise: windows and the whole agree."""
    latents = torch.zeros(1, 3, 1, 1)

    class Passes(Oracle):
        def forward(self, noisy: Tensor, t: Tensor, features: Sequence[Tensor]) -> Tensor:
            return torch.cat([noisy * 0.1, noisy * 0.5], dim=1)

    diffusion.__dict__["unet"] = Passes(diffusion, latents)
    seen: list[Tensor] = []
    diffusion._decode = (
        lambda latents, plan, batch_size: (  # type: ignore[method-assign]
            seen.append(latents.clone()),
            latents[:, :1].repeat_interleave(4, 2).repeat_interleave(4, 3),
        )[1]
    )
    for window in ("auto", "whole"):
        diffusion.predict(conditions(1, 72, 48), seeded(7), num_inference_steps=3, window=window)
    torch.testing.assert_close(seen[0], seen[1], rtol=0.0, atol=1e-6)


def test_a_local_network_gives_the_same_map_in_windows() -> None:
    """One that looks at neighbours only: what a window sees differently lies where its weight is 0."""
    pipeline = tiny_regression()
    local = nn.Conv2d(5, 1, 5, padding=2)
    nn.init.normal_(local.weight, std=0.05, generator=torch.Generator().manual_seed(0))

    class Local(nn.Module):
        dtype = torch.float32
        device = torch.device("cpu")
        config = pipeline.network.config
        size_multiple = 2

        def forward(self, condition: Tensor) -> Tensor:
            found: Tensor = local(condition)
            return found

    pipeline.__dict__["network"] = Local()
    condition = conditions(1, 70, 50)
    whole = pipeline.predict(condition, window="whole")
    windows = pipeline.predict(condition, overlap=0.5)
    torch.testing.assert_close(windows, whole, rtol=0.0, atol=1e-6)


def test_seams_are_no_larger_than_other_steps(diffusion: RadioDiffPipeline) -> None:
    """The gradient of a map across the borders of windows is that of any other place."""
    maps = diffusion.predict(conditions(1, 32, 120), seeded(0), num_draws=8, window=(32, 32))[0, :, 0]
    steps = (maps[:, :, 1:] - maps[:, :, :-1]).abs().mean(dim=(0, 1))
    plan_starts = [22, 44, 66, 88]
    borders = [edge for start in plan_starts for edge in (start - 1, start + 31) if 0 < edge < 119]
    others = [place for place in range(119) if place not in borders]
    assert steps[borders].mean() < 1.5 * steps[others].mean()
