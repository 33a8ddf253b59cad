"""Predictions: their shapes, what they depend on, what they cost, what they refuse."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from prediction_cases import Calls, Oracle, conditions, seeded
from radiodiff.diffusion.config import DiffusionConfig, PredictionType
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.encoding import Channel, Encoding, path_loss_channel
from radiodiff.errors import CheckpointError, ConfigError, InputError
from radiodiff.pipeline.base import RadioMapPipeline
from radiodiff.pipeline.config import PredictConfig
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.measurements import Measurements
from radiodiff.pipeline.prediction import padded
from tiny_pipelines import SCENE_NAMES, tiny_diffusion, tiny_regression

ROUNDING = 2e-5
"""Kernels add up in another order for batches of other sizes; untrained networks carry that on."""


@pytest.fixture
def diffusion() -> RadioDiffPipeline:
    return tiny_diffusion()


@pytest.mark.parametrize("shape", [(32, 32), (24, 40), (29, 31), (8, 8)])
@pytest.mark.parametrize("make", [tiny_diffusion, tiny_regression])
def test_maps_have_the_size_of_their_condition(make: Any, shape: tuple[int, int]) -> None:
    pipeline: RadioMapPipeline = make()
    maps = pipeline.predict(conditions(2, *shape), seeded(0, 1), window="whole")
    assert maps.shape == (2, 1, 1, *shape)
    assert maps.dtype == torch.float32
    assert maps.abs().max() <= 1.0
    # Outside of inference mode they are tensors like any other.
    maps += 1.0


def test_a_map_is_padded_as_the_data_sets_do(diffusion: RadioDiffPipeline) -> None:
    small = conditions(1, 29, 27)
    by_hand = torch.full((1, 5, 32, 32), -1.0)
    by_hand[..., :29, :27] = small
    expected = diffusion.predict(by_hand, seeded(0))[..., :29, :27]
    assert torch.equal(diffusion.predict(small, seeded(0)), expected)


def test_far_away_lies_beside_a_map_of_distances() -> None:
    distance = Channel("distance_m", 0.0, 128.0)
    encoding = Encoding((Channel("transmittance_db", 0.0, 40.0), distance), path_loss_channel())
    found = padded(torch.zeros(1, 2, 3, 3), (4, 5), encoding)
    assert (found[0, 0, 3] == -1.0).all()
    assert (found[0, 1, :, 3:] == 1.0).all()
    assert (found[..., :3, :3] == 0.0).all()


def test_one_condition_pass_and_n_evaluations(diffusion: RadioDiffPipeline) -> None:
    backbone, unet, decoder = (
        Calls(m) for m in (diffusion.unet.backbone, diffusion.unet, diffusion.autoencoder.decoder)
    )
    for steps in (1, 2, 5):
        for calls in (backbone, unet, decoder):
            calls.rows.clear()
        diffusion.predict(conditions(2), seeded(0, 1), num_inference_steps=steps, num_draws=3)
        assert backbone.rows == [2]
        assert unet.rows == [6] * steps
        assert decoder.rows == [6]


def test_a_batch_bounds_what_goes_through_a_network(diffusion: RadioDiffPipeline) -> None:
    backbone, unet, decoder = (
        Calls(m) for m in (diffusion.unet.backbone, diffusion.unet, diffusion.autoencoder.decoder)
    )
    diffusion.predict(conditions(5), seeded(*range(5)), num_draws=3, batch_size=2)
    assert backbone.rows == [2, 2, 1]
    assert unet.rows == decoder.rows == [2, 2, 2, 2, 2, 2, 2, 1]


def test_many_draws_of_one_step_differ(diffusion: RadioDiffPipeline) -> None:
    draws = diffusion.predict(conditions(1), seeded(0), num_inference_steps=1, num_draws=4)[0]
    for first in range(4):
        for second in range(first):
            assert (draws[first] - draws[second]).abs().max() > 0.01


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("is_stochastic", [True, False])
def test_a_draw_does_not_depend_on_its_batch(diffusion: RadioDiffPipeline, steps: int, is_stochastic: bool) -> None:
    options: dict[str, Any] = {"num_inference_steps": steps, "is_stochastic": is_stochastic}
    together = diffusion.predict(conditions(3), seeded(4, 5, 6), num_draws=3, **options)
    for batch_size in (1, 2, 7):
        found = diffusion.predict(conditions(3), seeded(4, 5, 6), num_draws=3, batch_size=batch_size, **options)
        torch.testing.assert_close(found, together, rtol=0.0, atol=ROUNDING)
    alone = diffusion.predict(conditions(3)[1:2], seeded(5), num_draws=1, **options)
    torch.testing.assert_close(alone[0, 0], together[1, 0], rtol=0.0, atol=ROUNDING)
    more = diffusion.predict(conditions(3)[2:], seeded(6), num_draws=5, **options)
    torch.testing.assert_close(more[0, :3], together[2], rtol=0.0, atol=ROUNDING)


def test_the_same_seed_gives_the_same_bits(diffusion: RadioDiffPipeline) -> None:
    first = diffusion.predict(conditions(2), seeded(1, 2), num_inference_steps=2, num_draws=2)
    assert torch.equal(diffusion.predict(conditions(2), seeded(1, 2), num_inference_steps=2, num_draws=2), first)


def test_fresh_generators_give_other_draws_and_leave_the_global_one(diffusion: RadioDiffPipeline) -> None:
    before = torch.get_rng_state()
    assert not torch.equal(diffusion.predict(conditions(1)), diffusion.predict(conditions(1)))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_moves_on(diffusion: RadioDiffPipeline) -> None:
    generator = seeded(3)
    assert not torch.equal(diffusion.predict(conditions(1), generator), diffusion.predict(conditions(1), generator))


def test_both_samplers_share_a_single_step_and_no_more(diffusion: RadioDiffPipeline) -> None:
    for steps, is_same in ((1, True), (2, False)):
        drawn, straight = (
            diffusion.predict(conditions(1), seeded(0), num_inference_steps=steps, is_stochastic=choice)
            for choice in (True, False)
        )
        assert torch.equal(drawn, straight) == is_same


def test_the_record_holds_the_defaults() -> None:
    pipeline = tiny_diffusion(num_inference_steps=2, is_stochastic=False)
    unet = Calls(pipeline.unet)
    found = pipeline.predict(conditions(1), seeded(0))
    assert len(unet.rows) == 2
    assert torch.equal(found, pipeline.predict(conditions(1), seeded(0), num_inference_steps=2, is_stochastic=False))


@pytest.mark.parametrize("prediction_type", ["pred_KC", "pred_x0", "pred_noise", "pred_v"])
@pytest.mark.parametrize("initial_noise", ["normal", "uniform"])
def test_every_process_can_be_sampled(prediction_type: PredictionType, initial_noise: Any) -> None:
    settings = DiffusionConfig(prediction_type=prediction_type, initial_noise=initial_noise)
    pipeline = tiny_diffusion(diffusion=settings)
    maps = pipeline.predict(conditions(1), seeded(0), num_inference_steps=2)
    assert maps.shape == (1, 1, 1, 32, 32)


@pytest.mark.parametrize("steps", [1, 4])
def test_latents_are_scaled_back_before_they_are_decoded(diffusion: RadioDiffPipeline, steps: int) -> None:
    latents = torch.randn((1, 3, 8, 8), generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        expected = diffusion.autoencoder.decode(latents).sample.clamp(-1, 1)
    scale = diffusion.autoencoder.config.scaling_factor
    assert scale == 0.5
    # A pipeline of the same parts takes anything for its network.
    diffusion.__dict__["unet"] = Oracle(diffusion, latents * scale)
    found = diffusion.predict(conditions(1), seeded(0), num_inference_steps=steps)
    torch.testing.assert_close(found[:, 0], expected, rtol=0.0, atol=1e-5)


def test_networks_are_in_eval_mode_meanwhile_and_as_before_afterwards(diffusion: RadioDiffPipeline) -> None:
    diffusion.unet.train()
    diffusion.autoencoder.encoder.train()
    diffusion.autoencoder.decoder.eval()
    modes: list[bool] = []
    diffusion.unet.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    diffusion.predict(conditions(1), seeded(0))
    assert modes == [False]
    assert all(module.training for module in diffusion.unet.modules())
    assert diffusion.autoencoder.encoder.training
    assert not any(module.training for module in diffusion.autoencoder.decoder.modules())


def test_a_mode_is_restored_after_an_error(diffusion: RadioDiffPipeline) -> None:
    diffusion.unet.train()
    diffusion.unet.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        diffusion.predict(conditions(1), seeded(0))
    assert diffusion.unet.training


def test_no_gradients_are_kept(diffusion: RadioDiffPipeline) -> None:
    assert not diffusion.predict(conditions(1).requires_grad_(True), seeded(0)).requires_grad


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("make", [tiny_diffusion, tiny_regression])
def test_half_precision_comes_near_to_single(make: Any, dtype: torch.dtype) -> None:
    pipeline: RadioMapPipeline = make()
    full = pipeline.predict(conditions(1), seeded(0))
    for network in pipeline.networks.values():
        nn.Module.to(network, dtype)
    half = pipeline.predict(conditions(1), seeded(0))
    assert half.dtype == torch.float32
    # Eight bits of a bfloat16 are 0.4 % of a number; some layers add up.
    assert (half - full).abs().mean() < (0.03 if dtype == torch.bfloat16 else 0.004)


def test_channels_last_changes_rounding_alone(diffusion: RadioDiffPipeline) -> None:
    before = diffusion.predict(conditions(1), seeded(0))
    assert diffusion.prepare(channels_last=True) is diffusion
    assert diffusion.unet.entry.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(diffusion.predict(conditions(1), seeded(0)), before, rtol=0.0, atol=1e-4)


def test_compiled_networks_are_used_and_saved_as_they_were(
    tmp_path: Path, diffusion: RadioDiffPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another compiler, which takes no time: see the slow test for the real one."""
    compiled: list[str] = []
    original = torch.compile
    monkeypatch.setattr(torch, "compile", partial(original, backend="eager"))
    monkeypatch.setattr(
        nn.Module, "compile", lambda self: (compiled.append(type(self).__name__), self.__setattr__("_compiled", True))
    )
    before = diffusion.predict(conditions(2), seeded(0, 1), num_draws=2)
    assert diffusion.prepare(compile=True) is diffusion
    assert sorted(compiled) == ["ConditionalUnet", "Decoder"]
    torch.testing.assert_close(
        diffusion.predict(conditions(2), seeded(0, 1), num_draws=2), before, rtol=0.0, atol=ROUNDING
    )
    diffusion.save_pretrained(tmp_path / "model")
    found = RadioDiffPipeline.from_pretrained(tmp_path / "model")
    assert torch.equal(found.predict(conditions(2), seeded(0, 1), num_draws=2), before)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_a_compiled_network_gives_the_same_map() -> None:
    pipeline = tiny_regression()
    before = pipeline.predict(conditions(1))
    found = pipeline.prepare(compile=True).predict(conditions(1))
    torch.testing.assert_close(found, before, rtol=0.0, atol=1e-5)


