"""What draws say of the uncertainty goes into files and comes back."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from radiodiff.errors import FormatError
from radiodiff.formats import read_radio_map, write_radio_map
from radiodiff.radio_map import Ensemble, RadioMap

NAMES = ["path_loss_db", "std_db", "quantile_5_db", "quantile_50_db", "quantile_97.5_db"]


def with_draws(radio_map: RadioMap, *, keep: bool = False) -> RadioMap:
    noise = np.random.default_rng(1).normal(0.0, 3.0, (4, *radio_map.grid.shape))
    draws_db = radio_map.path_loss_db + noise
    return replace(radio_map, ensemble=Ensemble.of_draws(draws_db, (0.05, 0.5, 0.975), keep=keep))


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("suffix", [".npz", ".tif"])
def test_exact_round_trip(tmp_path, plain_map, suffix, keep):
    radio_map = with_draws(plain_map, keep=keep)
    write_radio_map(radio_map, tmp_path / f"a{suffix}")
    back = read_radio_map(tmp_path / f"a{suffix}")
    assert list(back.layers) == list(radio_map.layers)
    for name, layer in radio_map.layers.items():
        np.testing.assert_array_equal(back.layers[name], layer)
    assert back.ensemble.num_draws == 4
    assert list(back.ensemble.quantiles_db) == [0.05, 0.5, 0.975]
    assert (back.ensemble.draws_db is not None) == keep


def test_other_programs_see_named_arrays_bands_and_columns(tmp_path, plain_map):
    radio_map = with_draws(plain_map)
    for suffix in (".npz", ".tif", ".csv"):
        write_radio_map(radio_map, tmp_path / f"a{suffix}")
    with np.load(tmp_path / "a.npz") as archive:
        assert sorted(archive) == sorted([*NAMES, "meta"])
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert list(raster.descriptions) == NAMES
        assert raster.units == ("dB",) * 5
        np.testing.assert_array_equal(raster.read(2), radio_map.ensemble.std_db)
    with (tmp_path / "a.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert list(first) == ["x", "y", "row", "col", *NAMES]
    assert float(first["quantile_97.5_db"]) == pytest.approx(radio_map.ensemble.quantiles_db[0.975][0, 0], abs=1e-4)


def test_a_png_holds_the_mean_alone(tmp_path, plain_map):
    write_radio_map(with_draws(plain_map), tmp_path / "a.png")
    assert read_radio_map(tmp_path / "a.png").ensemble is None


def test_variables_of_a_data_set(plain_map):
    found = with_draws(plain_map).to_dataset()
    assert list(found.data_vars) == NAMES
    assert found.attrs["num_draws"] == 4
    assert found["std_db"].attrs["units"] == "dB"
    np.testing.assert_array_equal(found["y"], plain_map.to_xarray()["y"])
    assert list(plain_map.to_dataset().data_vars) == ["path_loss_db"]


@pytest.mark.parametrize("said", [{"num_draws": 4, "quantiles": [0.2], "has_draws": False}, {"num_draws": 4}, 7])
def test_an_ensemble_that_does_not_fit_its_layers(tmp_path, plain_map, said):
    write_radio_map(with_draws(plain_map), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    arrays["meta"] = np.array(json.dumps(json.loads(str(arrays["meta"])) | {"ensemble": said}))
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match=r"must fit together; got .*a\.npz"):
        read_radio_map(tmp_path / "a.npz")
