"""Logs read back: ours, those of the published code, and damaged ones."""

import math
from pathlib import Path

import numpy as np
import pytest
from step_reports import step_report

from radiodiff.errors import FormatError
from radiodiff.training.listeners import JsonLinesListener, TextLogListener
from radiodiff.training.log_lines import ParsedLog, parse_log
from radiodiff.training.reports import Listener, ValidationReport

STAMP = "2025-08-15 20:41:07,123"
ORIGINAL = f"{STAMP} [Train Step] 35000/150000: train/total_loss: 1916.70959, train/kl_loss: -0.00012, lr: 0.00000, "


def parsed(tmp_path: Path, text: str) -> ParsedLog:
    path = tmp_path / "some.log"
    path.write_bytes(text.encode())
    return parse_log(path)


def columns(log: ParsedLog) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in log.values.items()}


def test_a_line_of_the_published_code(tmp_path: Path) -> None:
    log = parsed(tmp_path, ORIGINAL + "\n")
    assert (log.kind, log.skipped_lines, log.num_repeated) == ("original", 0, 0)
    assert log.steps.tolist() == [35000]
    assert columns(log) == {"train/total_loss": [1916.70959], "train/kl_loss": [-0.00012], "lr": [0.0]}


def test_every_way_to_write_a_number(tmp_path: Path) -> None:
    numbers = {"-3": -3.0, "+2.": 2.0, ".5": 0.5, "1e-07": 1e-7, "-2.5E+3": -2500.0, "inf": math.inf, "-inf": -math.inf}
    pairs = ", ".join(f"loss {i}: {text}" for i, text in enumerate(numbers))
    log = parsed(tmp_path, f"{STAMP} [step] 7/10: {pairs}, last: nan\n")
    assert [values[0] for values in log.values.values()][:-1] == list(numbers.values())
    assert math.isnan(log.values["last"][0])
    assert log.kind == "text"


