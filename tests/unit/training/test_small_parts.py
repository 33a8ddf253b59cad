"""Noise, average, guard and stop requests."""

import os
import signal
import time

import pytest
import torch
from torch import nn

from radiodiff.errors import ConfigError, TrainingError
from radiodiff.training.averaging import WeightAverage
from radiodiff.training.config import EmaConfig, GuardConfig
from radiodiff.training.guard import Guard, Verdict
from radiodiff.training.noise import example_noise
from radiodiff.training.stopping import StopRequest

CPU = torch.device("cpu")


def test_noise_belongs_to_its_example() -> None:
    whole = example_noise([(3, 0), (5, 0), (3, 1)], (2, 4, 4), 7, CPU)
    assert torch.equal(whole[1:2], example_noise([(5, 0)], (2, 4, 4), 7, CPU))
    assert not torch.equal(whole[0], whole[2])
    assert not torch.equal(whole, example_noise([(3, 0), (5, 0), (3, 1)], (2, 4, 4), 8, CPU))


def test_noise_is_standard_normal() -> None:
    noise = example_noise([(i, 0) for i in range(200)], (3, 8, 8), 0, CPU)
    assert abs(noise.mean().item()) < 4 / noise.numel() ** 0.5
    assert noise.var().item() == pytest.approx(1.0, abs=4 * (2 / noise.numel()) ** 0.5)
    # Examples are independent of each other.
    flat = noise.flatten(1)
    correlation = (flat[:-1] * flat[1:]).mean().item()
    assert abs(correlation) < 4 / flat[:-1].numel() ** 0.5


def network(value: float) -> nn.Linear:
    made = nn.Linear(2, 1)
    nn.init.constant_(made.weight, value)
    nn.init.constant_(made.bias, value)
    return made


def test_the_average_of_constants_is_constant() -> None:
    net = network(0.7)
    average = WeightAverage(net, EmaConfig(decay=0.9, update_every=1, update_after=2))
    for update in range(1, 20):
        average.update(update)
    assert all(torch.allclose(value, torch.full_like(value, 0.7)) for value in average.tensors().values())


def test_the_average_is_the_recursion_by_hand() -> None:
    net = network(0.0)
    average = WeightAverage(net, EmaConfig(decay=0.75, update_every=2, update_after=4))
    expected = 0.0
    for update in range(1, 31):
        nn.init.constant_(net.weight, float(update))
        average.update(update)
        if update <= 4:
            expected = update
        elif update % 2 == 0:
            decay = min(0.75, 1 - (update - 4) ** (-2 / 3))
            expected = decay * expected + (1 - decay) * update
        assert average.tensors()["weight"][0, 0].item() == pytest.approx(expected, rel=1e-5)


def test_averaged_weights_are_lent() -> None:
    net = network(1.0)
    average = WeightAverage(net, EmaConfig(update_every=5, update_after=0))
    nn.init.constant_(net.weight, 3.0)
    average.update(1)
    with average.applied():
        assert net.weight[0, 0].item() == 1.0
    assert net.weight[0, 0].item() == 3.0


def test_until_it_begins_the_average_is_a_copy() -> None:
    net = network(0.0)
    average = WeightAverage(net, EmaConfig(update_every=10, update_after=100))
    nn.init.constant_(net.weight, 5.0)
    average.update(9)
    assert average.tensors()["weight"][0, 0].item() == 5.0
    with average.applied():
        assert net.weight[0, 0].item() == 5.0


def test_the_guard_must_be_able_to_go_back() -> None:
    with pytest.raises(ConfigError, match="rollback_after must not be more"):
        GuardConfig(rollback_after=60, abort_after=50)


def test_the_guard_counts() -> None:
    guard = Guard(GuardConfig(rollback_after=2, abort_after=5))
    bad = [float("nan")]
    verdicts = [guard.judge(values) for values in (bad, [1.0], bad, bad, [2.0, float("inf")], [0.0])]
    assert verdicts == [
        Verdict.SKIP,
        Verdict.TAKE,
        Verdict.SKIP,
        Verdict.ROLL_BACK,
        Verdict.SKIP,
        Verdict.TAKE,
    ]
    assert guard.num_skipped == 4
    with pytest.raises(TrainingError, match="fewer than 5"):
        guard.judge(bad)


def test_a_time_budget_ends() -> None:
    stop = StopRequest(max_minutes=0.05 / 60)
    assert not stop.is_wanted
    time.sleep(0.06)
    assert stop.is_wanted
    assert stop.reason == "the time budget is used up"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request_and_a_second_one_interrupts(number: signal.Signals) -> None:
    earlier = signal.getsignal(number)
    stop = StopRequest()
    with stop.listening():
        os.kill(os.getpid(), number)
        assert stop.is_wanted
        assert stop.received == number
        # What ends the run is what all processes agreed on.
        assert stop.signal is None
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is earlier
