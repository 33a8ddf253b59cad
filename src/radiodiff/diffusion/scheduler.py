"""The way back from noise to latents, as a scheduler of diffusers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils.outputs import BaseOutput
from torch import Tensor

from radiodiff.diffusion.config import DiffusionConfig, InitialNoise, PredictionType
from radiodiff.diffusion.noise import normal_noise
from radiodiff.diffusion.process import Estimate, estimate_from, noisy_latents, reverse_moments
from radiodiff.errors import ConfigError, InputError

__all__ = ["DecoupledScheduler", "DecoupledSchedulerOutput"]


@dataclass
class DecoupledSchedulerOutput(BaseOutput):
    """What a step gives.

    Attributes:
        prev_sample: (B, C, h, w), latents at the next, smaller time; the clean estimate after the last step.
        pred_original_sample: (B, C, h, w), estimate of the clean latents.
    """

    prev_sample: Tensor
    pred_original_sample: Tensor


class DecoupledScheduler(SchedulerMixin, ConfigMixin):  # type: ignore[misc]
    """Samplers of the decoupled process: N steps are N evaluations of the network, at the times 1, 1 - 1/N, ..., 1/N.

    With few such steps even an ideal network gives draws that differ too little: what the last time 1/N leaves open is
    averaged. `time_power` above 1 moves times towards 0.

    It holds no state but the times: `step` finds its place by the time that it is given.

    Args:
        prediction_type: What the network predicts.
        time_min: Smallest time that the network was trained on; the last step must not be below.
        initial_noise: Noise that sampling starts from, "normal" or "uniform".
        is_stochastic: Draw each step from the reverse process; otherwise follow the deterministic path.
        time_power: The times are `(1 - i / N) ** time_power`; 1 as published.

    Raises:
        ConfigError: A value is not allowed.
    """

    order = 1

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        prediction_type: PredictionType = "pred_KC",
        time_min: float = 1e-4,
        initial_noise: InitialNoise = "normal",
        is_stochastic: bool = True,
        time_power: float = 1.0,
    ) -> None:
        settings = DiffusionConfig(prediction_type=prediction_type, time_min=time_min, initial_noise=initial_noise)
        if not isinstance(is_stochastic, bool):
            raise ConfigError(
                "DecoupledScheduler.is_stochastic must be true or false",
                value=repr(is_stochastic),
                remedy="Correct the value.",
            )
        if not 0 < time_power < math.inf:
            raise ConfigError(
                "DecoupledScheduler.time_power must be a number above 0",
                value=repr(time_power),
                remedy="1 is as published; 2 spreads draws of few steps more.",
            )
        # diffusers takes what was not given by keyword for a default, and `from_config` would lose it.
        self.register_to_config(_use_default_values=[])  # type: ignore[no-untyped-call]
        self.time_power = float(time_power)
        self.prediction_type = settings.prediction_type
        self.is_stochastic = is_stochastic
        self.time_min = settings.time_min
        self.start_time = settings.start_time
        self.num_inference_steps: int | None = None
        self.timesteps = torch.empty(0)
        self._times: list[float] = []

    @property
    def init_noise_sigma(self) -> float:
        """Factor on the initial noise, the share that it has of latents at the first time."""
        return float(self.start_time**0.5)

    @property
    def max_inference_steps(self) -> int:
        """Steps at most: with more, the last time would be below `time_min`."""
        # The tolerance keeps 1 / 1e-4 from being 9,999.
        return int((self.start_time / self.time_min) ** (1.0 / self.time_power) + 1e-6)

    def set_timesteps(self, num_inference_steps: int, device: torch.device | str | None = None) -> None:
        """Set the times of the steps.

        Args:
            num_inference_steps: N, the number of steps.
            device: Where `timesteps`, float32 (N,), is wanted.

        Raises:
            InputError: The number is not in 1..`max_inference_steps`.
        """
        most = self.max_inference_steps
        if isinstance(num_inference_steps, bool) or not (
            isinstance(num_inference_steps, int) and 1 <= num_inference_steps <= most
        ):
            raise InputError(
                f"num_inference_steps must be a whole number from 1 to {most}",
                value=repr(num_inference_steps),
                remedy="1 to 50 is usual; each step is an evaluation of the network.",
            )
        remaining = torch.arange(num_inference_steps, 0, -1, dtype=torch.float64) / num_inference_steps
        times = (self.start_time * remaining**self.time_power).float()
        self.num_inference_steps = num_inference_steps
        self._times = times.tolist()
        self.timesteps = times.to(device)

    def scale_model_input(self, sample: Tensor, timestep: Tensor | float | None = None) -> Tensor:
        """The latents as they are: this process scales nothing."""
        return sample

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Noisy latents `(1 - t) x_0 + sqrt(t) eps`, in the type of the latents.

        Args:
            original_samples: (B, C, h, w), x_0.
            noise: (B, C, h, w), eps.
            timesteps: (B,), times in [0, 1], or one time.

        Raises:
            InputError: A time is outside, or the shapes do not fit.
        """
        if not bool(((timesteps >= 0) & (timesteps <= 1)).all()):
            raise InputError(
                "Times must be in [0, 1]",
                value=timesteps.tolist(),
                remedy="This process has no numbered times: t = 1 is noise, t = 0 the clean latents.",
            )
        times = timesteps.to(original_samples.device)
        times = times.expand(original_samples.shape[0]) if times.numel() == 1 else times
        return noisy_latents(original_samples, noise, times).to(original_samples.dtype)

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | float,
        sample: Tensor,
        *,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        return_dict: bool = True,
    ) -> DecoupledSchedulerOutput | tuple[Tensor, Tensor]:
        """One step, to the next smaller time.

        Args:
            model_output: (B, heads * C, h, w), predictions of the network.
            timestep: The time, one of `timesteps`.
            sample: (B, C, h, w), latents at that time.
            generator: A generator for each row, on the CPU; one alone for a single row. Only a stochastic step draws
                from them, and the last step never does.
            return_dict: Return the output class, otherwise its fields.

        Returns:
            Latents at the next time and the estimate of the clean ones, both in the type of the sample.

        Raises:
            InputError: `set_timesteps` was not called, the time is not one of its times, the shapes do not fit, or the
                generators are not one for each row.
        """
        index = self._index_of(timestep)
        times = self.times_of(index, sample)
        estimate = estimate_from(model_output, sample, times, self.prediction_type)
        generators = [generator] if isinstance(generator, torch.Generator) else generator
        prev_sample = self.previous_latents(estimate, sample, index, generators)
        clean = estimate.clean.to(sample.dtype)
        return DecoupledSchedulerOutput(prev_sample, clean) if return_dict else (prev_sample, clean)

    def previous_latents(
        self, estimate: Estimate, noisy: Tensor, index: int, generators: Sequence[torch.Generator] | None
    ) -> Tensor:
        """Latents (B, C, h, w) after step `index` from 0, in the type of the noisy ones.

        The last step lands on the clean estimate. An estimate of "pred_KC" need not agree with the noisy latents, and
        then the formula of the reverse step would miss it by their difference.

        Args:
            estimate: What is believed of the noisy latents.
            noisy: (B, C, h, w), latents at the time of the step.
            index: Number of the step.
            generators: A generator for each row, on the CPU; None where nothing is drawn.

        Raises:
            InputError: There is no such step, the shapes do not fit, or the generators are not one for each row.
        """
        self.check_generators(generators, noisy)
        times = self.times_of(index, noisy)
        if index == len(self._times) - 1:
            return estimate.clean.to(noisy.dtype)
        next_times = self.times_of(index + 1, noisy)
        if not self.is_stochastic:
            return noisy_latents(estimate.clean, estimate.noise, next_times).to(noisy.dtype)
        mean, std = reverse_moments(estimate, noisy, times, times - next_times)
        if generators is None:
            raise InputError(
                "A stochastic step needs a generator for each row",
                value="none",
                remedy="Give generator=[torch.Generator().manual_seed(seed), ...], or set is_stochastic to False.",
            )
        noise = normal_noise(generators, noisy.shape[1:], noisy.device)
        return (mean + std * noise).to(noisy.dtype)

    def times_of(self, index: int, latents: Tensor) -> Tensor:
        """Time of step `index` from 0 for each row of latents (B, C, h, w): float32 (B,), on their device.

        Raises:
            InputError: `set_timesteps` was not called, or there is no such step.
        """
        if not 0 <= index < len(self._times):
            raise InputError(
                f"A step must be from 0 to {len(self._times) - 1}" if self._times else "set_timesteps must come first",
                value=f"step {index}",
                remedy="Call set_timesteps(num_inference_steps), and make as many steps.",
            )
        return torch.full((latents.shape[0],), self._times[index], dtype=torch.float32, device=latents.device)

    def _index_of(self, timestep: Tensor | float) -> int:
        """Number of the step at a time."""
        value = float(timestep)
        for index, time in enumerate(self._times):
            # A time that was written with digits is not exactly that of float32.
            if abs(value - time) <= 1e-6 * time:
                return index
        raise InputError(
            "A timestep must be one of those of set_timesteps" if self._times else "set_timesteps must come first",
            value=f"{value:g}",
            remedy="Call set_timesteps(num_inference_steps), then step(output, t, sample) for each t of timesteps.",
        )

    @staticmethod
    def check_generators(generators: Sequence[torch.Generator] | None, latents: Tensor) -> None:
        """Refuse generators that are not one for each row of latents (B, C, h, w), on the CPU; None is allowed.

        Raises:
            InputError: They are not.
        """
        if generators is None:
            return
        if len(generators) != latents.shape[0]:
            raise InputError(
                f"There must be {latents.shape[0]} generators, one for each row of the latents",
                value=len(generators),
                remedy="Give one for each, so that a row does not depend on the others.",
            )
        others = [generator.device for generator in generators if generator.device.type != "cpu"]
        if others:
            raise InputError(
                "Generators must be on the CPU",
                value=str(others[0]),
                remedy="Use torch.Generator(): its numbers are the same for every device.",
            )
