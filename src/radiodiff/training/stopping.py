"""When a run ends before its last step: a time budget, or a signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

__all__ = ["SIGNALS", "StopRequest"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a run should end after the step it is in.

    Args:
        max_minutes: Time budget from now on [min], or None.

    Attributes:
        received: Number of the signal that came to this process, or None.
        signal: Number of the signal that ended the run, or None: what all processes agreed on.
    """

    def __init__(self, max_minutes: float | None = None) -> None:
        self._end = None if max_minutes is None else monotonic() + 60.0 * max_minutes
        self.received: int | None = None
        self.signal: int | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether this process thinks that the run should end."""
        return self.received is not None or (self._end is not None and monotonic() >= self._end)

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        return "the time budget is used up" if self.signal is None else f"{signal.Signals(self.signal).name} came"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as requests while the block runs; a second one interrupts it.

        Only the main thread of a process receives signals; elsewhere this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {number: signal.getsignal(number) for number in SIGNALS}
        for number in SIGNALS:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
