import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.errors import CheckpointError, ConfigError, DataSetError, TrainingError
from radiodiff.training.checkpoint import CheckpointStore, Snapshot
from radiodiff.training.config import EmaConfig, GuardConfig, OptimizerConfig, ScheduleConfig, TrainerConfig
from radiodiff.training.engine import Engine
from radiodiff.training.noise import Stream, example_generators
from radiodiff.training.precision import Precision
from radiodiff.training.reports import StepReport
from radiodiff.training.run import make_accelerator
from radiodiff.training.run_state import restore, snapshot_of
from radiodiff.training.stopping import StopRequest
from toy_stage import NoiseSource, ToyStage


def engine(folder: Path, stage: ToyStage | None = None, given: Precision | None = None, **settings: object) -> Engine:
    config = TrainerConfig(run_dir=folder, **{"max_steps": 12, "cpu": True, "ema": None} | settings)
    store = CheckpointStore(folder / "checkpoints", 2, config.save_every)
    return Engine(stage or ToyStage(), config, make_accelerator(config), store, precision=given)


def trained(made: Engine, steps: int | None = None) -> list[StepReport]:
    reports = []
    for report in made.train(StopRequest()):
        reports.append(report)
        if len(reports) == steps:
            break
    return reports


def weights(made: Engine) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in made.stage.networks["net"].state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_learns(tmp_path: Path) -> None:
    reports = trained(engine(tmp_path, max_steps=60))
    assert reports[-1].losses["mse"] < 0.5 * reports[0].losses["mse"]
    assert [report.step for report in reports] == list(range(1, 61))


def test_a_step_is_that_of_plain_pytorch(tmp_path: Path) -> None:
    stage = ToyStage(dropout=0.0)
    made = engine(tmp_path, stage, clip_norm=0.1, max_steps=3)
    network = ToyStage(dropout=0.0).networks["net"]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=1e-2)
    names: list[str] = []
    for report in made.train(StopRequest()):
        source = stage.source
        batch = [source[int(name.removeprefix("map")), 0] for name in stage.seen[len(names) :]]
        names = list(stage.seen)
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - (report.step - 1) / 3) ** 0.95
        condition, target = (
            torch.stack([torch.from_numpy(x) for x in xs])
            for xs in zip(*((e.condition, e.target) for e in batch), strict=True)
        )
        loss = (network(condition) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 0.1)
        optimizer.step()
        assert report.losses["mse"] == loss.item()
        assert report.gradient_norms["net"] == norm.item()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(weights(made)[name], value, rtol=0, atol=1e-7)


def test_accumulation_is_a_larger_batch(tmp_path: Path) -> None:
    results = []
    for batch_size, accumulation in ((4, 1), (2, 2), (1, 4)):
        made = engine(tmp_path, ToyStage(norm=False, dropout=0.0), batch_size=batch_size, accumulation=accumulation)
        reports = trained(made)
        results.append((weights(made), [report.losses["mse"] for report in reports]))
        assert reports[0].num_examples == 4
    for other, losses in results[1:]:
        assert losses == pytest.approx(results[0][1], abs=1e-6)
        for name, value in other.items():
            torch.testing.assert_close(value, results[0][0][name], rtol=0, atol=1e-5)


def test_it_goes_on_bit_by_bit(tmp_path: Path) -> None:
    settings = {"max_steps": 20, "ema": EmaConfig(decay=0.9, update_every=2, update_after=4), "loader_threads": 2}
    whole = engine(tmp_path, **settings)
    reports = trained(whole)
    for stop in (3, 11):
        first = engine(tmp_path, **settings)
        trained(first, stop)
        second = engine(tmp_path, **settings)
        restore(second, snapshot_of(first))
        rest = trained(second)
        assert [report.losses for report in rest] == [report.losses for report in reports[stop:]]
        assert [report.learning_rates for report in rest] == [report.learning_rates for report in reports[stop:]]
        assert same(weights(whole), weights(second))
        assert whole.average is not None
        assert second.average is not None
        assert same(whole.average.tensors(), second.average.tensors())


