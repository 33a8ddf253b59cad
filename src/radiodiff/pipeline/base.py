"""What all models share: they turn conditions, or scenes and transmitters, into radio maps."""

import secrets
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple, Self, Unpack, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from radiodiff.config import checked
from radiodiff.diffusion.noise import draw_generators
from radiodiff.errors import CheckpointError, ConfigError, RadiodiffWarning
from radiodiff.pipeline.condition import SceneEncoder
from radiodiff.pipeline.config import PredictConfig, PredictOptions
from radiodiff.pipeline.guidance import Guide
from radiodiff.pipeline.measurements import Measurements, check_one_each
from radiodiff.pipeline.prediction import OUTSIDE, Graphs, Layout, Sizes, Task, check_condition, padded
from radiodiff.pipeline.prior import Prior
from radiodiff.pipeline.saved_pipeline import SavedPipeline
from radiodiff.pipeline.scene_maps import (
    CallOptions,
    Generators,
    check_generators,
    check_model,
    check_quantiles,
    check_scenes,
    make_requests,
    map_of_draws,
    same_sized,
)
from radiodiff.radio_map import Ensemble, RadioMap
from radiodiff.scene import Scene, Transmitter

__all__ = ["RadioMapPipeline", "Seconds", "evaluating"]

QUANTILES = (0.05, 0.5, 0.95)

PROGRESS_DELAY_S = 2.0
"""What takes less shows no bar."""


class Seconds(NamedTuple):
    """Time that the calls of a pipeline have taken.

    Attributes:
        channels: Conditions of scenes, geometry channels among them [s].
        network: Networks [s].
    """

    channels: float = 0.0
    network: float = 0.0


