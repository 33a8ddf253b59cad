"""A run from its first step to the model it leaves: training, checkpoints, validations, and an orderly end."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch

from radiodiff.atomic_file import atomic_write
from radiodiff.data.loader import BatchLoader, spread
from radiodiff.errors import ConfigError, RadiodiffError, TrainingError
from radiodiff.metrics import mean_figures
from radiodiff.training.checkpoint import CheckpointStore, read_checkpoint
from radiodiff.training.config import TrainerConfig
from radiodiff.training.engine import Engine
from radiodiff.training.precision import tensor_float_32
from radiodiff.training.processes import in_first_process, start_processes
from radiodiff.training.reports import Listener, ValidationReport
from radiodiff.training.run_folder import RunFolder
from radiodiff.training.run_state import is_finite, restore, snapshot_of
from radiodiff.training.stage import Stage, Validation
from radiodiff.training.stopping import StopRequest

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["Outcome", "TrainingRun", "in_first_process", "make_accelerator"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        step: Its last step.
        reason: Why it ended.
        model: Folder of the model it left, or None where it was interrupted.
        signal: Number of the signal that ended it, or None.
        num_skipped: Steps that the guard skipped.
    """

    step: int
    reason: str
    model: Path | None
    signal: int | None
    num_skipped: int = 0


def make_accelerator(config: TrainerConfig) -> "Accelerator":
    """Processes and devices of a run: those that `torchrun` or `accelerate launch` started, or this one alone.

    It also says whether GPUs may round float32 to ten bits of mantissa. Precision and accumulation are the engine's.

    Raises:
        ConfigError: Several processes were started, and this one does not find the others.
    """
    # Maps are encoded before there is a run: the second stage measures and keeps latents.
    tensor_float_32(config.tf32)
    return start_processes(on_cpu=config.cpu)