def test_the_global_generator_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    trained(engine(tmp_path))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_changed_learning_rate_counts(tmp_path: Path) -> None:
    first = engine(tmp_path, max_steps=10)
    trained(first, 5)
    stage = ToyStage(optimizer=OptimizerConfig(learning_rate=1e-4, schedule=ScheduleConfig(floor=1e-5)))
    second = engine(tmp_path, stage, max_steps=10)
    restore(second, snapshot_of(first))
    rates = [report.learning_rates["net"] for report in trained(second)]
    assert rates == pytest.approx([max(1e-5, 1e-4 * (1 - s / 10) ** 0.95) for s in range(5, 10)])


def test_a_stop_ends_after_the_step(tmp_path: Path) -> None:
    made = engine(tmp_path)
    stop = StopRequest()
    for report in made.train(stop):
        if report.step == 4:
            stop.received = 15
    assert report.step == 5


def test_parts_of_a_step_are_timed(tmp_path: Path) -> None:
    report = trained(engine(tmp_path), 1)[0]
    assert set(report.seconds) == {"data", "forward", "backward", "guard", "optimizer"}
    assert all(value >= 0 for value in report.seconds.values())


def nan_at(*steps: int) -> ToyStage:
    return ToyStage(change_loss=lambda step, loss: loss * math.nan if step in steps else loss)


def test_a_loss_that_is_not_finite_is_skipped(tmp_path: Path) -> None:
    clean = engine(tmp_path, nan_at())
    trained(clean, 3)
    made = engine(tmp_path, nan_at(4))
    reports = trained(made, 4)
    assert [report.is_skipped for report in reports] == [False, False, False, True]
    assert "step 4 skipped" in reports[-1].note
    # Weights, buffers, moments and schedule are those of the step before.
    assert same(weights(made), weights(clean))
    assert same(made.learners["net"].tensors(), clean.learners["net"].tensors())
    assert made.progress.updates == 3
    assert made.learners["net"].rate == clean.learners["net"].rate


def test_data_that_are_not_finite_are_named(tmp_path: Path) -> None:
    made = engine(tmp_path, ToyStage(NoiseSource(broken=frozenset({7}))), max_steps=24, batch_size=1)
    skipped = [report for report in trained(made) if report.is_skipped]
    assert len(skipped) == 1
    assert "map7" in skipped[0].note
    assert all(torch.isfinite(value).all() for value in weights(made).values())


def test_weights_that_are_not_finite_are_rolled_back(tmp_path: Path) -> None:
    made = engine(tmp_path, max_steps=20, guard=GuardConfig(rollback_after=3))
    notes = []
    good = {}
    for report in made.train(StopRequest()):
        notes.append(report.note)
        if report.step == 4:
            made.checkpoints.save(4, snapshot_of(made))
            good = weights(made)
        if report.step == 6:
            with torch.no_grad():
                made.stage.networks["net"][0].weight[0, 0, 0, 0] = math.nan
        if report.step == 9:
            assert "back to the weights of step-00000004, learning rate times 0.5" in report.note
            assert same(weights(made), good)
            assert made.learners["net"].rate == pytest.approx(0.5 * 1e-2 * (1 - 6 / 20) ** 0.95)
    assert report.step == 20
    assert not report.is_skipped
    assert report.num_skipped == 3
    assert sum(bool(note) for note in notes) == 3


def test_too_many_skipped_steps_end_the_run(tmp_path: Path) -> None:
    made = engine(tmp_path, nan_at(*range(2, 12)), guard=GuardConfig(rollback_after=4, abort_after=4))
    with pytest.raises(TrainingError, match=r"fewer than 4 steps .* got 4 skipped"):
        trained(made)
    assert made.progress.step == 4


