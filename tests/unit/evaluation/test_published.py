"""Printed figures of others, and what keeps them from being compared with ours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation_cases import examples_of
from radiodiff.evaluation.examples import DataFacts
from radiodiff.evaluation.published import PUBLISHED, PublishedRow, rows_for

REAL = DataFacts("radiomapseer", "RadioMapSeer", "DPM", "radiodiff", "test", 8000, 8000)

RADIODIFF = next(row for row in PUBLISHED if row.method == "RadioDiff" and row.scale == "raw")


def test_decibels_are_those_of_the_rows_own_scale() -> None:
    """Levels times 99.16 dB on the raw scale, times 79.33 dB on the thresholded one."""
    assert RADIODIFF.rmse == 0.0190
    assert RADIODIFF.decibels() == pytest.approx(1.884, abs=5e-4)
    thresholded = next(row for row in PUBLISHED if row.method == "GeoRayMap")
    assert thresholded.decibels() == pytest.approx(1.0217, abs=5e-4)
    law = next(row for row in PUBLISHED if row.method.startswith("dominant path"))
    assert law.decibels() == pytest.approx((2.30, 2.935), abs=5e-3)
    indoor = next(row for row in PUBLISHED if row.method == "IPP-Net")
    assert indoor.decibels() == 9.50
    unknown = next(row for row in PUBLISHED if row.method.startswith("RMF"))
    assert (unknown.scale, unknown.decibels()) == (None, None)


@pytest.mark.parametrize(
    ("changes", "scale", "expected"),
    [
        ({}, "raw", ()),
        ({}, "thresholded", ("other scale (raw)",)),
        ({"split": "disjoint"}, "raw", ("other split (radiodiff)",)),
        ({"part": "validation"}, "raw", ("other split (radiodiff)",)),
        ({"num_maps": 100}, "raw", ("other data (a share of the part)",)),
        ({"buildings": "missing2/1"}, "raw", ("other input (ours lacks buildings)",)),
        ({"simulation": "IRT2"}, "raw", ("other data (DPM)",)),
        ({"origin": "generated", "split": "generated"}, "raw", ("other data",)),
        ({"origin": "fake"}, "raw", ("other data",)),
        ({"origin": "unknown"}, "thresholded", ("other data", "other scale (raw)")),
    ],
    ids=str,
)
def test_what_differs_is_named(changes: dict, scale: str, expected: tuple) -> None:
    assert RADIODIFF.differences(replace(REAL, **changes), scale) == expected


def test_what_a_source_does_not_say_is_named() -> None:
    bare = PublishedRow("method", "someone", "DPM", rmse=0.01)
    assert bare.differences(REAL, "raw") == ("split not stated", "scale not stated")
    assert replace(bare, rmse=None, rmse_db=9.0).differences(REAL, "raw") == ("split not stated",)
    nameless = next(row for row in PUBLISHED if row.method == "R2Net-Out")
    assert nameless.differences(REAL, "thresholded") == ("set not stated", "split not stated")
    assert nameless.differences(replace(REAL, num_maps=9), "raw")[0] == "other data (a share of the part)"


def test_nothing_of_generated_cities_is_comparable(cities: Path) -> None:
    facts = examples_of(cities).facts()
    assert (facts.origin, facts.split, facts.simulation, facts.num_maps) == ("fake", "fake", "DPM", 8)
    for row in rows_for(facts):
        assert row.differences(facts, "raw")[0] == "other data"
    assert examples_of(cities, cars=True).facts().simulation == "carsDPM"


def test_outdoor_maps_and_rooms_have_rows_of_their_own() -> None:
    outdoor, rooms = rows_for(REAL), rows_for(replace(REAL, kind="icassp"))
    assert {row.data for row in outdoor} == {"RadioMapSeer"}
    assert [row.method for row in rooms] == ["ten best of the challenge", "IPP-Net", "best with measured points"]
    assert set(outdoor) | set(rooms) == set(PUBLISHED)
    assert rows_for(replace(REAL, kind="edges")) == ()
    # The challenges were judged on maps that nobody else has.
    icassp = DataFacts("icassp", "unknown", "", "by building", "test", 9, 9)
    assert [row.differences(icassp, "db") for row in rooms] == [("other data",)] * 3


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.method}, {row.source}, {row.simulation}")
def test_rows_are_plausible(row: PublishedRow) -> None:
    """PSNR is about -20 log10 of the RMSE: a slip of the pen would show."""
    if isinstance(row.rmse, float) and row.psnr is not None:
        assert row.psnr == pytest.approx(-20 * np.log10(row.rmse), abs=2.0)
    assert row.ssim is None or 0.8 < row.ssim < 1
    assert row.set_name in ("", "SRM (DPM)", "DRM (carsDPM)", "IRT2", "IRT4")