class TrainingRun:
    """A stage, its engine and its folder.

    Args:
        stage: What is trained, with its first weights.
        config: How.
        accelerator: Processes and devices, as of `make_accelerator`.
        resume: Checkpoint to go on from: "latest", "best", the number of a milestone or a folder; None begins anew.

    Attributes:
        folder: Folder of the run.
        engine: The engine; its progress is that of the checkpoint.
        resume_step: Step of the checkpoint, or None.

    Raises:
        CheckpointError: There is no such checkpoint, or it belongs to another run.
        ConfigError: The precision needs another device, or the run is beyond its last step.
        DataSetError: The first examples cannot be read.
    """

    def __init__(
        self, stage: Stage, config: TrainerConfig, accelerator: "Accelerator", resume: str | None = None
    ) -> None:
        self.folder = RunFolder(config.run_dir)
        self._config = config
        self._accelerator = accelerator
        self._store = CheckpointStore(self.folder.checkpoints, config.keep_last, config.save_every)
        snapshot = None if resume is None else read_checkpoint(self._store.find(resume))
        stage.to(accelerator.device)
        self.engine = Engine(stage, config, accelerator, self._store)
        self.resume_step: int | None = None
        if snapshot is not None:
            restore(self.engine, snapshot)
            self.resume_step = self.engine.progress.step
            if self.resume_step > config.max_steps:
                raise ConfigError(
                    "trainer.max_steps must not lie behind the checkpoint to go on from",
                    value=f"{config.max_steps}, and a checkpoint of step {self.resume_step}",
                    remedy="Give more steps, or an earlier checkpoint.",
                )
        self._saved_step = self.resume_step

    def run(self, listeners: Sequence[Listener] = ()) -> Outcome:
        """Train to the end, or until the time budget is used up or SIGINT or SIGTERM comes.

        A run that is interrupted, or that the data set or the disk stops, can go on from its last checkpoint.

        Args:
            listeners: Who is told; used in the first process alone, and closed in the end.

        Raises:
            TrainingError: The guard skipped too many steps.
            CheckpointError: A checkpoint could not be written.
            RadiodiffError: What the data set raises.
        """
        self._listeners = listeners if self._accelerator.is_main_process else ()
        stop = StopRequest(self._config.max_minutes)
        started = perf_counter()
        try:
            with stop.listening():
                if self.resume_step is None:
                    self._save()
                else:
                    resumed = self.resume_step
                    in_first_process(self._accelerator, lambda: self._set_aside(resumed))
                self._train(stop)
                return self._end(stop, perf_counter() - started)
        finally:
            for listener in self._listeners:
                listener.close()

    def _train(self, stop: StopRequest) -> None:
        try:
            is_due = False
            for report in self.engine.train(stop):
                for listener in self._listeners:
                    listener.on_step(report)
                is_due |= report.step % self._config.save_every == 0
                # Between steps that the guard skips nobody knows whether the weights are good: it waits.
                if is_due and not report.is_skipped:
                    self._milestone()
                    is_due = False
        except TrainingError:
            raise
        except (RadiodiffError, OSError):
            # The state is that of the last whole step: nothing of it need be lost. All processes come here together.
            if self.engine.progress.step != self._saved_step:
                self._save()
            raise

    def _end(self, stop: StopRequest, seconds: float) -> Outcome:
        step = self.engine.progress.step
        is_finished = step >= self._config.max_steps
        if self._saved_step != step and self.engine.guard.in_a_row > 0:
            self._check_weights(step)
        if self._saved_step != step:
            self._milestone() if is_finished or stop.signal is None else self._save()
        reason = "all steps are done" if is_finished else stop.reason
        model = None
        signal = None if is_finished else stop.signal
        if signal is None:
            self._tell(f"step {step}: writing the model")
            with self.engine.averaged_weights():
                training = {"step": step, "max_steps": self._config.max_steps, "seconds": round(seconds, 1)}
                model = in_first_process(
                    self._accelerator, lambda: self.engine.stage.export(self.folder.path, training)
                )
        return Outcome(step, reason, model, signal, self.engine.guard.num_skipped)

    def _check_weights(self, step: int) -> None:
        """Look at held-out examples before the weights of a run that ends in skipped steps are taken for good."""
        try:
            if not is_finite(self.engine):
                raise TrainingError("Weights must be finite", value="some that are not", remedy="")
            self._validate(step)
        except TrainingError as error:
            raise TrainingError(
                "A run must end with weights that give finite values",
                value=f"its last {self.engine.guard.in_a_row} steps were skipped, and now: {error.rule}",
                remedy=f"Go on from a checkpoint in {self._store.root}, with a lower learning rate or in fp32.",
            ) from error

    def _save(self) -> None:
        step = self.engine.progress.step
        finite = torch.tensor(float(is_finite(self.engine)), device=self._accelerator.device)
        if self.engine.mean_over_processes(finite).item() < 1.0:
            self._tell(f"step {step}: no checkpoint, because a weight is not finite")
            return
        in_first_process(self._accelerator, lambda: self._store.save(step, snapshot_of(self.engine)))
        self._saved_step = step

    def _set_aside(self, step: int) -> None:
        aside = self._store.set_aside(step)
        if aside is not None:
            self._tell(f"the checkpoints beyond step {step} are now in {aside}; remove it if nobody needs them")

    def _milestone(self) -> None:
        """Save, then look at held-out examples and say how good the checkpoint is."""
        step = self.engine.progress.step
        self._save()
        if self._saved_step != step:
            # Weights that are not finite are for the guard: there is nothing to look at.
            return
        try:
            validation = self._validate(step)
        except TrainingError as error:
            # Whether the run can go on is for the guard to say.
            self._tell(f"step {step}: no validation. {error}")
            return
        in_first_process(self._accelerator, lambda: self._publish(self._report(step, validation)))

    def _publish(self, report: ValidationReport) -> None:
        self._write_metrics(report)
        for listener in self._listeners:
            listener.on_validation(report)

    def _validate(self, step: int) -> Validation:
        """Metrics of all processes, each with its share of the examples.

        Raises:
            TrainingError: Some are not finite, in any of the processes.
        """
        from accelerate.utils import gather_object

        stage, settings = self.engine.stage, self._config.validation
        rank, world = self._accelerator.process_index, self._accelerator.num_processes
        mine = spread(len(stage.validation_source), settings.num_examples)[rank::world]
        found, failure = Validation({}, ""), ""
        # With fewer examples than processes some have none.
        if mine:
            loader = BatchLoader(
                stage.validation_source, settings.batch_size, sampler=mine, threads=self._config.loader_threads
            )
            batches = (batch.to(self._accelerator.device) for batch in loader)
            is_drawn = self._accelerator.is_main_process and settings.num_previews > 0
            preview = self.folder.samples / f"step-{step:08d}.png" if is_drawn else None
            try:
                with self.engine.averaged_weights():
                    found = stage.validate(batches, autocast=self.engine.autocast, preview=preview)
            except TrainingError as error:
                failure = str(error)
            infinite = [name for name, row in found.per_example.items() if not all(map(math.isfinite, row.values()))]
            failure = failure or ", ".join(infinite[:3])
        failures = [text for text in gather_object([failure]) if text]
        if failures:
            raise TrainingError(
                "Reconstructions of held-out examples must be finite",
                value=failures[0],
                remedy="See the guard's notes.",
            )
        per_example: dict[str, Mapping[str, float]] = {}
        for name, metrics in (item for part in gather_object([dict(found.per_example)]) for item in part.items()):
            # Examples of different tasks may share a name.
            per_example[name if name not in per_example else f"{name}_{len(per_example)}"] = metrics
        return Validation(per_example, found.protocol, found.preview)

    def _report(self, step: int, validation: Validation) -> ValidationReport:
        metrics = mean_figures(validation.per_example.values())
        best = self.engine.stage.best_metric
        # Where no cell of any map counts there is no such figure.
        is_best = best in metrics and self._store.rate(step, best, metrics[best])
        return ValidationReport(
            step=step,
            metrics=metrics,
            num_examples=len(validation.per_example),
            protocol=validation.protocol,
            per_example=validation.per_example,
            preview=validation.preview,
            checkpoint=self._store.folder(step),
            is_best=is_best,
        )

    def _write_metrics(self, report: ValidationReport) -> None:
        content: dict[str, Any] = {
            "step": report.step,
            "protocol": report.protocol,
            "num_examples": report.num_examples,
            "metrics": dict(report.metrics),
            "per_example": {name: dict(metrics) for name, metrics in report.per_example.items()},
        }
        with atomic_write(self.folder.metrics / f"step-{report.step:08d}.json") as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def _tell(self, text: str) -> None:
        for listener in self._listeners:
            listener.on_message(text)