@pytest.mark.parametrize("kind", ["text", "json"])
def test_our_own_logs_are_read_back(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    listener: Listener = TextLogListener(path, 2) if kind == "text" else JsonLinesListener(path, 2)
    for step in range(1, 7):
        listener.on_step(step_report(step, {"nll": -1.5 * step, "kl": 1e-12 * step}, max_steps=6))
    losses = {"nll": math.nan, "kl": math.inf}
    listener.on_step(step_report(7, losses, is_skipped=True, num_skipped=1, note="nll: nan, step skipped: 1"))
    listener.on_validation(ValidationReport(step=6, metrics={"rmse": 0.25}, num_examples=4, protocol="raw: 4 maps"))
    listener.on_message("saved step 6: all well")
    listener.close()
    log = parse_log(path)
    assert (log.kind, log.skipped_lines, log.num_repeated) == (kind, 0, 0)
    assert log.steps.tolist() == [1, 2, 4, 6, 7]
    assert np.allclose(log.values["nll"], [-1.5, -3.0, -5.25, -8.25, np.nan], equal_nan=True)
    assert np.allclose(log.values["kl"][:4], [1e-12, 2e-12, 3.5e-12, 5.5e-12], rtol=1e-5, atol=0)
    # JSON has no infinity.
    assert not math.isfinite(log.values["kl"][4])
    assert log.values["skipped"].tolist() == [0, 0, 0, 0, 1]
    assert log.values["lr/autoencoder"].tolist() == [5e-6] * 5
    assert np.array_equal(log.values["validation/rmse"], [np.nan, np.nan, np.nan, 0.25, np.nan], equal_nan=True)


def test_the_last_of_repeated_steps_counts(tmp_path: Path) -> None:
    lines = [
        f"{STAMP} [step] {step}/9: nll: {value}" for step, value in ((2, 1), (4, 2), (6, 3), (4, 20), (6, 30), (8, 4))
    ]
    log = parsed(tmp_path, "\n".join([*lines, f"{STAMP} [validation] 4: rmse: 0.5", ""]))
    assert log.steps.tolist() == [2, 4, 6, 8]
    assert log.values["nll"].tolist() == [1, 20, 30, 4]
    # A step and its validation are no repetition.
    assert log.num_repeated == 2


GARBLED = {
    "text of another program": "UserWarning: the [step] is 3",
    "a bar": " 45%|####      | 45/100 [00:10<00:12,  4.50it/s]",
    "two lines in one": f"{STAMP} [step] 5/9: nll: 1.5{STAMP} [step] 6/9: nll: 2.5",
    "a message inside a line": f"{STAMP} [step] 5/9: nll: 1.5, k[rank1] warning: low memory, kl: 3",
    "no step": f"{STAMP} [step] : nll: 3",
    "no colon": f"{STAMP} [step] 5/9 nll: 3",
    "no number": f"{STAMP} [step] 5/9: nll: None, kl: 2",
    "a tensor": f"{STAMP} [step] 5/9: nll: tensor(3.0), kl: 2",
    "nothing": f"{STAMP} [step] 5/9: ",
    "binary": "\x00\x01\x02",
}


@pytest.mark.parametrize("garbled", GARBLED.values(), ids=GARBLED)
def test_a_garbled_line_gives_no_number_and_is_counted(tmp_path: Path, garbled: str) -> None:
    text = f"{STAMP} [step] 4/9: nll: 1\n{garbled}\n\n{STAMP} [step] 6/9: nll: 2\n"
    log = parsed(tmp_path, text)
    assert (log.steps.tolist(), columns(log)) == ([4, 6], {"nll": [1.0, 2.0]})
    assert log.skipped_lines == 1


def test_a_bar_before_a_line_does_not_hide_it(tmp_path: Path) -> None:
    log = parsed(tmp_path, f" 45%|####  | 45/100\r46%|####  | 46/100 {ORIGINAL}\n")
    assert (log.steps.tolist(), log.skipped_lines) == ([35000], 1)


def test_windows_line_ends_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    path.write_bytes(f"{ORIGINAL}\r\n".encode() + b"\xff\xfe\r\n" + f"{ORIGINAL}\r\n".encode())
    log = parse_log(path)
    assert (log.steps.tolist(), log.skipped_lines, log.num_repeated) == ([35000], 1, 1)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_line_cut_short_never_gives_a_wrong_number(tmp_path: Path, cut: int) -> None:
    whole = f"{STAMP} [step] 4/9: nll: 1\n"
    last = f"{STAMP} [step] 6/9: nll: 1916.71, lr/autoencoder: 5e-06, kl: 250"
    assert len(last) > 60
    log = parsed(tmp_path, whole + last[:-cut])
    assert (log.steps.tolist(), log.skipped_lines) == ([4], 1)


def test_the_end_of_a_line_of_the_published_code_shows(tmp_path: Path) -> None:
    first = ORIGINAL.replace("35000/", "34900/") + "\n"
    assert parsed(tmp_path, first + ORIGINAL).steps.tolist() == [34900, 35000]
    assert parsed(tmp_path, first + ORIGINAL.rstrip()).steps.tolist() == [34900, 35000]
    assert parsed(tmp_path, first + ORIGINAL[:-4]).steps.tolist() == [34900]


def test_json_lines_cut_short_or_foreign(tmp_path: Path) -> None:
    lines = ['{"step": 1, "nll": 2.5, "note": "x", "is_skipped": true}', "oops", "[1]", '{"nll": 3}', '{"step": true}']
    log = parsed(tmp_path, "\n".join([*lines, '{"step": 2, "nll": 1', ""]))
    assert (log.kind, log.steps.tolist(), columns(log)) == ("json", [1], {"nll": [2.5]})
    assert log.skipped_lines == 5
    # A whole object is whole without a line end.
    assert parsed(tmp_path, '{"step": 1, "nll": 2}\n{"step": 2, "nll": 3}').steps.tolist() == [1, 2]


@pytest.mark.parametrize("text", ["", "hello\n", f"{STAMP} [message] nothing yet\n", '{"note": 3}\n'])
def test_a_log_without_a_step_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="must hold a step"):
        parsed(tmp_path, text)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.log", tmp_path):
        with pytest.raises(FormatError, match="file that can be read"):
            parse_log(path)
