import signal
import threading

import pytest

from radiodiff.interrupts import interrupts_held, interrupts_kept_out, is_interrupt


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    done = []

    def work() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done.append("after the signal")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["after the signal"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_an_interrupt_nothing_happens() -> None:
    with interrupts_held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_the_block_comes_out() -> None:
    with pytest.raises(ValueError, match="mine"), interrupts_held():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_what_begins_in_the_block_never_sees_an_interrupt() -> None:
    seen = []

    def look() -> None:
        seen.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))

    with interrupts_kept_out():
        inside = threading.Thread(target=look)
        inside.start()
        inside.join()
    look()
    assert seen == [True, False]


def test_an_interrupt_is_found_behind_other_errors() -> None:
    for cause in (KeyboardInterrupt(), ValueError("mine")):
        with pytest.raises(SystemError) as caught:
            raise_behind(cause)
        assert is_interrupt(caught.value) == isinstance(cause, KeyboardInterrupt)
    assert not is_interrupt(None)


def raise_behind(cause: BaseException) -> None:
    try:
        raise cause
    except BaseException:
        raise SystemError from None
