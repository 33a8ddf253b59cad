from dataclasses import replace

import numpy as np
import pytest

from radiodiff.data.icassp import FakeIcasspSettings, SampleId, decide_azimuth, scan_icassp, write_fake_icassp
from radiodiff.data.icassp.azimuth import AZIMUTH_CONVENTIONS, DEFAULT_CONVENTION
from radiodiff.data.icassp.decide_azimuth import decide_azimuth_convention, decide_azimuth_in
from radiodiff.data.icassp.free_space_loss import free_space_loss_db
from radiodiff.data.icassp.reader import IcasspReader
from radiodiff.errors import DataSetError
from radiodiff.scene import SectorAntenna, TableAntenna

SHAPE = (50, 60)


@pytest.fixture(scope="module")
def samples(fake_root):
    """Directional samples of real files; their path loss is replaced by the tests."""
    reader = IcasspReader(fake_root)
    return [reader.read(SampleId(3, b, 2, 1, s)) for b in (1, 2, 3) for s in (0, 1)]


def under(convention, samples, pattern=None):
    """The samples with path loss that follows a convention, in whole decibels as on the disk."""
    for sample in samples:
        sample = sample if pattern is None else replace(sample, pattern=pattern)
        loss_db = free_space_loss_db(
            sample.shape, sample.tx, sample.frequency_hz, sample.pattern, sample.azimuth_deg, convention
        )
        noise_db = np.random.default_rng(0).normal(0.0, 2.0, sample.shape)
        yield replace(sample, path_loss_db=np.rint(loss_db + sample.transmittance_db + noise_db + 5.0))


@pytest.mark.parametrize("convention", AZIMUTH_CONVENTIONS)
def test_each_convention_is_found(samples, convention):
    decision = decide_azimuth_convention(under(convention, samples))
    assert decision.best == convention
    assert decision.tied == (convention,)
    assert list(decision.correlations) == list(AZIMUTH_CONVENTIONS)
    assert decision.correlations[convention] > 0.9
    others = [value for name, value in decision.correlations.items() if name != convention]
    assert max(others) < decision.correlations[convention] - 0.05
    assert decision.samples == len(samples)
    assert decision.pixels > 30 * len(samples)


def test_the_convention_of_a_data_set_on_the_disk_is_found(tmp_path):
    settings = FakeIcasspSettings(2, 3, 2, 30, 40, seed=5, convention="left-ccw-cw")
    list(write_fake_icassp(tmp_path / "a", settings))
    assert decide_azimuth_in(tmp_path / "a").best == "left-ccw-cw"
    assert decide_azimuth_in(tmp_path / "a", most_samples=7).samples == 7
    with pytest.raises(DataSetError, match="directional antennas"):
        decide_azimuth_in(tmp_path / "a", 1)


def test_the_samples_of_a_data_set_are_spread_evenly(fake_root, monkeypatch):
    directional = [i for i in scan_icassp(fake_root, 3) if i.antenna == 2]
    assert len(directional) == 24
    monkeypatch.setattr(decide_azimuth, "decide_azimuth_convention", lambda samples: [s.id for s in samples])
    for most in (1, 5, 13, 23, 24, 100):
        places = [directional.index(i) for i in decide_azimuth_in(fake_root, most_samples=most)]
        assert len(places) == min(most, 24)
        assert places[0] == 0
        if most > 1:
            assert places[-1] == 23
            assert np.ptp(np.diff(places)) <= 1


def test_with_a_symmetric_pattern_its_sense_stays_open(samples):
    sector = TableAntenna(tuple(SectorAntenna().relative_gain_db(np.arange(360))))
    decision = decide_azimuth_convention(under("up-cw-ccw", samples, sector))
    assert set(decision.tied) == {"up-cw-ccw", "up-cw-cw"}
    assert decision.best in decision.tied
    assert decide_azimuth_convention(under(DEFAULT_CONVENTION, samples, sector)).best == DEFAULT_CONVENTION


def test_an_omnidirectional_antenna_decides_nothing(samples):
    omni = TableAntenna((2.15,) * 360)
    with pytest.raises(DataSetError, match="only be found from directional antennas"):
        decide_azimuth_convention(under(DEFAULT_CONVENTION, samples, omni))
    with pytest.raises(DataSetError, match="only be found"):
        decide_azimuth_convention([])


def test_maps_without_line_of_sight_are_left_out(samples):
    walled = [replace(sample, reflectance_db=np.full(sample.shape, 9.0, np.float32)) for sample in samples]
    with pytest.raises(DataSetError, match="only be found"):
        decide_azimuth_convention(walled)
    assert decide_azimuth_convention([*walled, *under("right-cw-cw", samples)]).samples == len(samples)
