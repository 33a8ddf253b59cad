import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, PolynomialLR

from radiodiff.errors import ConfigError
from radiodiff.training.config import OptimizerConfig, ScheduleConfig
from radiodiff.training.learning_rate import learning_rate


def optimizer(rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)


def rates(made: torch.optim.lr_scheduler.LRScheduler, of: torch.optim.Optimizer, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(of.param_groups[0]["lr"])
        of.step()
        made.step()
    return found


@pytest.mark.parametrize("kind", ["polynomial", "cosine"])
def test_without_a_floor_it_is_the_schedule_of_pytorch(kind: str) -> None:
    of = optimizer(0.5)
    theirs = PolynomialLR(of, total_iters=20, power=0.95) if kind == "polynomial" else CosineAnnealingLR(of, T_max=20)
    config = OptimizerConfig(learning_rate=0.5, schedule=ScheduleConfig(kind=kind))
    assert [learning_rate(config, s, 20) for s in range(20)] == pytest.approx(rates(theirs, of, 20), rel=1e-9)


def test_the_floor_is_a_rate() -> None:
    # The published run: 5e-6 down to 5e-7 over 150,000 updates.
    config = OptimizerConfig(learning_rate=5e-6, schedule=ScheduleConfig(floor=5e-7))
    assert learning_rate(config, 0, 150_000) == 5e-6
    assert learning_rate(config, 75_000, 150_000) == pytest.approx(5e-6 * 0.5**0.95)
    assert learning_rate(config, 149_999, 150_000) == 5e-7
    assert learning_rate(config, 200_000, 150_000) == 5e-7


def test_cosine_ends_at_its_floor() -> None:
    config = OptimizerConfig(learning_rate=1.0, schedule=ScheduleConfig(kind="cosine", floor=0.2))
    assert learning_rate(config, 5, 10) == pytest.approx(0.6)
    assert learning_rate(config, 10, 10) == pytest.approx(0.2)


def test_the_warm_up_rises_in_equal_steps_to_the_rate() -> None:
    config = OptimizerConfig(learning_rate=1.0, schedule=ScheduleConfig(kind="constant", warmup_updates=4))
    assert [learning_rate(config, s, 10) for s in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_a_floor_above_the_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="floor must not lie above"):
        OptimizerConfig(learning_rate=1e-6, schedule=ScheduleConfig(floor=0.1))