def test_maps_that_are_not_finite_are_refused(diffusion: RadioDiffPipeline) -> None:
    with torch.no_grad():
        diffusion.autoencoder.decoder.conv_out.bias.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="Maps of a model must be finite; got 1024 of 1024 cells are not"):
        diffusion.predict(conditions(1), seeded(0))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"num_inference_steps": 0}, "^num_inference_steps must be greater than or equal to 1; got 0"),
        ({"num_draws": 0}, "^num_draws must be greater than or equal to 1; got 0"),
        ({"num_draws": 2.5}, "^num_draws must be"),
        ({"num_draws": "2"}, "^num_draws must be a valid integer; got '2'"),
        ({"num_draws": True}, "^num_draws must be"),
        ({"is_stochastic": "no"}, "^is_stochastic must be"),
        ({"overlap": "0.25"}, "^overlap must be"),
        ({"window": ("64", "64")}, "^window must be"),
        ({"batch_size": 0}, "^batch_size must be greater than or equal to 1"),
        ({"overlap": 0.9}, "^overlap must be"),
        ({"overlap": 0.0}, "^overlap must be"),
        ({"window": "large"}, "^window must be"),
        ({"guidance_steps": -1}, "^guidance_steps must be"),
        ({"num_steps": 5}, "There is no key num_steps; got 5. Did you mean"),
    ],
)
def test_options_that_are_not_allowed_are_named(
    diffusion: RadioDiffPipeline, options: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigError, match=fault):
        diffusion.predict(conditions(1), seeded(0), **options)


