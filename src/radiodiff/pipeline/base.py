"""What all models share: they turn conditions, or scenes and transmitters, into radio maps, and are kept in a folder.

```
model_index.json        the classes of the components, as diffusers writes them
pipeline.py             lets `DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)` find the class
radiodiff.json          PipelineRecord: encoding, scale, data, training
<component>/            settings and weights of each component
```
"""

import json
import os
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import SafetensorError
from torch import Tensor, nn

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline.component import align_weights, load_component, read_json
from radiodiff.pipeline.config import PredictConfig, PredictOptions
from radiodiff.pipeline.guidance import Guide
from radiodiff.pipeline.measurements import Measurements
from radiodiff.pipeline.prediction import Layout, Sizes, Task, check_condition, padded
from radiodiff.pipeline.record import RECORD_FILE, PipelineKind, PipelineRecord

__all__ = ["INDEX_FILE", "RadioMapPipeline"]

INDEX_FILE = "model_index.json"
CLASS_FILE = "pipeline.py"
CLASS_TEXT = '"""The class of this model, for diffusers."""\n\nfrom radiodiff import {name}\n\n__all__ = ["{name}"]\n'


class RadioMapPipeline(DiffusionPipeline, ABC):
    """A trained model with all it needs to predict radio maps.

    Attributes:
        kind: What it is called in its record.
    """

    kind: ClassVar[PipelineKind]

    def _set_up(self, record: PipelineRecord | None, **components: Any) -> None:
        """Take in the components; what `__init__` of each class does."""
        self.register_modules(**components)  # type: ignore[no-untyped-call]
        for network in self.networks.values():
            align_weights(network)
        self._record = record
        if record is not None:
            self._check(InputError)

    @property
    def record(self) -> PipelineRecord:
        """What the model was trained for.

        Raises:
            CheckpointError: diffusers loaded the components from a folder without a record.
            InputError: It was made without one.
        """
        if self._record is None:
            # diffusers' own loader passes no record, but says where the components came from.
            folder = self.config.get("_name_or_path")
            if folder is None:
                raise InputError(
                    f"{type(self).__name__} must have a record to be used",
                    value="record=None",
                    remedy="Pass a PipelineRecord, or load the model by radiodiff.load_pipeline.",
                )
            self._record = PipelineRecord.read(Path(folder))
            self._check(CheckpointError)
        return self._record

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The components that are networks, by name."""
        return {name: part for name, part in self.components.items() if isinstance(part, nn.Module)}

    @classmethod
    @abstractmethod
    def component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """Class of each component, by name."""

    @property
    @abstractmethod
    def sizes(self) -> Sizes:
        """Sizes of maps that the networks take."""

    @abstractmethod
    def _channel_counts(self) -> Mapping[str, tuple[object, object]]:
        """What must agree: (found, wanted) by description."""

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
        return self._predict(condition, generators, measurements, PredictConfig(**options), lambda _: None)

    def _predict(
        self,
        condition: Tensor,
        generators: Sequence[torch.Generator] | None,
        measurements: Sequence[Measurements | None] | None,
        config: PredictConfig,
        advance: Callable[[int], object],
    ) -> Tensor:
        record = self.record
        check_condition(condition, record.encoding)
        if generators is None:
            generators = [torch.Generator().manual_seed(secrets.randbits(63)) for _ in condition]
        if len(generators) != len(condition):
            raise InputError(
                "Generators must be one for each map",
                value=f"{len(generators)} for {len(condition)} maps",
                remedy="Give [torch.Generator().manual_seed(seed), ...]: no map then depends on the others.",
            )
        rows, cols = condition.shape[2:]
        layout = Layout.of((rows, cols), self.sizes, record, config)
        with torch.inference_mode(), _evaluating(self.networks.values()):
            condition = condition.to(self.device, torch.float32)
            given = measurements is not None and any(points is not None for points in measurements)
            guide = None
            if measurements is not None and (given or len(measurements) != len(condition)):
                guide = Guide.of(measurements, record.encoding, condition, config.guidance_steps)
            task = Task(
                condition=padded(condition, layout.shape, record.encoding),
                plan=layout.plan,
                generators=generators,
                num_inference_steps=config.num_inference_steps or record.num_inference_steps,
                num_draws=config.num_draws,
                is_stochastic=record.is_stochastic if config.is_stochastic is None else config.is_stochastic,
                batch_size=config.batch_size,
                guide=guide,
                advance=advance,
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

    def _check(self, error: type[InputError] | type[CheckpointError]) -> None:
        """Compare the components with the record and with each other."""
        record = self.record
        if record.kind != self.kind:
            raise error(
                f"The record of a {type(self).__name__} must be of kind {self.kind!r}",
                value=f"kind {record.kind!r}",
                remedy="Use the class of that kind, or radiodiff.load_pipeline.",
            )
        for what, (found, wanted) in self._channel_counts().items():
            if found != wanted:
                raise error(
                    f"The components of a model must fit: {what}",
                    value=f"{found} and {wanted}; its condition is {', '.join(record.encoding.names)}",
                    remedy="Put parts of one training together.",
                )

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:  # type: ignore[override]
        """Write the model beside its place and move it there; an earlier model is replaced when this one is whole.

        Args:
            save_directory: Its place; the folder above it is made where it is not there.

        Raises:
            InputError: The record holds more than JSON types.
            CheckpointError: The system refuses, the disk is full, or the place holds something else; what was there is
                untouched.
        """
        target = Path(save_directory)
        text = self.record.to_json()
        if target.exists() and not (target.is_dir() and _holds_model_or_nothing(target)):
            raise CheckpointError(
                "A model must replace an earlier one, or nothing",
                value=f"{target}, which is something else",
                remedy="Use another folder.",
            )
        try:
            with atomic_folder(target, is_forced=True) as temporary:
                super().save_pretrained(temporary)
                record_file = temporary / RECORD_FILE
                record_file.write_text(text, encoding="utf-8")
                self._write_class(temporary)
                for weights in temporary.rglob("*.safetensors"):
                    # safetensors gives its files to their owner alone.
                    shutil.copymode(record_file, weights)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                "A model must be writable",
                value=f"{target} ({error})",
                remedy="Check the rights of the folder and the free space on the disk.",
            ) from error

    def _write_class(self, folder: Path) -> None:
        """Say where the class is, which is none of diffusers' own."""
        name = type(self).__name__
        (folder / CLASS_FILE).write_text(CLASS_TEXT.format(name=name), encoding="utf-8")
        index = read_json(folder / INDEX_FILE)
        # Where the components were loaded from is nobody's business.
        index.pop("_name_or_path", None)
        index["_class_name"] = [CLASS_FILE.removesuffix(".py"), name]
        (folder / INDEX_FILE).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: str | os.PathLike[str], torch_dtype: torch.dtype | None = None
    ) -> Self:
        """A saved model, on the CPU and in eval mode: the same bits as the one that was saved.

        Args:
            pretrained_model_name_or_path: Its folder.
            torch_dtype: Type of the weights; None takes float32.

        Raises:
            CheckpointError: The folder is not there or not whole, a file is damaged, a newer version wrote it, or it is
                another kind of model.
        """
        folder = Path(pretrained_model_name_or_path)
        name = class_in(folder)
        if name != cls.__name__:
            raise CheckpointError(
                f"The folder of a {cls.__name__} must hold one",
                value=f"{folder}, a {name}",
                remedy="radiodiff.load_pipeline opens every kind of model.",
            )
        record = PipelineRecord.read(folder)
        kinds = cls.component_classes()
        for component in kinds:
            if not (folder / component).is_dir():
                raise CheckpointError(
                    f"A {name} must have the components {', '.join(kinds)}",
                    value=f"{folder} without {component}",
                    remedy="The folder is not whole: copy or export the model again.",
                )
        components = {
            component: load_component(folder / component, kind, torch_dtype or torch.float32)
            for component, kind in kinds.items()
        }
        try:
            pipeline = cls(**components, record=record)  # type: ignore[call-arg]
        except InputError as error:
            raise CheckpointError(error.rule, value=f"{error.value} ({folder})", remedy=error.remedy) from error
        pipeline.register_to_config(_name_or_path=str(folder))  # type: ignore[no-untyped-call]
        return pipeline


@contextmanager
def _evaluating(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Have networks in eval mode, and as they were afterwards."""
    training = [module for network in networks for module in network.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def class_in(folder: Path) -> str:
    """Name of the class of a saved model.

    Raises:
        CheckpointError: The folder holds no model, or its index is damaged.
    """
    if not folder.is_dir():
        raise CheckpointError("The folder of a model must exist", value=folder, remedy="Check the path.")
    name = read_json(folder / INDEX_FILE).get("_class_name")
    return str(name[-1] if isinstance(name, list) and name else name)


def _holds_model_or_nothing(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or {RECORD_FILE, INDEX_FILE} <= names
