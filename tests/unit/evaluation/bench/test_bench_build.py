"""A benchmark set is built by city, recorded, packed small, and opened again."""

import io
import json
import lzma
import shutil
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench_cases import ENGINES, finished, layouts, result_of, small_bench
from command_line import tree
from evaluation_cases import StandIn, truth
from radiodiff.data.create import CreateSettings, RunOptions
from radiodiff.data.missing_layers import missing_layers
from radiodiff.data.radiomapseer import RadioMapSeer, RadioMapSeerConfig
from radiodiff.data.splits import Split
from radiodiff.errors import ConfigError, DataSetError, FormatError, InputError, PropagationError
from radiodiff.evaluation.bench import (
    BenchSettings,
    build,
    build_bench,
    open_bench,
    pack_archive,
    unpack_archive,
    usual_engines,
)
from radiodiff.evaluation.bench.archive import file_digest
from radiodiff.evaluation.bench.content import BENCH_RECORD, BenchContent
from radiodiff.evaluation.evaluate import Evaluation
from radiodiff.propagation import FreeSpace
from radiodiff.propagation.base import Solver
from radiodiff.scene import Scene


def test_the_test_part_is_one_whole_city(bench_folder: Path) -> None:
    content = BenchContent.read(bench_folder)
    assert list(content.scenarios) == ["street", "rooftop"]
    for name, simulations in (("street", ["DPM", "RL", "RT"]), ("rooftop", ["DPM", "RT"])):
        found = content.scenarios[name]
        assert found.layouts == ("munich_0", "munich_1")
        assert list(found.simulations) == simulations
        assert (found.num_scenes, found.tx_per_scene, found.num_maps) == (2, 2, 4)
        traced = found.simulations["RT"]
        assert traced.facts["standard_error_db"] == 0.5
        assert 0.01 < traced.share_without_path < 0.03
        assert traced.seconds_per_map is not None
        assert found.simulations["DPM"].share_without_path == 0.0
        assert found.num_bytes == (bench_folder / found.file).stat().st_size
    assert not list(bench_folder.glob(".radiodiff-*"))


def test_the_card_says_what_how_and_whose(bench_folder: Path) -> None:
    card = (bench_folder / "README.md").read_text()
    content = BenchContent.read(bench_folder)
    for words in ("munich", "5.9 GHz", "0.5 dB", "nobody, none", '"name": "dominant-path"'):
        assert words in card
    for scenario in content.scenarios.values():
        assert scenario.sha256 in card


def test_packed_maps_are_those_of_the_folder(bench_folder: Path, tmp_path: Path) -> None:
    cases = list(open_bench(bench_folder, tmp_path).cases())
    assert [case.name for case in cases] == ["street-DPM", "street-RL", "street-RT", "rooftop-DPM", "rooftop-RT"]
    for case in cases:
        settings = {"part": "test", "simulation": case.simulation, "heights": True}
        one = RadioMapSeer(RadioMapSeerConfig(root=bench_folder / case.scenario, **settings))
        two = RadioMapSeer(RadioMapSeerConfig(root=case.root, **settings))
        assert one.split.name == two.split.name == "radiodiff-bench"
        assert len(one) == len(two) == 4
        for number in range(4):
            np.testing.assert_array_equal(one[number].target, two[number].target)
            np.testing.assert_array_equal(one[number].condition, two[number].condition)


def test_transmitters_of_rooftops_stand_above_roofs(bench_folder: Path, tmp_path: Path) -> None:
    (case,) = open_bench(bench_folder, tmp_path).cases("rooftop", ("RT",))
    store = RadioMapSeer(RadioMapSeerConfig(root=case.root, part="test", simulation="RT")).store
    assert store.tx_heights_m(0).min() > 10.0


def test_a_build_that_is_repeated_changes_nothing(bench_folder: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(bench_folder, tmp_path / "set"))
    (out / BENCH_RECORD).unlink()
    (out / "street.tar.xz").unlink()
    finished(out, small_bench())
    assert tree(out) == tree(bench_folder)


def test_the_training_part_is_split_by_city(tmp_path: Path) -> None:
    settings = small_bench(part="train", scenes=4)
    assert {layout.city for layout in settings.chosen} == {"florence", "etoile"}
    report = finished(tmp_path / "set", settings)
    assert report.num_missing == 0
    cities = [settings.chosen[i % 2].city for i in range(4)]
    for scenario in ("street", "rooftop"):
        split = Split.read(tmp_path / "set" / scenario / "split.json")
        assert [cities[i] for i in split.parts["train"]] == ["florence"] * 2
        assert [cities[i] for i in split.parts["validation"]] == ["etoile"] * 2
        assert RadioMapSeer(RadioMapSeerConfig(root=tmp_path / "set" / scenario, simulation="RT"))[0].mask is not None
        layers = {path.parent.name + "/" + path.name for path in (tmp_path / "set" / scenario).glob("png/*missing*/*")}
        assert layers == set(missing_layers(2))
    assert not list((tmp_path / "set").glob("*.xz"))
    # The same crop has other transmitters when its turn comes again.
    one, other = (tmp_path / f"set/street/antenna/{i}.json" for i in (0, 2))
    assert one.read_text() != other.read_text()
    with pytest.raises(InputError, match="must be a test part"):
        list(open_bench(tmp_path / "set", tmp_path).cases())


