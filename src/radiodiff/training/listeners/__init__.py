"""What follows a run: a bar on the terminal, a log for programs, one for people, and TensorBoard."""

from radiodiff.training.listeners.json_lines import JsonLinesListener
from radiodiff.training.listeners.progress import ProgressListener
from radiodiff.training.listeners.tensorboard import TensorBoardListener
from radiodiff.training.listeners.text_log import TextLogListener

__all__ = ["JsonLinesListener", "ProgressListener", "TensorBoardListener", "TextLogListener"]
