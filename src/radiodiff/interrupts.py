"""Ctrl-C at a safe moment."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupts_held", "interrupts_kept_out", "is_interrupt"]


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends.

    An interrupt that arrives while numba loads a compiled function ends the process with a segmentation fault, and one
    that arrives inside it comes out as a SystemError. Blocks should take seconds at most. Only the main thread of a
    process receives interrupts; elsewhere this does nothing.
    """
    earlier = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(earlier):
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)
    if received:
        earlier(*received[0])


@contextmanager
def interrupts_kept_out() -> Iterator[None]:
    """Keep Ctrl-C out of threads and processes that begin in the block.

    An interrupt goes to all processes of a terminal, and the one that started the others must answer alone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


def is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: typer makes an exit of it, a compiled kernel a SystemError."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
