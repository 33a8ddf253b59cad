"""Counts of parameters, and freezing by name."""

import pytest
import torch
from diffusers import AutoencoderKL
from torch import nn

from radiodiff.errors import ConfigError
from radiodiff.models.parameters import ParameterRow, freeze, parameter_report


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 1)
        self.act = nn.ReLU()
        self.scale = nn.Parameter(torch.ones(4))


def test_each_network_and_each_part_has_a_row() -> None:
    pair = Pair()
    pair.first.bias.requires_grad_(False)
    assert parameter_report({"pair": pair, "other": nn.Linear(1, 1)}) == (
        ParameterRow("pair", trainable=14, frozen=3),
        ParameterRow("pair.first", trainable=6, frozen=3),
        ParameterRow("pair.second", trainable=4, frozen=0),
        ParameterRow("other", trainable=2, frozen=0),
    )
    assert parameter_report({"pair": pair})[0].total == 17


def test_a_shared_parameter_counts_once() -> None:
    pair = Pair()
    pair.second.weight = nn.Parameter(torch.ones(3, 1))
    pair.first.weight = pair.second.weight
    assert parameter_report({"pair": pair})[0].total == 3 + 3 + 1 + 4


def test_patterns_freeze_what_they_mean(tiny: AutoencoderKL) -> None:
    frozen = freeze(tiny, ("encoder.*", "*norm?.bias"))
    names = [name for name, _ in tiny.named_parameters()]
    expected = [n for n in names if n.startswith("encoder.") or n.endswith(("norm1.bias", "norm2.bias"))]
    assert list(frozen) == expected
    assert {name for name, p in tiny.named_parameters() if not p.requires_grad} == set(expected)
    rows = {row.name: row for row in parameter_report({"autoencoder": tiny})}
    assert rows["autoencoder.encoder"].trainable == 0
    assert rows["autoencoder.decoder"].frozen > 0
    total = rows["autoencoder"]
    assert total.frozen == sum(p.numel() for p in tiny.parameters() if not p.requires_grad)


def test_no_pattern_freezes_nothing(tiny: AutoencoderKL) -> None:
    assert freeze(tiny, ()) == ()
    assert all(parameter.requires_grad for parameter in tiny.parameters())


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("encodr.*", r"Did you mean 'encoder\.\*'"),
        ("Encoder.*", r"Did you mean 'encoder\.\*'"),
        ("quant_conv.wieght", r"Did you mean 'quant_conv\.weight'"),
        ("xyz", "Its parts: encoder, decoder, quant_conv, post_quant_conv; write for example 'encoder"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused(tiny: AutoencoderKL, pattern: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=f"must mean a parameter; got .*{remedy}"):
        freeze(tiny, ("decoder.*", pattern))
    assert all(parameter.requires_grad for parameter in tiny.parameters())


@pytest.mark.parametrize("patterns", [("*",), ("encoder.*", "decoder.*", "*quant_conv.*")])
def test_something_must_be_left_to_learn(tiny: AutoencoderKL, patterns: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"must leave something to learn; got .*which is all of 124 parameters"):
        freeze(tiny, patterns)
    assert all(parameter.requires_grad for parameter in tiny.parameters())


def test_what_was_frozen_before_does_not_count_as_learning() -> None:
    pair = Pair()
    pair.scale.requires_grad_(False)
    with pytest.raises(ConfigError, match="must leave something to learn"):
        freeze(pair, ("first.*", "second.*"))