def test_more_steps_than_the_process_has_are_refused(diffusion: RadioDiffPipeline) -> None:
    with pytest.raises(InputError, match="num_inference_steps must be a whole number from 1 to 10000"):
        diffusion.predict(conditions(1), seeded(0), num_inference_steps=10_001)


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (
            torch.zeros(1, 4, 32, 32),
            r"must be \(B, 5, rows, cols\): buildings, transmitter, cars.*shape \(1, 4, 32, 32\)",
        ),
        (torch.zeros(5, 32, 32), r"got shape \(5, 32, 32\)"),
        (torch.zeros(0, 5, 32, 32), r"got shape \(0, 5, 32, 32\)"),
        (torch.full((1, 5, 32, 32), float("nan")), "A condition must be finite; got 5120 values that are not"),
    ],
)
def test_conditions_of_other_models_are_refused(diffusion: RadioDiffPipeline, condition: Tensor, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        diffusion.predict(condition, seeded(0))


def test_there_is_a_generator_for_each_map(diffusion: RadioDiffPipeline) -> None:
    rule = r"Generators must be a list of torch\.Generator, one for each map; got "
    for generators, given in (
        (seeded(0), "1 for 2 maps"),
        (seeded(0)[0], "one, not in a list"),
        ([3, 4], r"3 \(int\)"),
    ):
        with pytest.raises(InputError, match=rule + given):
            diffusion.predict(conditions(2), generators)  # type: ignore[arg-type]


def test_what_is_no_condition_and_no_list_of_points_is_named(diffusion: RadioDiffPipeline) -> None:
    with pytest.raises(InputError, match="A condition must be a tensor; got a ndarray"):
        diffusion.predict(conditions(1).numpy())  # type: ignore[arg-type]
    points = Measurements(np.array([[3, 4]]), np.array([80.0]))
    with pytest.raises(
        InputError, match=r"Measurements must be given for each map.*got one, not in a list, for 1 maps"
    ):
        diffusion.predict(conditions(1), measurements=points)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"must be radiodiff\.Measurements, or None; got a float"):
        diffusion.predict(conditions(1), measurements=[80.0])  # type: ignore[list-item]