def test_a_gradient_that_is_not_finite_is_skipped(tmp_path: Path) -> None:
    # The loss is 0, its gradient is not a number.
    stage = ToyStage(change_loss=lambda step, loss: torch.sqrt(loss * 0.0) if step == 2 else loss)
    reports = trained(engine(tmp_path, stage), 3)
    assert [report.is_skipped for report in reports] == [False, True, False]


def test_float16_scales_and_learns(tmp_path: Path) -> None:
    precision = Precision("fp16", torch.device("cpu"), allow_slow=True)
    made = engine(tmp_path, ToyStage(dropout=0.0), precision, max_steps=30)
    plain = trained(engine(tmp_path, ToyStage(dropout=0.0), max_steps=30))
    half = trained(made)
    assert half[-1].losses["mse"] == pytest.approx(plain[-1].losses["mse"], rel=0.1)
    # Norms and clipping see unscaled gradients.
    assert half[-1].gradient_norms["net"] == pytest.approx(plain[-1].gradient_norms["net"], rel=0.3)


def test_float16_overflow_halves_the_scale_and_is_no_fault(tmp_path: Path) -> None:
    precision = Precision("fp16", torch.device("cpu"), allow_slow=True)
    assert precision.scaler is not None
    precision.scaler.load_state_dict(precision.scaler.state_dict() | {"scale": 2.0**40})
    made = engine(tmp_path, None, precision, max_steps=40)
    reports = trained(made)
    assert reports[0].is_skipped
    assert "overflowed" in reports[0].note
    assert reports[-1].num_skipped == 0
    assert not reports[-1].is_skipped
    assert precision.loss_scale < 2.0**40


def test_bfloat16_learns(tmp_path: Path) -> None:
    reports = trained(engine(tmp_path, precision="bf16", max_steps=60))
    assert reports[-1].losses["mse"] < 0.5 * reports[0].losses["mse"]


def test_float16_on_a_cpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a GPU"):
        engine(tmp_path, precision="fp16")


def test_channels_last_changes_no_result(tmp_path: Path) -> None:
    plain = trained(engine(tmp_path, ToyStage(dropout=0.0)))
    other = trained(engine(tmp_path, ToyStage(dropout=0.0), channels_last=True))
    assert [r.losses["mse"] for r in other] == pytest.approx([r.losses["mse"] for r in plain], abs=1e-6)


def test_a_resume_keeps_the_factor_of_the_guard_unless_the_rate_is_new(tmp_path: Path) -> None:
    made = engine(tmp_path, max_steps=10)
    trained(made, 2)
    made.progress.rate_scale = 0.25
    state = snapshot_of(made)
    again = engine(tmp_path, max_steps=10)
    restore(again, state)
    assert again.learners["net"].rate == pytest.approx(0.25 * 1e-2 * 0.8**0.95)
    changed = engine(tmp_path, ToyStage(optimizer=OptimizerConfig(learning_rate=1e-4)), max_steps=10)
    restore(changed, state)
    assert changed.learners["net"].rate == pytest.approx(1e-4 * 0.8**0.95)


def test_an_error_in_the_middle_of_a_step_leaves_the_step_before(tmp_path: Path) -> None:
    clean = engine(tmp_path, accumulation=2)
    trained(clean, 2)

    def fail(step: int, loss: Tensor) -> Tensor:
        passes.append(step)
        if passes[-2:] == [3, 3]:
            raise DataSetError("A file must be there", value="map3.png", remedy="Restore it.")
        return loss

    passes: list[int] = []
    made = engine(tmp_path, ToyStage(change_loss=fail), accumulation=2)
    with pytest.raises(DataSetError):
        trained(made)
    assert same(weights(made), weights(clean))
    assert made.progress == clean.progress


