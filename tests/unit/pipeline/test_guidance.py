"""Predictions pulled towards measured points: what theory says of the correction, and what becomes of draws."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from radiodiff.diffusion.noise import draw_generators
from radiodiff.encoding import Channel, Encoding
from radiodiff.errors import InputError
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.guidance import Guide, PointField
from radiodiff.pipeline.measurements import Measurements
from tiny_pipelines import tiny_diffusion, tiny_encoding, tiny_regression

SIZE = 16
CELLS = np.array([[3, 3], [4, 11], [12, 6]])
OFFSET = 100.0
DB = Encoding((), Channel("path_loss_db", OFFSET + 1.0, OFFSET - 1.0))
"""Maps in which 1 is a decibel less than 100 dB: values need no factor."""


def field_of(
    values: Any, *, correlation: float = 5.0, noise: float = 0.0, indoors: Any = None, num_draws: int = 1, seed: int = 0
) -> PointField:
    """Points that want these encoded values."""
    points = Measurements(CELLS, OFFSET - np.asarray(values, dtype=float), noise, correlation)
    free = torch.ones(SIZE, SIZE, dtype=torch.bool) if indoors is None else ~indoors
    return PointField(points, DB, free, draw_generators(torch.Generator().manual_seed(seed), num_draws))


def covariance(first: np.ndarray, second: np.ndarray, correlation: float) -> np.ndarray:
    distance = np.linalg.norm(first[:, None].astype(float) - second[None], axis=-1)
    return np.asarray(np.exp(-distance / correlation))


GRID_CELLS = np.argwhere(np.ones((SIZE, SIZE)))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_correction_is_the_conditional_mean(noise: float) -> None:
    """Rasmussen and Williams (2006), equation 2.25, with the variance of the residuals beyond the noise."""
    wanted = np.array([0.3, -0.2, 0.25])
    maps = torch.zeros(1, 1, SIZE, SIZE)
    prior = np.mean(wanted**2) - noise**2
    within = prior * covariance(CELLS, CELLS, 5.0) + noise**2 * np.eye(3)
    mean = prior * covariance(GRID_CELLS, CELLS, 5.0) @ np.linalg.solve(within, wanted)
    found = field_of(wanted, noise=noise).correction(maps)
    np.testing.assert_allclose(found[0, 0].flatten(), mean, atol=2e-6)


def test_what_is_left_is_the_kriging_variance() -> None:
    """Fields drawn from the law itself: the error that is left at each cell is known in closed form."""
    number = 400
    full = covariance(GRID_CELLS, GRID_CELLS, 5.0)
    drawn = np.random.default_rng(0).standard_normal((number, len(full))) @ np.linalg.cholesky(full).T * 0.1
    fields = torch.from_numpy(drawn.reshape(number, 1, SIZE, SIZE)).float()
    left = torch.cat(
        [
            one - field_of(one[0, CELLS[:, 0], CELLS[:, 1]].numpy()).correction(torch.zeros(1, 1, SIZE, SIZE))[0]
            for one in fields
        ]
    )
    across = covariance(GRID_CELLS, CELLS, 5.0)
    within = covariance(CELLS, CELLS, 5.0)
    variance = 0.01 * (1.0 - np.einsum("ij,ji->i", across, np.linalg.solve(within, across.T)))
    measured = left.reshape(number, -1).square().mean(0).numpy()
    np.testing.assert_allclose(measured, variance, atol=4 * 0.01 * (2 / number) ** 0.5)
    np.testing.assert_allclose(measured.mean(), variance.mean(), rtol=0.05)


def test_draws_of_the_prior_become_draws_of_the_posterior() -> None:
    """Matheron's rule, against the posterior of a Gaussian field in closed form.

    Source: Journel and Huijbregts (1978), "Mining Geostatistics" (conditional simulation).
    """
    number, noise, prior = 3000, 0.03, 0.1
    full = covariance(GRID_CELLS, GRID_CELLS, 5.0) * prior**2
    random = np.random.default_rng(1)
    drawn = random.standard_normal((number, len(full))) @ np.linalg.cholesky(full).T
    maps = torch.from_numpy(drawn.reshape(number, 1, SIZE, SIZE)).float()
    wanted = np.array([0.15, -0.1, 0.12])
    field = field_of(wanted, noise=noise, num_draws=number)
    # The law's own variance, in place of what is estimated of each map.
    weights = field._weights(field.residual(maps, field.errors), noise**2 / prior**2)
    found = (maps[:, 0] + field._spread(weights)).reshape(number, -1).numpy()
    across = covariance(GRID_CELLS, CELLS, 5.0) * prior**2
    within = covariance(CELLS, CELLS, 5.0) * prior**2 + noise**2 * np.eye(3)
    np.testing.assert_allclose(found.mean(0), across @ np.linalg.solve(within, wanted), atol=4 * prior / number**0.5)
    variance = prior**2 - np.einsum("ij,ji->i", across, np.linalg.solve(within, across.T))
    np.testing.assert_allclose(found.var(0), variance, rtol=4 * (2 / number) ** 0.5)


def test_a_single_draw_believes_the_values() -> None:
    assert (field_of([0.3, -0.2, 0.25], noise=0.05).errors == 0.0).all()
    several = field_of([0.3, -0.2, 0.25], noise=0.05, num_draws=3).errors
    more = field_of([0.3, -0.2, 0.25], noise=0.05, num_draws=4).errors
    assert torch.equal(more[:3], several)
    assert len(more.unique()) == 12
    assert (field_of([0.3, -0.2, 0.25], num_draws=3).errors == 0.0).all()


def test_a_map_that_agrees_stays_as_it_is() -> None:
    maps = torch.rand((2, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(0)) * 0.2
    values = maps[0, 0, CELLS[:, 0], CELLS[:, 1]].numpy()
    found = field_of(values, noise=0.01).correction(maps)
    assert found[0].abs().max() == 0.0
    assert found[1].abs().max() > 0.01


def test_what_the_measurement_may_be_wrong_by_is_not_corrected() -> None:
    maps = torch.zeros(1, 1, SIZE, SIZE)
    small = field_of([0.01, -0.01, 0.01], noise=0.05).correction(maps)
    assert small.abs().max() < 1e-3
    large = field_of([0.5, -0.5, 0.5], noise=0.05).correction(maps)
    np.testing.assert_allclose(large[0, 0, CELLS[:, 0], CELLS[:, 1]], [0.5, -0.5, 0.5], rtol=0.03)


def test_cells_indoors_are_left_alone() -> None:
    indoors = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    indoors[2:6, 2:12] = True
    field = field_of([0.3, 0.3, 0.3], indoors=indoors)
    found = field.correction(torch.zeros(1, 1, SIZE, SIZE))[0, 0]
    points = np.zeros((SIZE, SIZE), dtype=bool)
    points[CELLS[:, 0], CELLS[:, 1]] = True
    assert (found[indoors & ~torch.from_numpy(points)] == 0.0).all()
    # A point at the rim of a building, half a cell beside its image, counts all the same.
    np.testing.assert_allclose(found[points], 0.3, atol=1e-3)
    assert (found[~indoors] > 0.0).all()


def test_neighbouring_points_do_not_swing() -> None:
    cells = np.argwhere(np.ones((6, 6))) + 4
    points = Measurements(cells, OFFSET - 0.3 * np.ones(len(cells)), 0.0, 50.0)
    field = PointField(points, DB, torch.ones(SIZE, SIZE, dtype=torch.bool), [torch.Generator()])
    found = field.correction(torch.zeros(1, 1, SIZE, SIZE))
    assert found.abs().max() < 0.31


class TestLatents:
    """Steps through a decoder."""

    @staticmethod
    def guide(values: Sequence[float], steps: int, *, num_draws: int = 1) -> Guide:
        return Guide((field_of(values, noise=0.02, num_draws=num_draws), None), steps)

    def test_a_straight_decoder_is_met_in_a_few_steps(self) -> None:
        def decode(latents: Tensor, draws: object = None) -> Tensor:
            return interpolate(latents.mean(1, keepdim=True), scale_factor=4.0, mode="bilinear")

        latents = torch.zeros(1, 2, 4, 4)
        errors = []
        for steps in (0, 1, 3, 10):
            guide = self.guide([0.3, -0.2, 0.25], steps)
            moved = guide.corrected_latents(latents, [(0, 0)], decode)
            field = guide.fields[0]
            assert field is not None
            errors.append(float(field.residual(decode(moved)).abs().max()))
        assert errors[0] == pytest.approx(0.3)
        assert errors[1] < 0.2
        # Sixteen cells share a latent: what is wanted at a single one is met in part.
        assert errors[2] < 0.13
        assert errors[3] < 0.13

    def test_a_crooked_decoder_is_never_followed_uphill(self) -> None:
        weight = torch.randn((1, 2, 5, 5), generator=torch.Generator().manual_seed(3))

        def decode(latents: Tensor) -> Tensor:
            return torch.sin(3.0 * nn.functional.conv2d(interpolate(latents, scale_factor=4.0), weight, padding=2))

        latents = torch.randn((6, 2, 4, 4), generator=torch.Generator().manual_seed(1))
        guide = self.guide([0.3, -0.2, 0.25], 4)
        fit = guide._fit(latents, [(0, 0)] * 6, decode)
        moved = fit.descended(latents, 4)
        assert (fit._loss(decode(moved)) <= fit._loss(decode(latents))).all()
        assert (moved != latents).any()

    def test_rows_are_on_their_own(self) -> None:
        decode = lambda latents, draws: interpolate(latents.sin().mean(1, keepdim=True), scale_factor=4.0)  # noqa: E731
        latents = torch.randn((3, 2, 4, 4), generator=torch.Generator().manual_seed(1))
        guide = self.guide([0.3, -0.2, 0.25], 2, num_draws=2)
        together = guide.corrected_latents(latents, [(0, 0), (1, 0), (0, 1)], decode)
        assert torch.equal(together[1], latents[1])
        for row, draw in ((0, 0), (2, 1)):
            alone = guide.corrected_latents(latents[row : row + 1], [(0, draw)], decode)
            torch.testing.assert_close(alone[0], together[row], rtol=0.0, atol=1e-5)

    def test_without_steps_or_points_nothing_is_decoded(self) -> None:
        latents = torch.zeros(1, 2, 4, 4)
        refused = lambda *_, **__: pytest.fail("decoded")  # noqa: E731
        assert self.guide([0.1, 0.1, 0.1], 0).corrected_latents(latents, [(0, 0)], refused) is latents
        assert self.guide([0.1, 0.1, 0.1], 3).corrected_latents(latents, [(1, 0)], refused) is latents


class Decoder(nn.Module):
    """Stands for an autoencoder: latents are a coarse map."""

    dtype = torch.float32
    device = torch.device("cpu")
    config: ClassVar = {"scaling_factor": 1.0}

    def decode(self, latents: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        return (interpolate(latents[:, :1], scale_factor=4.0, mode="bilinear"),)


class Network(nn.Module):
    """Stands for a U-Net that is wrong by a smooth field, another one for each draw.

    Its error is a coarse picture of the noise that the draw began with.
    """

    device = torch.device("cpu")

    def __init__(self, pipeline: RadioDiffPipeline, latents: Tensor) -> None:
        super().__init__()
        self.config, self.size_multiple, self.latents = pipeline.unet.config, pipeline.unet.size_multiple, latents

    def encode_condition(self, condition: Tensor) -> tuple[Tensor, ...]:
        return (condition.flatten(1).mean(1),)

    def forward(self, noisy: Tensor, t: Tensor, features: Sequence[Tensor]) -> Tensor:
        times = t[:, None, None, None]
        rest = noisy - (1 - times) * self.latents
        coarse = nn.functional.avg_pool2d(rest, 4)
        error = 0.3 + interpolate(coarse, scale_factor=4.0, mode="bilinear")
        clean = self.latents + 0.3 * error
        return torch.cat([-clean, (noisy - (1 - times) * clean) / times.sqrt()], dim=1)


POINTS = np.array([[10, 12], [30, 40], [50, 20], [48, 50]])


@pytest.fixture
def synthetic() -> tuple[RadioDiffPipeline, Tensor]:
    """A model of maps of 64 x 64 cells, and the map that it should give."""
    pipeline = tiny_diffusion(map_shape=None)
    latents = 0.2 * torch.randn((1, 3, 16, 16), generator=torch.Generator().manual_seed(5))
    pipeline.__dict__["unet"] = Network(pipeline, latents)
    pipeline.__dict__["autoencoder"] = Decoder()
    return pipeline, Decoder().decode(latents)[0][0, 0]


@pytest.mark.parametrize("guidance_steps", [0, 2])
@pytest.mark.parametrize("steps", [1, 3])
def test_errors_at_and_around_the_points_fall(
    synthetic: tuple[RadioDiffPipeline, Tensor], steps: int, guidance_steps: int
) -> None:
    pipeline, truth = synthetic
    path_loss_db = pipeline.record.encoding.decode_target(truth[POINTS[:, 0], POINTS[:, 1]].numpy())
    points = Measurements(POINTS, path_loss_db, noise_db=0.1)
    condition = torch.full((1, 5, 64, 64), -1.0)
    options: dict[str, Any] = {"num_inference_steps": steps, "num_draws": 6, "guidance_steps": guidance_steps}
    plain = pipeline.predict(condition, [torch.Generator().manual_seed(0)], **options)[0, :, 0]
    guided = pipeline.predict(condition, [torch.Generator().manual_seed(0)], measurements=[points], **options)[0, :, 0]
    row, col = np.mgrid[:64, :64]
    distance = np.hypot(row[..., None] - POINTS[:, 0], col[..., None] - POINTS[:, 1]).min(-1)

    def error_db(maps: Tensor, nearest: float, farthest: float) -> float:
        ring = (distance >= nearest) & (distance <= farthest)
        span_db = abs(pipeline.record.encoding.target.high - pipeline.record.encoding.target.low) / 2
        return float((maps - truth)[:, ring].square().mean().sqrt()) * span_db

    for nearest, farthest, share in ((0, 0, 0.1), (2, 5, 0.5), (5, 10, 0.8)):
        assert error_db(guided, nearest, farthest) < share * error_db(plain, nearest, farthest)
    # Far away little has changed.
    assert error_db(guided, 18, 99) == pytest.approx(error_db(plain, 18, 99), rel=0.25)
    # Draws come near to each other at the points, and go on differing elsewhere.
    spread = guided.std(0)
    assert spread[POINTS[:, 0], POINTS[:, 1]].max() < 0.2 * plain.std(0)[POINTS[:, 0], POINTS[:, 1]].mean()
    assert spread[distance > 18].mean() > 0.5 * plain.std(0)[distance > 18].mean()


@pytest.mark.parametrize("is_stochastic", [True, False])
def test_draws_are_as_sure_at_the_points_as_the_measurements(
    synthetic: tuple[RadioDiffPipeline, Tensor], is_stochastic: bool
) -> None:
    """Measurements that are wrong by as much as they say: the interval of the draws holds the truth as often."""
    pipeline, truth = synthetic
    number, noise_db = 16, 1.0
    true_db = pipeline.record.encoding.decode_target(truth[POINTS[:, 0], POINTS[:, 1]].numpy())
    random = np.random.default_rng(0)
    points = [Measurements(POINTS, true_db + noise_db * random.standard_normal(4), noise_db) for _ in range(number)]
    guided = pipeline.predict(
        torch.full((number, 5, 64, 64), -1.0),
        [torch.Generator().manual_seed(seed) for seed in range(number)],
        measurements=points,
        num_draws=20,
        is_stochastic=is_stochastic,
    )
    found_db = pipeline.record.encoding.decode_target(guided[:, :, 0, POINTS[:, 0], POINTS[:, 1]].numpy())
    assert 0.8 * noise_db < np.sqrt(found_db.var(1, ddof=1).mean()) < 1.3 * noise_db
    low, high = np.quantile(found_db, (0.05, 0.95), axis=1)
    covered = ((low <= true_db) & (true_db <= high)).mean()
    # 64 points, and quantiles of 20 draws are a little narrow.
    assert 0.75 < covered < 0.97


def test_points_do_not_change_the_noise_of_a_draw() -> None:
    pipeline = tiny_diffusion()
    condition = torch.full((1, 5, 64, 64), -1.0)
    points = Measurements(np.array([[5, 6]]), np.array([80.0]), correlation_cells=0.5)
    options: dict[str, Any] = {"num_draws": 2, "guidance_steps": 0, "window": "whole"}
    plain = pipeline.predict(condition, [torch.Generator().manual_seed(3)], **options)
    guided = pipeline.predict(condition, [torch.Generator().manual_seed(3)], measurements=[points], **options)
    torch.testing.assert_close(guided[..., 30:, 30:], plain[..., 30:, 30:], rtol=0.0, atol=1e-6)


def test_a_regression_is_corrected_too() -> None:
    pipeline = tiny_regression()
    condition = torch.rand((2, 5, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    condition[:, 0] = -1.0
    points = Measurements(np.array([[5, 6], [20, 25]]), np.array([80.0, 100.0]), noise_db=0.0)
    plain = pipeline.predict(condition)
    found = pipeline.predict(condition, measurements=[None, points])
    assert torch.equal(found[0], plain[0])
    decoded = pipeline.record.encoding.decode_target(found[1, 0, 0].numpy())
    np.testing.assert_allclose(decoded[[5, 20], [6, 25]], [80.0, 100.0], atol=0.01)


def test_guided_windows_and_the_whole_map_agree_at_the_points() -> None:
    pipeline = tiny_diffusion()
    condition = torch.full((1, 5, 32, 64), -1.0)
    points = Measurements(np.array([[5, 6], [20, 50]]), np.array([80.0, 100.0]), noise_db=0.0)
    found = pipeline.predict(condition, [torch.Generator().manual_seed(0)], measurements=[points], num_draws=2)
    decoded = pipeline.record.encoding.decode_target(found[0, :, 0].numpy())
    np.testing.assert_allclose(decoded[:, [5, 20], [6, 50]], [[80.0, 100.0]] * 2, atol=0.05)


def test_draws_do_not_depend_on_guided_neighbours() -> None:
    pipeline = tiny_diffusion()
    condition = torch.full((2, 5, 32, 32), -1.0)
    points = Measurements(np.array([[5, 6]]), np.array([80.0]))
    seeds = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    together = pipeline.predict(condition, seeds, measurements=[points, None], num_draws=2, num_inference_steps=2)
    alone = pipeline.predict(
        condition[:1], [torch.Generator().manual_seed(0)], measurements=[points], num_draws=2, num_inference_steps=2
    )
    torch.testing.assert_close(together[0], alone[0], rtol=0.0, atol=1e-4)
    plain = pipeline.predict(condition[1:], [torch.Generator().manual_seed(1)], num_draws=2, num_inference_steps=2)
    torch.testing.assert_close(together[1], plain[0], rtol=0.0, atol=1e-4)


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        ([], "Measurements must be given for each map.*got 0 for 1 maps"),
        ([None, None], "got 2 for 1 maps"),
        ([Measurements(np.array([[32, 3]]), np.array([80.0]))], "must be on the map of 32 x 32 cells; got row 32"),
        ([Measurements(np.array([[5, 6]]), np.array([80.0]))], "must be outside buildings; got row 5, column 6"),
    ],
)
def test_points_that_cannot_be_are_refused(points: list[Measurements | None], fault: str) -> None:
    condition = torch.full((1, 5, 32, 32), -1.0)
    condition[:, 0, 4:8, 4:8] = 1.0
    with pytest.raises(InputError, match=fault):
        tiny_diffusion().predict(condition, measurements=points)


def test_a_point_at_the_rim_of_a_building_may_be_outside_of_it() -> None:
    condition = torch.full((1, 5, 32, 32), -1.0)
    condition[:, 0, 4:8, 4:8] = 1.0
    points = Measurements(np.array([[4, 6]]), np.array([80.0]), noise_db=0.0)
    found = tiny_regression().predict(condition, measurements=[points])
    assert float(tiny_encoding().decode_target(found[0, 0, 0, 4, 6].numpy())) == pytest.approx(80.0, abs=0.01)