class RadioMapPipeline(SavedPipeline):
    """A trained model with all it needs to predict radio maps.

    Attributes:
        seconds: Time that its calls have taken since it was made.
        graphs: Its networks in another runtime, which is used in the place of torch, or None.
    """

    seconds = Seconds()
    graphs: Graphs | None = None

    @property
    @abstractmethod
    def sizes(self) -> Sizes:
        """Sizes of maps that the networks take."""

    @abstractmethod
    def _draw_maps(self, task: Task) -> Tensor:
        """Maps (B, num_draws, 1, rows, cols) of a task."""

    @abstractmethod
    def _compile(self) -> None:
        """Compile the parts that take the time."""

    def predict(
        self,
        condition: Tensor,
        generators: Sequence[torch.Generator] | None = None,
        *,
        measurements: Sequence[Measurements | None] | None = None,
        **options: Unpack[PredictOptions],
    ) -> Tensor:
        """Maps of encoded conditions, in eval mode and without gradients; the networks' mode is restored.

        Args:
            condition: (B, C, rows, cols) in [-1, 1], as `record.encoding` says, of any size.
            generators: One for each map, whose draws follow from it, and which moves on by one number; None takes fresh
                ones.
            measurements: Points that the maps are to agree with, for each map or None for one without.
            options: Keys of `PredictConfig`: num_inference_steps, num_draws, is_stochastic, batch_size, window ...

        Returns:
            (B, num_draws, 1, rows, cols) float32 in [-1, 1], on the device of the networks.

        Raises:
            ConfigError: An option is not allowed, or the model cannot work in windows and the maps are larger than
                those of its training.
            InputError: The condition has other channels or is not finite, the generators or measurements are not one
                for each map, or a point is off the map or inside a building.
            CheckpointError: The maps are not finite.
        """
        config = checked(PredictConfig, options)
        check_condition(condition, self.record.encoding)
        if measurements is not None:
            check_one_each(measurements, len(condition))
            for number, given in enumerate(measurements):
                if given is not None and (text := given.far_from(self.record.encoding.target)):
                    warnings.warn(f"Map {number}: {text}", RadiodiffWarning, stacklevel=2)
        return self._predict(condition, generators, measurements, config, lambda _: None)

    def _predict(
        self,
        condition: Tensor,
        generators: Sequence[torch.Generator] | None,
        measurements: Sequence[Measurements | None] | None,
        config: PredictConfig,
        advance: Callable[[int], object],
    ) -> Tensor:
        record = self.record
        if generators is None:
            generators = [torch.Generator().manual_seed(secrets.randbits(63)) for _ in condition]
        check_generators(generators, len(condition))
        points = [None] * len(condition) if measurements is None else measurements
        rows, cols = condition.shape[2:]
        layout = Layout.of((rows, cols), self.sizes, record, config)
        sources = [draw_generators(generator, config.num_draws) for generator in generators]
        with torch.inference_mode(), evaluating(self.networks.values()):
            condition = condition.to(self.device, torch.float32)
            prior_maps = None if self.prior is None else self._prior_maps(self.prior, condition, layout, config)
            guide = None
            if any(given is not None for given in points):
                guide = Guide.of(points, record.encoding, condition, sources, config.guidance_steps)
            task = Task(
                condition=padded(condition, layout.shape, record.encoding),
                plan=layout.plan,
                generators=sources,
                num_inference_steps=config.num_inference_steps or record.num_inference_steps,
                num_draws=config.num_draws,
                is_stochastic=record.is_stochastic if config.is_stochastic is None else config.is_stochastic,
                batch_size=config.batch_size,
                guide=guide,
                advance=advance,
                prior=self.prior,
                prior_maps=prior_maps,
            )
            maps = self._draw_maps(task)[..., :rows, :cols].float()
            maps = (maps if guide is None else guide.corrected_maps(maps)).clamp(-1.0, 1.0)
        if not bool(maps.isfinite().all()):
            raise CheckpointError(
                "Maps of a model must be finite",
                value=f"{int((~maps.isfinite()).sum())} of {maps.numel()} cells are not, in {self.dtype}",
                remedy="In float16 numbers may grow too large: use bfloat16 or float32. Else the weights are damaged.",
            )
        # Tensors of inference mode take no part in what the caller may do with gradients.
        return maps.clone()

    @staticmethod
    def _prior_maps(prior: Prior, condition: Tensor, layout: Layout, config: PredictConfig) -> Tensor:
        """Priors of maps, padded as their conditions."""
        maps = prior.maps(
            condition, batch_size=config.batch_size, window="whole" if config.window == "whole" else "auto"
        )
        rows, cols = (full - length for full, length in zip(layout.shape, maps.shape[2:], strict=True))
        return pad(maps, (0, cols, 0, rows), value=OUTSIDE)

    @overload
    def __call__(self, scene: Scene, tx: Transmitter, **options: Unpack[CallOptions]) -> RadioMap: ...

    @overload
    def __call__(self, scene: Scene, tx: Sequence[Transmitter], **options: Unpack[CallOptions]) -> list[RadioMap]: ...

    @overload
    def __call__(
        self, scene: Sequence[Scene], tx: Transmitter | Sequence[Transmitter], **options: Unpack[CallOptions]
    ) -> list[RadioMap]: ...

    def __call__(
        self,
        scene: Scene | Sequence[Scene],
        tx: Transmitter | Sequence[Transmitter],
        *,
        generator: Generators = None,
        measurements: Measurements | Sequence[Measurements | None] | None = None,
        quantiles: Sequence[float] = QUANTILES,
        return_draws: bool = False,
        **options: Unpack[PredictOptions],
    ) -> RadioMap | list[RadioMap]:
        """Radio maps of scenes and transmitters: the mean of the draws' path loss in dB, NaN inside buildings.

        A bar shows the progress of what takes longer than two seconds; `set_progress_bar_config(disable=True)` turns it
        off.

        Args:
            scene: A scene, or one for each transmitter.
            tx: A transmitter, or one for each scene; several on one scene share the work of its geometry channels.
            generator: Source of the draws. Of several maps each gets a seed of its own from it; a list has one for each
                map. None takes fresh seeds. `RadioMap.meta["seed"]` is the seed that makes a map again.
            measurements: Points that the map is to agree with; for several maps a list, with None for a map without. A
                model that was trained with measured points sees them; any other is guided towards them: a single draw
                to their values, several draws each to values that differ from them by the measurements' error.
            quantiles: Shares of the quantiles in `RadioMap.ensemble`; a single draw has none.
            return_draws: Keep each draw in `RadioMap.ensemble`; needs more than one.
            options: Keys of `PredictConfig`: num_inference_steps, num_draws, is_stochastic, batch_size, window ...

        Returns:
            A radio map, or a list of them where a list was given. With more than one draw it has an `ensemble`:
            standard deviation, quantiles, and draws where they are wanted.

        Raises:
            ConfigError: An option is not allowed, or the model cannot do what it is asked for.
            GridError: A scene is too small.
            SceneError: A scene has no cell outside buildings.
            TransmitterError: A transmitter stands off the grid or inside a building.
            InputError: Something is of another kind, lists have different lengths, a measured point is off the map or
                inside a building, or the model needs measurements and has none.
        """
        config = checked(PredictConfig, options)
        check_quantiles(quantiles)
        if return_draws and config.num_draws == 1:
            raise ConfigError(
                "return_draws must be with num_draws of at least 2",
                value="num_draws=1",
                remedy="The map itself is the single draw: leave return_draws out.",
            )
        record = self.record
        requests = make_requests(scene, tx, measurements, generator)
        check_model(record)
        check_scenes(requests, self.sizes)
        self.training_range.warn_of_far([(request.scene, request.tx) for request in requests], stacklevel=2)
        encoder = SceneEncoder(record.encoding, record.data)
        # All of them before the first draw: a mistake in the last scene shows at once.
        for shape in {request.scene.grid.shape for request in requests}:
            Layout.of(shape, self.sizes, record, config)
        for request in requests:
            encoder.check(request.scene, request.tx, request.measurements)
        num_steps = config.num_inference_steps or record.num_inference_steps
        facts: dict[str, Any] = {
            "model": type(self).__name__,
            "num_inference_steps": num_steps,
            "num_draws": config.num_draws,
            "is_stochastic": record.is_stochastic if config.is_stochastic is None else config.is_stochastic,
        }

        def ensemble_of(draws_db: NDArray[np.float64]) -> Ensemble | None:
            return Ensemble.of_draws(draws_db, quantiles, keep=return_draws) if len(draws_db) > 1 else None

        maps: dict[int, RadioMap] = {}
        with self.progress_bar(total=len(requests) * config.num_draws * num_steps) as bar:
            # As many as fill a batch with their draws.
            for numbers in same_sized(requests, max(1, config.batch_size // config.num_draws)):
                chosen = [requests[number] for number in numbers]
                started = perf_counter()
                conditions = [encoder.condition(one.scene, one.tx, one.measurements) for one in chosen]
                encoded = perf_counter()
                draws = self._predict(
                    torch.from_numpy(np.stack(conditions)),
                    [one.generator for one in chosen],
                    [None if encoder.needs_measurements else one.measurements for one in chosen],
                    config,
                    bar.update,
                )
                arrays = draws[:, :, 0].cpu().numpy()
                self.seconds = Seconds(
                    self.seconds.channels + encoded - started, self.seconds.network + perf_counter() - encoded
                )
                for number, found in zip(numbers, arrays, strict=True):
                    maps[number] = map_of_draws(found, requests[number], record.encoding, ensemble_of, facts)
        is_single = isinstance(scene, Scene) and isinstance(tx, Transmitter)
        return maps[0] if is_single else [maps[number] for number in range(len(requests))]

    def progress_bar(self, iterable: Any = None, total: int | None = None) -> Any:
        """See `DiffusionPipeline`; it appears after two seconds."""
        given = getattr(self, "_progress_bar_config", {})
        self._progress_bar_config = {"delay": PROGRESS_DELAY_S, "desc": type(self).__name__, "unit": "step"} | given
        return super().progress_bar(iterable, total)

    def prepare(self, *, compile: bool = False, channels_last: bool = False) -> Self:
        """Make the networks faster; the results differ by rounding. Returns the pipeline.

        Args:
            compile: Compile them at the first use, which takes a minute on a CPU.
            channels_last: Keep images with their channels last, as convolutions of many devices want them.
        """
        if channels_last:
            for network in self.networks.values():
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if compile:
            self._compile()
        return self


@contextmanager
def evaluating(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Have networks in eval mode, and as they were afterwards."""
    training = [module for network in networks for module in network.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
