import pickle

import pytest

import radiodiff.errors as errors

KINDS = [getattr(errors, name) for name in errors.__all__ if name != "RadiodiffWarning"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_has_rule_value_and_remedy(kind: type[errors.RadiodiffError]) -> None:
    error = kind("A thing must be big", value=3, remedy="Make it bigger.")
    assert str(error) == "A thing must be big; got 3. Make it bigger."
    assert (error.rule, error.value, error.remedy) == ("A thing must be big", 3, "Make it bigger.")


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_the_way_back_from_a_worker_process(kind: type[errors.RadiodiffError]) -> None:
    error = pickle.loads(pickle.dumps(kind("A rule", value=(1, "x"), remedy="A remedy.")))
    assert type(error) is kind
    assert str(error) == "A rule; got (1, 'x'). A remedy."
    assert error.value == (1, "x")


@pytest.mark.parametrize("kind", KINDS)
def test_all_errors_have_one_base(kind: type[errors.RadiodiffError]) -> None:
    assert issubclass(kind, errors.RadiodiffError)


@pytest.mark.parametrize("kind", [*errors.InputError.__subclasses__(), errors.InputError, errors.FormatError])
def test_bad_input_is_also_a_value_error(kind: type[errors.RadiodiffError]) -> None:
    assert issubclass(kind, ValueError)


def test_every_error_is_public() -> None:
    defined = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    assert defined == set(errors.__all__)
