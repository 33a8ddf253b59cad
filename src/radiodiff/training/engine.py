"""The training loop, for every stage.

```python
engine = Engine(stage, config, accelerator)
for report in engine.train(stop):
    ...
```

A step goes over `accumulation` passes, differentiates the objectives of the stage one after another, asks the guard,
clips, steps the optimizers, then the schedules and the moving average. Logging, saving and validation are done by who
reads the reports.

Where random numbers are needed (order, augmentation, noise, dropout) they follow from the seed, the step and the
examples: a run that goes on from a checkpoint repeats the uninterrupted one bit by bit on a CPU, and two processes do
what one does with the same batch (docs/decisions/010 has the exceptions).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from radiodiff.data.loader import Batch, BatchStream, Position, ShuffleSampler, non_finite_examples
from radiodiff.errors import DataSetError, RadiodiffError, TrainingError
from radiodiff.training.averaging import WeightAverage
from radiodiff.training.checkpoint import CheckpointStore, read_checkpoint
from radiodiff.training.clock import Clock
from radiodiff.training.config import TrainerConfig
from radiodiff.training.guard import Guard, Verdict
from radiodiff.training.learner import Learner
from radiodiff.training.noise import Stream, seed_of
from radiodiff.training.precision import Precision
from radiodiff.training.reports import StepReport
from radiodiff.training.run_state import Progress, restore_weights
from radiodiff.training.stage import Stage
from radiodiff.training.stopping import SIGNALS, StopRequest

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["Engine"]


@dataclass(frozen=True)
class Agreed:
    """What all processes found in a step.

    Attributes:
        terms: Losses and weights by name.
        losses: What was differentiated, by network.
        norms: Norms of the gradients, by network.
        is_stop_wanted: Whether some process wants to stop.
        signal: Number of the signal that came to one, or None.
    """

    terms: dict[str, float]
    losses: dict[str, float]
    norms: dict[str, float]
    is_stop_wanted: bool
    signal: int | None


class Engine:
    """Trains a stage.

    Args:
        stage: What is trained.
        config: How.
        accelerator: Processes and devices, made without a precision of its own.
        checkpoints: Where the guard finds the checkpoint to roll back to.
        precision: By default that of the settings.

    Attributes:
        stage: What is trained; its networks are on the device and updated in place.
        progress: How far the run is.
        average: Moving average of the weights of `stage.networks[stage.averaged]`, or None.

    Raises:
        ConfigError: fp16 was asked for without a GPU.
    """

    def __init__(
        self,
        stage: Stage,
        config: TrainerConfig,
        accelerator: "Accelerator",
        checkpoints: CheckpointStore,
        *,
        precision: Precision | None = None,
    ) -> None:
        self.stage = stage
        self.config = config
        self.accelerator = accelerator
        self.checkpoints = checkpoints
        self.precision = precision or Precision(config.precision, accelerator.device)
        self.progress = Progress()
        self.guard = Guard(config.guard)
        self._tried: set[int] = set()
        self.networks: dict[str, nn.Module] = {}
        for name, network in stage.networks.items():
            if config.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if config.compile:
                network.compile()
            self.networks[name] = accelerator.prepare_model(network)
        self.learners = {
            name: Learner(network, stage.optimizers[name], config.max_steps) for name, network in stage.networks.items()
        }
        averaged = stage.networks[stage.averaged]
        self.average = None if config.ema is None else WeightAverage(averaged, config.ema)
        # What is wrong with the data should come out before a run has begun.
        self._next(iter(self._stream(threads=0)))

    # What the stage sees of the engine (`radiodiff.training.stage.Pass`).

    @property
    def step(self) -> int:
        """Number of the step that is under way, from 1."""
        return self.progress.step + 1

    @property
    def loss_scale(self) -> float:
        """Factor that keeps float16 gradients from vanishing."""
        return self.precision.loss_scale

    def autocast(self) -> AbstractContextManager[None]:
        """The precision of forward passes."""
        return self.precision.autocast()

    def mean_over_processes(self, tensor: Tensor) -> Tensor:
        """Mean of a tensor over all processes."""
        if self.accelerator.num_processes == 1:
            return tensor
        reduced: Tensor = self.accelerator.reduce(tensor, "mean")
        return reduced

    def train(self, stop: StopRequest) -> Iterator[StepReport]:
        """Train up to the last step, or until a stop is wanted; a report after each step.

        Raises:
            TrainingError: The guard skipped too many steps.
            RadiodiffError: What the data set raises.
        """
        progress = self.progress
        batches = iter(self._stream(self.config.loader_threads))
        try:
            while progress.step < self.config.max_steps:
                report, is_stop_wanted = self._run_step(batches, stop)
                yield report
                if is_stop_wanted:
                    return
        finally:
            batches.close()

    def _stream(self, threads: int) -> BatchStream:
        """The batches of this process, from the present position on."""
        source, config, progress = self.stage.source, self.config, self.progress
        return BatchStream(
            source,
            config.batch_size,
            sampler=ShuffleSampler(len(source), seed=config.seed, epoch=progress.epoch, start=progress.start),
            threads=threads,
            shard=(self.accelerator.process_index, self.accelerator.num_processes),
            pin_memory=self.accelerator.device.type == "cuda",
        )

    def _run_step(self, batches: Iterator[tuple[Batch, Position]], stop: StopRequest) -> tuple[StepReport, bool]:
        """One step; its report, and whether some process wants to stop."""
        clock = Clock()
        with clock.measuring("guard"):
            buffers = _copies_of_buffers(self.stage.networks)
        try:
            terms, losses, seen, position = self._differentiate(batches, clock)
        except BaseException:
            # The state is that of the step before: it can be saved.
            _put_back(self.stage.networks, buffers)
            for learner in self.learners.values():
                learner.forget_gradients()
            raise
        with clock.measuring("optimizer"):
            active = {name: self.learners[name] for name in losses}
            norms = {name: learner.clip(self.precision, self.config.clip_norm) for name, learner in active.items()}
        with clock.measuring("guard"):
            agreed = self._agree((terms, losses, norms), stop)
            verdict, note = self._judge(agreed.losses, agreed.norms, seen)
        with clock.measuring("optimizer"):
            rates = {name: learner.rate for name, learner in active.items()}
            if verdict is Verdict.TAKE:
                self._update(active)
            else:
                _put_back(self.stage.networks, buffers)
            for learner in active.values():
                learner.forget_gradients()
            self.precision.update()
            if verdict is Verdict.ROLL_BACK:
                note = f"{note}; {self._roll_back()}"
        # Last of all: an error in the middle of a step leaves the state of the step before.
        self.progress.step += 1
        self.progress.epoch, self.progress.start = position
        report = StepReport(
            step=self.progress.step,
            max_steps=self.config.max_steps,
            epoch=self.progress.epoch,
            losses=agreed.terms,
            learning_rates=rates,
            gradient_norms=agreed.norms,
            seconds=clock.seconds,
            num_examples=self.config.batch_size * self.config.accumulation * self.accelerator.num_processes,
            is_skipped=verdict is not Verdict.TAKE,
            num_skipped=self.guard.num_skipped,
            note=note,
        )
        stop.signal = agreed.signal
        return report, agreed.is_stop_wanted

    def _differentiate(
        self, batches: Iterator[tuple[Batch, Position]], clock: Clock
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Batch], Position]:
        """Gradients of a step: means of terms and of losses by network, the batches, and the position after them."""
        terms: dict[str, Tensor] = {}
        losses: dict[str, Tensor] = {}
        seen: list[Batch] = []
        position = (self.progress.epoch, self.progress.start)
        share = 1.0 / self.config.accumulation
        for number in range(self.config.accumulation):
            with clock.measuring("data"):
                batch, position = self._next(batches)
                seen.append(self._on_device(batch))
            with self._randomness(number), self._synchronised(number == self.config.accumulation - 1):
                objectives = self.stage.objectives(seen[-1], self)
                while True:
                    with clock.measuring("forward"):
                        objective = next(objectives, None)
                    if objective is None:
                        break
                    with clock.measuring("backward"):
                        self.precision.backward(objective.loss * share)
                    _add(terms, objective.terms, share)
                    judged = objective.loss.detach() if objective.judged is None else objective.judged
                    _add(losses, {objective.network: judged}, share)
        return terms, losses, seen, position

    def _next(self, batches: Iterator[tuple[Batch, Position]]) -> tuple[Batch, Position]:
        """The next batch; where one process cannot read its own, all of them stop at once.

        Raises:
            RadiodiffError: What the data set raises here, or DataSetError where it failed in another process.
        """
        if self.accelerator.num_processes == 1:
            return next(batches)
        failure: Exception | None = None
        found = None
        try:
            found = next(batches)
        except (RadiodiffError, OSError) as error:
            failure = error
        failed = torch.tensor(float(failure is not None), device=self.accelerator.device)
        if self.mean_over_processes(failed).item() > 0:
            raise failure or DataSetError(
                "Every process must be able to read its data",
                value="another process that could not",
                remedy="Its message says which file. Mend it, then go on with --resume RUN.",
            )
        assert found is not None
        return found

    def _on_device(self, batch: Batch) -> Batch:
        batch = batch.to(self.accelerator.device, non_blocking=True)
        if not self.config.channels_last:
            return batch
        layout = torch.channels_last
        return replace(
            batch,
            target=batch.target.contiguous(memory_format=layout),
            condition=batch.condition.contiguous(memory_format=layout),
        )

    @contextmanager
    def _randomness(self, number: int) -> Iterator[None]:
        """Random numbers of layers such as dropout: they follow from seed, step, pass and process."""
        device = self.accelerator.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(
                seed_of(self.config.seed, Stream.LAYERS, self.step, number, self.accelerator.process_index)
            )
            yield

    @contextmanager
    def _synchronised(self, is_last: bool) -> Iterator[None]:
        """Let processes exchange gradients in the last pass of a step alone."""
        with ExitStack() as stack:
            if not is_last:
                for network in self.networks.values():
                    stack.enter_context(self.accelerator.no_sync(network))
            yield

    def _agree(self, groups: tuple[Mapping[str, Tensor], ...], stop: StopRequest) -> Agreed:
        """Means over all processes as numbers: one transfer from the device and one exchange for a step."""
        flags = (stop.is_wanted, *(stop.received == number for number in SIGNALS))
        scalars = [scalar.float() for group in groups for scalar in group.values()]
        own = torch.stack([*scalars, *torch.tensor(flags, dtype=torch.float32, device=self.accelerator.device)])
        numbers = iter(self.mean_over_processes(own).tolist())
        terms, losses, norms = ({name: next(numbers) for name in group} for group in groups)
        is_stop_wanted = next(numbers) > 0
        signals = [number for number, share in zip(SIGNALS, numbers, strict=True) if share > 0]
        return Agreed(terms, losses, norms, is_stop_wanted, signals[0] if signals else None)

    def _judge(self, losses: Mapping[str, float], norms: Mapping[str, float], seen: list[Batch]) -> tuple[Verdict, str]:
        """What to do with a step, and what to say of it."""
        is_overflow = (
            self.precision.scaler is not None
            and self.loss_scale > 1.0
            and all(math.isfinite(loss) for loss in losses.values())
            and not all(math.isfinite(norm) for norm in norms.values())
        )
        if is_overflow:
            return Verdict.SKIP, f"float16 gradients overflowed at scale {self.loss_scale:g}; it is halved"
        verdict = self.guard.judge([*losses.values(), *norms.values()])
        if verdict is Verdict.TAKE:
            return verdict, ""
        names = self._gathered([name for batch in seen for name in non_finite_examples(batch)])
        what = f"the data are not finite: {', '.join(names[:5])}" if names else "a loss or a gradient is not finite"
        return verdict, f"step {self.step} skipped: {what} ({self.guard.num_skipped} skipped so far)"

    def _gathered(self, names: list[str]) -> list[str]:
        """Names that any process knows of; all processes ask at once."""
        from accelerate.utils import gather_object

        return list(gather_object(names)) if self.accelerator.num_processes > 1 else names

    def _update(self, active: Mapping[str, Learner]) -> None:
        for learner in active.values():
            learner.update(self.precision)
        self._tried.clear()
        self.progress.updates += 1
        self.set_rates()
        if self.average is not None and self.stage.averaged in active:
            self.average.update(self.progress.updates)

    def _roll_back(self) -> str:
        """Go back to the weights of the last checkpoint, with half the learning rate; all that is counted goes on."""
        folder = self._untried_checkpoint()
        snapshot = read_checkpoint(folder)
        restore_weights(self, snapshot)
        self.progress.rate_scale *= 0.5
        self.set_rates()
        return f"back to the weights of {folder.name}, learning rate times {self.progress.rate_scale:g}"

    def _untried_checkpoint(self) -> Path:
        """The latest checkpoint that no step since the last good one began from.

        Raises:
            TrainingError: There is none.
        """
        steps = [step for step in self.checkpoints.steps() if step not in self._tried]
        if not steps:
            raise TrainingError(
                "Some checkpoint must have weights from which a step is finite",
                value=f"none of {self.checkpoints.root}",
                remedy="Read the notes in train.log: the data, the learning rate or the precision is at fault.",
            )
        self._tried.add(steps[-1])
        return self.checkpoints.folder(steps[-1])

    def set_rates(self) -> None:
        """Take the learning rates of the present update; networks that rest keep pace."""
        for learner in self.learners.values():
            learner.stand_at(self.progress.updates, self.progress.rate_scale)

    def averaged_weights(self) -> AbstractContextManager[None]:
        """Let `stage.networks[stage.averaged]` have its averaged weights while the block runs."""
        return nullcontext() if self.average is None else self.average.applied()


def _copies_of_buffers(networks: Mapping[str, nn.Module]) -> list[Tensor]:
    """Copies of what a forward pass changes, such as the running means of batch normalisation."""
    return [buffer.clone() for network in networks.values() for buffer in network.buffers()]


def _put_back(networks: Mapping[str, nn.Module], copies: list[Tensor]) -> None:
    buffers = (buffer for network in networks.values() for buffer in network.buffers())
    for buffer, copy in zip(buffers, copies, strict=True):
        buffer.copy_(copy)


def _add(sums: dict[str, Tensor], terms: Mapping[str, Tensor], share: float) -> None:
    for name, value in terms.items():
        sums[name] = value * share + sums[name] if name in sums else value * share