def test_crops_of_the_cities_take_turns() -> None:
    many = layouts(("florence",) * 6 + ("etoile",) * 2 + ("munich",))
    settings = BenchSettings(many, part="train", engines=ENGINES)
    assert [layout.city for layout in settings.chosen] == [
        *("florence", "etoile", "florence", "florence", "florence", "etoile", "florence", "florence")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"test_city": "paris"},
        {"part": "train", "validation_city": "munich"},
        {"part": "train", "validation_city": "paris"},
        {"test_city": "etoile", "validation_city": "etoile"},
    ],
)
def test_cities_must_be_there_and_apart(changes: dict[str, str]) -> None:
    with pytest.raises(DataSetError, match="needs crops of its cities"):
        small_bench(**changes)


def test_a_training_part_needs_more_than_its_validation() -> None:
    with pytest.raises(DataSetError, match="needs crops of its cities"):
        BenchSettings(layouts(("munich", "etoile")), part="train", engines=ENGINES)


def test_overlapping_crops_are_no_test() -> None:
    one, other, *rest = layouts()
    settings = BenchSettings((one, replace(other, is_disjoint=False), *rest))
    assert settings.chosen == (one,)


def test_the_usual_engines_are_references() -> None:
    engines = usual_engines()
    assert {scenario: list(found) for scenario, found in engines.items()} == {
        "street": ["DPM", "RL", "RT"],
        "rooftop": ["DPM", "RT"],
    }
    assert engines["street"]["RT"] == engines["rooftop"]["RT"]


def test_a_damaged_archive_is_named(bench_folder: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(bench_folder, tmp_path / "set"))
    content = bytearray((out / "street.tar.xz").read_bytes())
    content[200] ^= 1
    (out / "street.tar.xz").write_bytes(content)
    with pytest.raises(DataSetError, match=r"must have the checksum.*street\.tar\.xz"):
        list(open_bench(out, tmp_path / "cache").cases("street"))
    (out / "street.tar.xz").unlink()
    with pytest.raises(DataSetError, match="archive of a benchmark set must be there"):
        list(open_bench(out, tmp_path / "cache").cases("street"))
    assert not (tmp_path / "cache").exists()
    assert len(list(open_bench(out, tmp_path / "cache").cases("rooftop"))) == 2


def test_archives_are_unpacked_once(bench_folder: Path, tmp_path: Path) -> None:
    (case,) = open_bench(bench_folder, tmp_path).cases("street", ("DPM",))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    list(open_bench(bench_folder, tmp_path).cases("street"))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert case.root.is_relative_to(tmp_path)


def test_a_cache_that_cannot_be_written_is_named(bench_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match="XDG_CACHE_HOME"):
        list(open_bench(bench_folder, tmp_path / "file").cases())


def test_the_cache_is_that_of_the_user(bench_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_bench(bench_folder).cache == tmp_path / "radiodiff"


def test_names_in_an_archive_stay_below_the_folder(tmp_path: Path) -> None:
    for name, kind in (("../out", tarfile.REGTYPE), ("/out", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        path = tmp_path / "bad.tar.xz"
        path.write_bytes(lzma.compress(stream.getvalue()))
        with pytest.raises(DataSetError, match="plain files below its folder"):
            unpack_archive(path, tmp_path / "new", file_digest(path))
        assert not (tmp_path / "new").exists()


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    (tmp_path / "data/inner").mkdir(parents=True)
    (tmp_path / "data/inner/a").write_bytes(bytes(range(256)))
    (tmp_path / "data/b").write_text("b")
    digests = {pack_archive(tmp_path / "data", tmp_path / f"{i}.tar.xz") for i in range(2)}
    assert len(digests) == 1
    unpack_archive(tmp_path / "0.tar.xz", tmp_path / "again", digests.pop())
    assert tree(tmp_path / "again") == tree(tmp_path / "data")


def test_unknown_scenarios_and_targets_are_named(bench_folder: Path, tmp_path: Path) -> None:
    bench = open_bench(bench_folder, tmp_path)
    with pytest.raises(InputError, match="must be one of street, rooftop, all"):
        list(bench.cases("indoor"))
    with pytest.raises(InputError, match="Targets of scenario rooftop are DPM, RT; got RL"):
        list(bench.cases("rooftop", ("RL",)))
    assert [case.name for case in bench.cases("all", ("RL",))] == ["street-RL"]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"format": "other"}, FormatError, "must be of format radiodiff-bench"),
        ({"format_version": 9}, DataSetError, "reads version 1"),
        ({"part": None, "extra": 1}, FormatError, "must hold what radiodiff dataset bench writes"),
        ({"scenarios": {"street": {}}}, FormatError, "must hold what radiodiff dataset bench writes"),
    ],
)
def test_another_record_is_refused(
    bench_folder: Path, tmp_path: Path, change: dict[str, object], error: type[Exception], match: str
) -> None:
    content = json.loads((bench_folder / BENCH_RECORD).read_text())
    (tmp_path / BENCH_RECORD).write_text(json.dumps(content | change))
    with pytest.raises(error, match=match):
        open_bench(tmp_path)


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"must hold bench\.json.*is not there.*radiodiff dataset bench"):
        open_bench(tmp_path / "nothing")