def test_another_seed_or_freezing_is_refused(tmp_path: Path) -> None:
    made = engine(tmp_path)
    trained(made, 2)
    with pytest.raises(CheckpointError, match="the data and the seed"):
        restore(engine(tmp_path, seed=1), snapshot_of(made))
    frozen = ToyStage()
    frozen.networks["net"][0].requires_grad_(False)
    partly = engine(tmp_path, frozen)
    trained(partly, 2)
    with pytest.raises(CheckpointError, match="the same frozen parts"):
        restore(engine(tmp_path), snapshot_of(partly))
    with pytest.raises(CheckpointError, match="must belong to the network"):
        restore(partly, snapshot_of(made))


def test_layers_and_examples_have_random_numbers_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both follow from the seed and a few small numbers: step, pass and process; or number and draw."""
    used: list[int] = []
    made = engine(tmp_path, seed=3)
    monkeypatch.setattr(torch, "manual_seed", used.append)
    trained(made, 6)
    draws = [(number, draw) for number in range(3) for draw in range(3)]
    examples = [generator.initial_seed() for stream in Stream for generator in example_generators(draws, 3, stream)]
    # The stream of layers is theirs alone.
    others = examples[: -len(draws)]
    assert len(set(others)) == len(others)
    assert len(set(used)) == len(used) == 6
    assert not set(used) & set(others)


def test_a_changed_state_is_an_error(tmp_path: Path) -> None:
    state = snapshot_of(engine(tmp_path))
    damaged = Snapshot(state.tensors, {name: value for name, value in state.values.items() if name != "progress"})
    with pytest.raises(CheckpointError, match=r"state\.json of a checkpoint must hold"):
        restore(engine(tmp_path), damaged)


def test_a_checkpoint_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    made = engine(tmp_path)
    with torch.no_grad():
        made.stage.networks["net"][0].weight[0] = math.inf
    with pytest.raises(CheckpointError, match=r"must be finite; got 0\.weight of net"):
        restore(engine(tmp_path), snapshot_of(made))


def test_moments_have_the_layout_of_their_weights(tmp_path: Path) -> None:
    made = engine(tmp_path, channels_last=True)
    trained(made, 1)
    again = engine(tmp_path, channels_last=True)
    restore(again, snapshot_of(made))
    optimizer = again.learners["net"].optimizer
    for parameter, moments in optimizer.state.items():
        assert moments["exp_avg"].stride() == parameter.stride()


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    made = engine(tmp_path)
    other = engine(tmp_path, ToyStage(NoiseSource(10)))
    with pytest.raises(CheckpointError, match="go on with the data"):
        restore(other, snapshot_of(made))


def test_a_checkpoint_of_other_channels_or_another_scale_is_refused(tmp_path: Path) -> None:
    """Of as many examples and of the same shapes."""
    made = snapshot_of(engine(tmp_path))
    other, scaled = NoiseSource(), NoiseSource()
    other.encoding = Encoding.of_names(["los_mask"], path_loss_channel())
    scaled.scale = "thresholded"
    for source, said in ((other, "los_mask to path_loss_db"), (scaled, "on scale 'thresholded'")):
        with pytest.raises(CheckpointError, match=rf"go on with the channels and the scale.*{said}"):
            restore(engine(tmp_path, ToyStage(source)), made)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    made = engine(tmp_path, ToyStage(norm=False))
    before = weights(other := engine(tmp_path))
    with pytest.raises(CheckpointError, match="net of a checkpoint must be the one"):
        restore(other, snapshot_of(made))
    assert same(weights(other), before)


def test_a_checkpoint_without_the_average_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"must hold ema, net, net\.optimizer"):
        restore(engine(tmp_path, ema=EmaConfig()), snapshot_of(engine(tmp_path)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
def test_compiled_networks_give_the_same_losses(tmp_path: Path) -> None:
    plain = trained(engine(tmp_path, ToyStage(dropout=0.0)))
    compiled = trained(engine(tmp_path, ToyStage(dropout=0.0), compile=True))
    assert [r.losses["mse"] for r in compiled] == pytest.approx([r.losses["mse"] for r in plain], rel=1e-4)
