"""How errors and interrupts reach the user."""

import sys
import warnings
from collections.abc import Callable

import pytest

from radiodiff.cli import main as command_line
from radiodiff.errors import GridError, InputError, RadiodiffWarning


def run(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> object:
    """Exit code of a command that does `work`."""
    monkeypatch.setattr(sys, "argv", ["radiodiff", "simulate", "--buildings", "a", "--tx", "1,1", "--out", "b"])
    monkeypatch.setattr("radiodiff.cli.layout_request._position", lambda text: work())
    with pytest.raises(SystemExit) as end:
        command_line.main()
    return end.value.code


def test_what_was_given_wrong(monkeypatch, capsys) -> None:
    def work() -> None:
        raise GridError("A grid must be " + "very " * 30 + "good", value="a bad one", remedy="Try again.")

    assert run(monkeypatch, work) == 2
    text = capsys.readouterr().err
    assert text.startswith("error: A grid must be very")
    assert text.endswith("got a bad one. Try again.\n")
    assert max(map(len, text.splitlines())) <= 100


def test_what_the_system_refuses(monkeypatch, capsys) -> None:
    def work() -> None:
        raise PermissionError(13, "Permission denied", "secret.png")

    assert run(monkeypatch, work) == 2
    assert " ".join(capsys.readouterr().err.split()) == (
        "error: The system must allow every file operation; got [Errno 13] Permission denied: 'secret.png'. "
        "Check the path, the rights and the free space."
    )


def test_an_interrupt(monkeypatch, capsys) -> None:
    def work() -> None:
        raise KeyboardInterrupt

    assert run(monkeypatch, work) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_interrupt_inside_a_kernel(monkeypatch, capsys) -> None:
    """Compiled code that returns with an exception pending: Python makes a SystemError of it."""

    def work() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise SystemError("returned a result with an exception set") from interrupt

    assert run(monkeypatch, work) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch) -> None:
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, work)


def test_warnings_for_the_user_are_paragraphs_and_others_stay(monkeypatch, capsys) -> None:
    def work() -> None:
        warnings.warn("The scene is odd.", RadiodiffWarning, stacklevel=1)
        raise InputError("A thing must be big", value=3, remedy="Make it bigger.")

    assert run(monkeypatch, work) == 2
    assert capsys.readouterr().err.startswith("warning: The scene is odd.\nerror: A thing must be big")

    def other() -> None:
        warnings.warn("of a library", DeprecationWarning, stacklevel=1)

    with pytest.raises(DeprecationWarning, match="of a library"):
        run(monkeypatch, other)
