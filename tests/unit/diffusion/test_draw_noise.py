"""Noise and times of rows: each from its own generator."""

import pytest
import torch

from radiodiff.diffusion.noise import draw_generators, initial_noise, normal_noise, training_times


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_a_row_follows_from_its_generator_alone(kind: str) -> None:
    together = initial_noise(kind, generators(1, 2, 3), (2, 3, 5), "cpu")  # type: ignore[arg-type]
    alone = initial_noise(kind, generators(2), (2, 3, 5), "cpu")  # type: ignore[arg-type]
    assert together.shape == (3, 2, 3, 5)
    assert together.dtype == torch.float32
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_both_laws() -> None:
    normal = initial_noise("normal", generators(4), (100_000,), "cpu")
    assert torch.equal(normal, normal_noise(generators(4), (100_000,), "cpu"))
    assert normal.mean().item() == pytest.approx(0, abs=0.02)
    assert normal.var().item() == pytest.approx(1, rel=0.02)
    assert normal.abs().max() > 3
    uniform = initial_noise("uniform", generators(4), (100_000,), "cpu")
    assert -1 <= uniform.min() < -0.999
    assert 0.999 < uniform.max() <= 1
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.02)


def test_training_times_are_uniform_above_the_smallest() -> None:
    times = training_times(generators(*range(4_000)), 0.2, "cpu")
    assert times.shape == (4_000,)
    assert 0.2 < times.min() < 0.205
    assert 0.995 < times.max() <= 1
    assert times.mean().item() == pytest.approx(0.6, abs=0.02)
    assert times.var().item() == pytest.approx(0.8**2 / 12, rel=0.06)
    assert torch.equal(times[7:9], training_times(generators(7, 8), 0.2, "cpu"))


def test_a_draw_does_not_depend_on_the_number_of_draws() -> None:
    few, many = (draw_generators(torch.Generator().manual_seed(5), number) for number in (2, 5))
    assert torch.equal(normal_noise(few, (4,), "cpu"), normal_noise(many, (4,), "cpu")[:2])
    assert len(normal_noise(many, (1,), "cpu").unique()) == 5


def test_other_draws_of_a_map_are_other_draws() -> None:
    generator = torch.Generator().manual_seed(5)
    first, second = (normal_noise(draw_generators(generator, 2), (4,), "cpu") for _ in range(2))
    assert not torch.equal(first, second)


def test_a_share_of_the_times_is_one_and_the_others_stay_uniform() -> None:
    times = training_times(generators(*range(4_000)), 0.2, "cpu", start_share=0.25)
    assert (times == 1.0).float().mean().item() == pytest.approx(0.25, abs=0.025)
    others = times[times < 1.0].double()
    assert others.min() > 0.2
    assert others.mean().item() == pytest.approx(0.6, abs=0.015)
    assert others.var().item() == pytest.approx(0.8**2 / 12, rel=0.05)
    assert (training_times(generators(*range(50)), 0.2, "cpu", start_share=1.0) == 1.0).all()
    assert torch.equal(
        training_times(generators(1, 2), 0.2, "cpu", start_share=0.0), training_times(generators(1, 2), 0.2, "cpu")
    )
