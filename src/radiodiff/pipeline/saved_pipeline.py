"""Models in folders.

```
model_index.json        the classes of the components, as diffusers writes them
pipeline.py             lets `DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)` find the class
radiodiff.json          PipelineRecord: encoding, scale, data, training
training_range.json     TrainingRange, where more is known of the training than the record says
<component>/            settings and weights of each component
```
"""

import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import SafetensorError
from torch import nn

from radiodiff.atomic_file import atomic_folder
from radiodiff.errors import CheckpointError, InputError
from radiodiff.pipeline.component import align_weights, load_component, read_json
from radiodiff.pipeline.model_folder import INDEX_FILE, class_in, find_pipeline
from radiodiff.pipeline.prior import MeanModel, Prior
from radiodiff.pipeline.record import RECORD_FILE, PipelineKind, PipelineRecord
from radiodiff.pipeline.training_range import TrainingRange

__all__ = ["SavedPipeline"]

CLASS_FILE = "pipeline.py"
LARGEST_SHARD = 10 * 10**9
COMPONENTS = "radiodiff.pipeline.components"
CLASS_TEXT = '"""The class of this model, for diffusers."""\n\nfrom radiodiff import {name}\n\n__all__ = ["{name}"]\n'


class SavedPipeline(DiffusionPipeline, ABC):
    """A pipeline of diffusers with a record, in a folder that is whole or not there.

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
        self._training_range: TrainingRange | None = None
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

    @cached_property
    def prior(self) -> Prior | None:
        """What its maps are predicted as the difference to, or None.

        Raises:
            InputError: The components or the condition do not fit it.
        """
        known = self.record.prior
        return None if known is None else Prior(known, self.record.encoding, self._mean_model())

    def _mean_model(self) -> MeanModel | None:
        """The regression that predicts its prior, or None."""
        return None

    @property
    def training_range(self) -> TrainingRange:
        """What the maps of its training were like; what its record knows where nothing else is said."""
        return self._training_range or TrainingRange.of_record(self.record)

    @training_range.setter
    def training_range(self, known: TrainingRange) -> None:
        self._training_range = known

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The components that are networks, by name."""
        return {name: part for name, part in self.components.items() if isinstance(part, nn.Module)}

    @classmethod
    @abstractmethod
    def component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """Class of each component, by name."""

    @classmethod
    def optional_component_classes(cls) -> Mapping[str, type[ConfigMixin]]:
        """Class of each component that is there where a regression predicts the prior, by name."""
        return {}

    @abstractmethod
    def _channel_counts(self) -> Mapping[str, tuple[object, object]]:
        """What must agree: (found, wanted) by description."""

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
        try:
            _ = self.prior
        except InputError as found_error:
            raise error(found_error.rule, value=found_error.value, remedy=found_error.remedy) from found_error

    def save_pretrained(  # type: ignore[override]
        self, save_directory: str | os.PathLike[str], *, max_shard_size: int = LARGEST_SHARD
    ) -> None:
        """Write the model beside its place and move it there; an earlier model is replaced when this one is whole.

        Args:
            save_directory: Its place; the folder above it is made where it is not there.
            max_shard_size: Weights of a component with more bytes are spread over several files.

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
                super().save_pretrained(temporary, max_shard_size=max_shard_size)
                record_file = temporary / RECORD_FILE
                record_file.write_text(text, encoding="utf-8")
                self._write_class(temporary)
                if self._training_range is not None:
                    self._training_range.write(temporary)
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
        """Say where the classes are that are none of diffusers' own."""
        name = type(self).__name__
        (folder / CLASS_FILE).write_text(CLASS_TEXT.format(name=name), encoding="utf-8")
        index = read_json(folder / INDEX_FILE)
        # Where the components were loaded from is nobody's business.
        index.pop("_name_or_path", None)
        index["_class_name"] = [CLASS_FILE.removesuffix(".py"), name]
        for component in self.optional_component_classes():
            if getattr(self, component) is None:
                del index[component]
        for component in {*self.component_classes(), *self.optional_component_classes()} & set(index):
            library, class_name = index[component]
            index[component] = [COMPONENTS if library.startswith("radiodiff.") else library, class_name]
        (folder / INDEX_FILE).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: str | os.PathLike[str], torch_dtype: torch.dtype | None = None
    ) -> Self:
        """A saved model, on the CPU and in eval mode: the same bits as the one that was saved.

        Args:
            pretrained_model_name_or_path: Its folder, or a finished run that holds it.
            torch_dtype: Type of the weights; None takes float32.

        Raises:
            CheckpointError: The folder is not there or not whole, a file is damaged, a newer version wrote it, or it is
                another kind of model.
        """
        folder = find_pipeline(pretrained_model_name_or_path)
        name = class_in(folder)
        if name != cls.__name__:
            raise CheckpointError(
                f"The folder of a {cls.__name__} must hold one",
                value=f"{folder}, a {name}",
                remedy="radiodiff.load_pipeline opens every kind of model.",
            )
        record, training_range = PipelineRecord.read(folder), TrainingRange.read(folder)
        kinds = dict(cls.component_classes())
        if record.prior is not None and record.prior.model is not None:
            kinds |= cls.optional_component_classes()
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
        pipeline._training_range = training_range
        pipeline.register_to_config(_name_or_path=str(folder))  # type: ignore[no-untyped-call]
        return pipeline


def _holds_model_or_nothing(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir()}
    return not names or {RECORD_FILE, INDEX_FILE} <= names