@pytest.mark.parametrize("options", [{"num_draws": 2}, {"num_inference_steps": 5}])
def test_a_regression_has_no_draws_and_no_steps(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="of a regression model must be 1: it has no randomness and no steps"):
        tiny_regression().predict(conditions(1), **options)


def test_a_regression_is_one_evaluation_of_its_network() -> None:
    pipeline = tiny_regression()
    calls = Calls(pipeline.network)
    found = pipeline.predict(conditions(5), batch_size=2)
    assert calls.rows == [2, 2, 1]
    with torch.no_grad():
        expected = pipeline.network.eval()(conditions(5)).clamp(-1, 1)
    torch.testing.assert_close(found[:, 0], expected, rtol=0.0, atol=1e-5)


def test_the_scheduler_of_the_pipeline_is_left_as_it_is(diffusion: RadioDiffPipeline) -> None:
    assert isinstance(diffusion.scheduler, DecoupledScheduler)
    diffusion.predict(conditions(1), seeded(0), num_inference_steps=3, is_stochastic=False)
    assert diffusion.scheduler.num_inference_steps is None
    assert diffusion.scheduler.is_stochastic


def test_the_options_and_their_types_are_the_same_keys() -> None:
    from radiodiff.pipeline.config import PredictOptions

    assert set(PredictOptions.__annotations__) == set(PredictConfig.model_fields)
    assert len(SCENE_NAMES) == 5
