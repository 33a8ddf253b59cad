"""Settings of a training run, whatever is trained."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = [
    "EmaConfig",
    "GuardConfig",
    "OptimizerConfig",
    "ScheduleConfig",
    "TrainerConfig",
    "ValidationConfig",
    "WarmStartConfig",
]

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]


class ScheduleConfig(Config):
    """The learning rate over the updates s = 0..N-1 of a run.

    Attributes:
        kind: "polynomial" is `max(floor, lr (1 - s/N)^power)`, "cosine" falls to the floor along a half wave,
            "constant" stays.
        power: Exponent of the polynomial.
        floor: Smallest learning rate; a rate, not a factor.
        warmup_updates: Updates over which the rate rises linearly from 0 before the schedule begins.
    """

    kind: Literal["polynomial", "cosine", "constant"] = "polynomial"
    power: Annotated[float, Field(gt=0)] = 0.95
    floor: Annotated[float, Field(ge=0)] = 0.0
    warmup_updates: Natural = 0


class OptimizerConfig(Config):
    """AdamW and its learning rate.

    Attributes:
        learning_rate: Learning rate at the start of the schedule.
        betas: Decay rates of the two moments.
        weight_decay: Decoupled weight decay.
        schedule: The learning rate over the run.
    """

    learning_rate: Annotated[float, Field(gt=0)] = 5e-6
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    schedule: ScheduleConfig = ScheduleConfig()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.schedule.floor <= self.learning_rate:
            raise ConfigError(
                "ScheduleConfig.floor must not lie above the learning rate",
                value=f"floor={self.schedule.floor:g}, learning_rate={self.learning_rate:g}",
                remedy="The floor is a rate, not a factor; the published run has 5e-6 and 5e-7.",
            )
        return self


class EmaConfig(Config):
    """Moving average of the weights: what is validated, sampled and exported.

    Attributes:
        decay: Most of the old average that an update keeps.
        update_every: Updates between two updates of the average.
        update_after: Updates before the average begins; until then it is a copy.
    """

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.995
    update_every: Count = 10
    update_after: Natural = 100


class GuardConfig(Config):
    """What happens when a loss or a gradient is not finite.

    Attributes:
        rollback_after: Steps skipped in a row before the run goes back to its last checkpoint, with half the learning
            rate.
        abort_after: Steps skipped in all before the run ends with an error.
    """

    rollback_after: Count = 5
    abort_after: Count = 50

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.rollback_after <= self.abort_after:
            raise ConfigError(
                "GuardConfig.rollback_after must not be more than abort_after",
                value=f"rollback_after={self.rollback_after}, abort_after={self.abort_after}",
                remedy="The run would end before it ever went back. The usual numbers are 5 and 50.",
            )
        return self


class ValidationConfig(Config):
    """What is looked at when a run saves.

    Attributes:
        part: Part of the data set.
        num_examples: Examples, spread evenly over the part.
        batch_size: Examples at a time.
        num_previews: Examples in the picture of truth, prediction and difference.
    """

    part: str = "validation"
    num_examples: Count = 256
    batch_size: Count = 4
    num_previews: Natural = 4


class WarmStartConfig(Config):
    """Weights to begin with.

    Attributes:
        init_from: A folder `from_pretrained` reads, a run, a checkpoint, or a safetensors file.
        allow_missing: Go on where some weights are missing, left over or of another shape; they are listed.
        freeze: Names of parameters that are not trained, with `*` for any text, such as `encoder.*`.
    """

    init_from: Path | None = None
    allow_missing: bool = False
    freeze: tuple[str, ...] = ()


class TrainerConfig(Config):
    """How a run goes.

    Attributes:
        run_dir: Folder of the run.
        max_steps: Steps of the whole run; the schedules end there.
        max_minutes: Time budget of one start of the run [min]; it ends with a checkpoint. None for none.
        batch_size: Examples of a process in one pass.
        accumulation: Passes of a step; their gradients are averaged.
        precision: "fp32", "bf16" (autocast), or "fp16" (autocast with gradient scaling; needs a GPU).
        clip_norm: Largest norm of the gradients of a network; None does not clip.
        seed: Seed of weights, order, draws and noise.
        ema: Moving average, or None.
        guard: What happens to values that are not finite.
        log_every: Steps between two lines of the log.
        save_every: Steps between two checkpoints, each with a validation.
        keep_last: Checkpoints to keep beside the best one.
        validation: What is validated.
        loader_threads: Threads that read ahead.
        compile: Compile the training step's forward of the networks with `torch.compile`; validations run without.
        channels_last: Keep images with their channels last in memory.
        gradient_checkpointing: Compute activations twice instead of keeping them.
        tf32: Let GPUs multiply float32 matrices with ten bits of mantissa.
        cpu: Train on the CPU even where there is a GPU.
        warm_start: Weights to begin with.
    """

    run_dir: Path
    max_steps: Count = 150_000
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    batch_size: Count = 2
    accumulation: Count = 1
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    seed: Natural = 0
    ema: EmaConfig | None = EmaConfig()
    guard: GuardConfig = GuardConfig()
    log_every: Count = 100
    save_every: Count = 5_000
    keep_last: Count = 2
    validation: ValidationConfig = ValidationConfig()
    loader_threads: Natural = 2
    compile: bool = False
    channels_last: bool = False
    gradient_checkpointing: bool = False
    tf32: bool = False
    cpu: bool = False
    warm_start: WarmStartConfig = WarmStartConfig()
