"""Which steps are logged, with which values."""

import math

import pytest
from step_reports import step_report

from radiodiff.training.listeners.logged_steps import LoggedSteps


def logged(every: int, skipped: tuple[int, ...] = (), last: int = 10) -> dict[int, dict[str, float]]:
    steps = LoggedSteps(every)
    found = {}
    for step in range(1, last + 1):
        is_skipped = step in skipped
        losses = {"nll": math.nan} if is_skipped else None
        report = step_report(step, losses, is_skipped=is_skipped, num_skipped=len([s for s in skipped if s <= step]))
        line = steps.add(report)
        if line is not None:
            found[step] = dict(line.values)
    return found


def test_the_first_each_nth_and_the_last_step_are_logged() -> None:
    assert list(logged(4)) == [1, 4, 8, 10]
    assert list(logged(1)) == list(range(1, 11))
    assert list(logged(100)) == [1, 10]


def test_losses_are_means_since_the_last_line() -> None:
    lines = logged(4)
    assert [line["nll"] for line in lines.values()] == [1.0, (2 + 3 + 4) / 3, (5 + 6 + 7 + 8) / 4, (9 + 10) / 2]


def test_a_loss_that_begins_later_is_a_mean_of_the_steps_that_have_it() -> None:
    steps = LoggedSteps(4)
    for step in (2, 3):
        assert steps.add(step_report(step, {"nll": 1.0})) is None
    line = steps.add(step_report(4, {"nll": 1.0, "discriminator": 6.0}))
    assert line is not None
    assert (line.values["nll"], line.values["discriminator"]) == (1.0, 6.0)


def test_a_skipped_step_has_its_own_line_and_spoils_no_mean() -> None:
    lines = logged(4, skipped=(3, 8))
    assert list(lines) == [1, 3, 4, 8, 10]
    assert math.isnan(lines[3]["nll"])
    assert lines[4]["nll"] == (2 + 4) / 2
    assert math.isnan(lines[8]["nll"])
    assert lines[10]["nll"] == (5 + 6 + 7 + 9 + 10) / 5
    assert [line["skipped"] for line in lines.values()] == [0, 1, 1, 2, 2]


def test_a_note_is_always_logged() -> None:
    assert LoggedSteps(100).add(step_report(3, note="gradient scale halved")) is not None


def test_rates_norms_times_and_speed() -> None:
    steps = LoggedSteps(2)
    steps.add(step_report(1))
    steps.add(step_report(2, gradient_norms={"autoencoder": 1.0}, seconds={"data": 0.1, "forward": 0.1}))
    steps.add(step_report(3, learning_rates={"autoencoder": 4e-6}, seconds={"data": 0.4, "forward": 0.2}))
    line = steps.add(step_report(4, learning_rates={"autoencoder": 3e-6}, epoch=2))
    assert line is not None
    assert line.values == {
        "nll": 3.5,
        "lr/autoencoder": 3e-6,
        "grad_norm/autoencoder": 2.0,
        "seconds/data": pytest.approx(0.225),
        "seconds/forward": pytest.approx(0.175),
        "examples_per_second": pytest.approx(8 / 0.8),
        "epoch": 2,
        "skipped": 0,
    }


def test_a_step_that_took_no_time_has_no_speed() -> None:
    line = LoggedSteps(1).add(step_report(1, seconds={}))
    assert line is not None
    assert "examples_per_second" not in line.values
