"""Curves and previews for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path

from radiodiff.training.listeners.logged_steps import LoggedSteps
from radiodiff.training.reports import Listener, StepReport, ValidationReport

__all__ = ["TensorBoardListener"]

OWN_GROUPS = ("lr/", "grad_norm/", "seconds/", "validation/")


class TensorBoardListener(Listener):
    """Writes scalars and the pictures of validations.

    Losses and counts are under `train/`; learning rates, norms, times and metrics keep their own names, as in the JSON
    log. What guard and run say is text.

    Args:
        folder: Folder of the event files.
        every: Steps between two points.
        resume_step: Step that the run goes on from; what lies beyond is hidden. 0 for a new run.
    """

    def __init__(self, folder: Path, every: int, *, resume_step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._steps = LoggedSteps(every)
        self._step = resume_step
        purge_step = resume_step + 1 if resume_step else None
        self._writer = SummaryWriter(str(folder), purge_step=purge_step)

    def on_step(self, report: StepReport) -> None:
        """Write the step where it is logged."""
        self._step = report.step
        logged = self._steps.add(report)
        if logged is not None:
            self._scalars(logged.values, report.step)
        if report.note:
            self.on_message(report.note)

    def on_validation(self, report: ValidationReport) -> None:
        """Write metrics and picture."""
        self._scalars({f"validation/{name}": value for name, value in report.metrics.items()}, report.step)
        if report.preview is not None:
            import numpy as np
            from PIL import Image

            with Image.open(report.preview) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._writer.add_image("validation/preview", pixels, report.step, dataformats="HWC")
        self._writer.flush()

    def on_message(self, text: str) -> None:
        """Write the message at the step the run is at."""
        self._writer.add_text("messages", text, self._step)

    def close(self) -> None:
        """Write what is waiting and close the files."""
        self._writer.close()

    def _scalars(self, values: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

        tags = {name: name if name.startswith(OWN_GROUPS) else f"train/{name}" for name in values}
        points = [Summary.Value(tag=tags[name], simple_value=value) for name, value in values.items()]
        # One event for all of them: an event for each takes five times as long.
        self._writer.file_writer.add_summary(Summary(value=points), step)  # type: ignore[attr-defined]
