"""Which autoencoder may give latents, and how they spread."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from radiodiff.data.radiomapseer import RadioMapSeerConfig
from radiodiff.data.repeated_targets import RepeatedTargets
from radiodiff.data.selection import open_data_set
from radiodiff.encoding import CHANNELS, Encoding, path_loss_channel
from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.latent_statistics import measure_latents
from radiodiff.training.latent_source import check_first_stage, measure_scaling_factor
from second_stage import make_city, small_autoencoder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> RepeatedTargets:
    city = make_city(tmp_path_factory.mktemp("source") / "city")
    return open_data_set(RadioMapSeerConfig(root=city, part="all"))


def record(source: RepeatedTargets) -> AutoencoderRecord:
    target = source.encoding.target
    return AutoencoderRecord(Encoding((target,), target), source.scale)


def test_a_factor_is_measured_on_maps_spread_over_the_data(source: RepeatedTargets) -> None:
    network, seen = small_autoencoder(), []

    def track(items: Iterable[Any], total: int, title: str, unit: str) -> Iterator[Any]:
        seen.append((total, unit))
        for item in items:
            seen.append(item)
            yield item

    found = measure_scaling_factor(network, source, 4, seed=5, track=track)
    # The middle of each of four equal stretches of twelve maps.
    maps = [torch.from_numpy(source[number].target)[None] for number in (1, 4, 7, 10)]
    assert found == measure_latents(network, maps, seed=5).scaling_factor
    posteriors = [network.encode(image).latent_dist for image in maps]
    variance = torch.cat([p.mean for p in posteriors]).var() + torch.cat([p.var for p in posteriors]).mean()
    assert found == pytest.approx(1 / variance.sqrt().item(), rel=0.05)
    assert seen[0] == (4, "maps")
    assert len(seen) == 5
    everything = measure_scaling_factor(network, source, 1_000, seed=5)
    assert everything != found


def test_latents_to_measure_must_be_finite(source: RepeatedTargets) -> None:
    network = small_autoencoder()
    with torch.no_grad():
        network.quant_conv.bias.fill_(float("inf"))
    with pytest.raises(CheckpointError, match="latents of an autoencoder must be finite"):
        measure_scaling_factor(network, source, 1_000, seed=0)


def test_the_first_stage_must_be_of_the_same_target(source: RepeatedTargets) -> None:
    fitting, target = record(source), source.encoding.target
    check_first_stage(fitting, source)
    thresholded = path_loss_channel("thresholded")
    for other in (
        replace(fitting, scale="thresholded"),
        replace(fitting, encoding=Encoding((thresholded,), thresholded)),
        # One that learnt the target from something else.
        replace(fitting, encoding=Encoding((CHANNELS["buildings"],), target)),
        replace(fitting, encoding=Encoding((target, CHANNELS["buildings"]), target)),
    ):
        with pytest.raises(ConfigError, match=r"must take and give the target.*path_loss_db.*on scale 'raw'"):
            check_first_stage(other, source)


def test_the_error_names_both(source: RepeatedTargets, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"scale 'db' for .* on scale 'raw'"):
        check_first_stage(replace(record(source), scale="db"), source)
