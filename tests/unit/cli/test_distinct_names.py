"""Names of folders in tables."""

from pathlib import Path

from radiodiff.cli.second_stage import distinct_names


def test_names_are_the_shortest_that_tell_folders_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a/runs/big", "b/runs/big/pipeline", "c/small", "umi")]
    expected = ["a/runs/big", "b/runs/big", "small", f"{tmp_path.name}/umi"]
    assert list(distinct_names(paths, ["umi"]).values()) == expected


def test_a_folder_that_ends_as_another_one_has_a_name_of_its_own(tmp_path: Path) -> None:
    paths = [tmp_path / "run", tmp_path / "x" / tmp_path.name / "run"]
    assert len(set(distinct_names(paths).values())) == 2


def test_one_folder_has_one_name(tmp_path: Path) -> None:
    names = distinct_names([tmp_path / "run", tmp_path / "run/pipeline", tmp_path / "x/../run"])
    assert len(names) == 3
    assert len(set(names.values())) == 1