def test_parts_have_their_usual_transmitters() -> None:
    assert [small_bench(part=part, tx_per_scene=None).num_tx for part in ("test", "train")] == [5, 16]


def test_parts_have_their_usual_missing_buildings() -> None:
    found = [small_bench(part=part).create_settings("street") for part in ("test", "train")]
    assert [settings.missing_variants for settings in found] == [0, 2]
    assert ["missing_variants" in settings.identity() for settings in found] == [False, True]
    assert small_bench(part="train", missing_variants=0).create_settings("street").missing_variants == 0


@dataclass(frozen=True)
class Refusing(FreeSpace):
    """Free space that refuses one layout."""

    def prepare(self, scene: Scene) -> Solver:
        if "munich_1" in scene.source:
            raise PropagationError("A city must have a sky", value="none", remedy="Look up.")
        return super().prepare(scene)


def test_a_scene_that_fails_is_told_of_and_the_others_are_kept(tmp_path: Path) -> None:
    engines = {"street": {"RT": Refusing()}, "rooftop": {"RT": FreeSpace()}}
    with pytest.raises(DataSetError, match=r"Every map.*1 of 2.*A city must have a sky"):
        finished(tmp_path / "set", small_bench(engines=engines))
    content = BenchContent.read(tmp_path / "set")
    assert content.scenarios["street"].layouts == ("munich_0",)
    assert content.scenarios["rooftop"].layouts == ("munich_0", "munich_1")
    assert len(list(open_bench(tmp_path / "set", tmp_path).cases())) == 2


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "street").mkdir()
    (tmp_path / "street/notes.txt").write_text("mine")
    with pytest.raises(DataSetError, match="must be empty or absent"):
        finished(tmp_path, small_bench())
    assert not (tmp_path / BENCH_RECORD).exists()


def test_scenarios_share_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    original = build.create_data_set

    def create(root: Path, settings: CreateSettings, *, options: RunOptions) -> Any:
        shares.append(options.max_hours)
        return original(root, settings, options=options)

    monkeypatch.setattr(build, "create_data_set", create)
    steps = build.build_bench(tmp_path / "set", small_bench(), RunOptions(1, max_hours=3.0))
    assert list(steps)[-1] == (4, 4)
    assert shares[0] == pytest.approx(1.5, abs=0.01)
    assert shares[1] == pytest.approx(3.0, abs=0.02)


def test_what_time_did_not_suffice_for_is_counted(tmp_path: Path) -> None:
    finished(tmp_path / "set", small_bench())
    settings = replace(small_bench(), scenes=4)
    report = result_of(build_bench(tmp_path / "set", settings, RunOptions(1, max_hours=1e-9)))
    assert report.num_missing == 4
    assert report.content.scenarios["street"].num_scenes == 2


@pytest.mark.parametrize(("part", "lack"), [("test", "no test map of street"), ("train", "no train and no validation")])
def test_time_that_sufficed_for_nothing_is_told_of(tmp_path: Path, part: str, lack: str) -> None:
    settings = small_bench(part=part)
    with pytest.raises(DataSetError, match=f"maps of each scenario and part; got {lack}.*with more time"):
        result_of(build_bench(tmp_path / "set", settings, RunOptions(1, max_hours=1e-9)))
    assert not (tmp_path / "set" / BENCH_RECORD).exists()
    assert finished(tmp_path / "set", settings).num_missing == 0


def test_a_predictor_of_ones_own_is_evaluated(bench_folder: Path, tmp_path: Path) -> None:
    (case,) = open_bench(bench_folder, tmp_path).cases("rooftop", ("RT",))
    examples = case.examples(geometry=("los_mask",))
    assert examples.source.encoding.names == (
        *("buildings", "transmitter", "los_mask", "building_height_m", "transmitter_height_m"),
    )
    evaluation = Evaluation(examples, [StandIn("mine", truth)])
    assert list(evaluation.run()) == ["0_0", "0_1", "1_0", "1_1"]
    assert evaluation.report().predictors[0].means["outdoor/rmse_db"].value == 0.0
    with pytest.raises(ConfigError, match="hights"):
        case.examples(hights=False)
