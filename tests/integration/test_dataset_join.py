"""`radiodiff dataset join` and `radiodiff dataset missing`: what they print, write and refuse."""

from pathlib import Path

from command_line import Run, tree

OPTIONS = ("--maps", 2, "--tx-per-map", 1, "--size", 64, "--workers", 1, "--scenario", "street")


def test_missing_buildings_are_added_and_sets_joined(radiodiff: Run, tmp_path: Path) -> None:
    for name, seed, missing in (("a", 1, ("--missing", 1)), ("b", 2, ())):
        made = radiodiff("dataset", "create", "--out", name, "--seed", seed, *OPTIONS, *missing)
        assert (made.code, made.err) == (0, "")
    assert (tmp_path / "a/png/buildings_missing4/1/1.png").is_file()
    left_out = radiodiff("dataset", "join", "a", "b", "--out", "half", "--maps", 1, "--part", "test")
    assert (left_out.code, left_out.err) == (0, "")
    assert left_out.out.splitlines() == [
        "half: 2 maps (test 2) of DPM",
        "half: not in all sets, left out: " + ", ".join(f"buildings_missing{count}/1" for count in (1, 2, 3, 4)),
    ]
    added = radiodiff("dataset", "missing", "--root", "b", "--variants", 1, "--workers", 1)
    assert (added.code, added.err) == (0, "")
    assert added.out == "b: 1 draws of each of the layers buildings_missing1 to buildings_missing4\n"
    both = radiodiff("dataset", "join", "a", "b", "--out", "both")
    assert (both.code, both.out) == (0, "both: 4 maps (train 4) of DPM\n")
    assert {name for name in tree(tmp_path / "both") if "missing4/1/" in name} == {
        f"{kind}/buildings_missing4/1/{number}.{end}"
        for kind, end in (("png", "png"), ("polygon", "json"))
        for number in range(4)
    }
    radiodiff("dataset", "join", "a", "c", "--out", "other").check_refusal("RadioMapSeer folder must hold", "got c")
    radiodiff("dataset", "missing", "--root", "c").check_refusal("RadioMapSeer folder must hold", "got c")
    radiodiff("dataset", "missing", "--root", "a", "--variants", 7).check_refusal("variants must be at most 6")
    assert not (tmp_path / "other").exists()
