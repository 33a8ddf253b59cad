import re
import shutil

import pytest

from radiodiff.data.icassp import SampleId, is_icassp, scan_icassp
from radiodiff.errors import DataSetError, FormatError


def test_every_sample_of_a_task_is_listed_in_order(fake_root):
    one, two, three = (scan_icassp(fake_root, task) for task in (1, 2, 3))
    assert [(s.building, s.antenna, s.band, s.sample) for s in one] == [
        (b, 1, 1, s) for b in (1, 2, 3, 4) for s in (0, 1)
    ]
    assert {(s.antenna, s.band) for s in two} == {(1, 1), (1, 2), (1, 3)}
    assert len(three) == 4 * 2 * 3 * 2
    assert scan_icassp(fake_root) == (*one, *two, *three)
    assert list(three) == sorted(three)


def test_names_and_carriers():
    sample = SampleId(3, 12, 4, 2, 79)
    assert sample.name == "B12_Ant4_f2_S79"
    assert [SampleId(1, 1, 1, band, 0).frequency_hz for band in (1, 2, 3)] == [868e6, 1.8e9, 3.5e9]


def test_buildings_count_as_numbers_and_not_as_text(root):
    for kind in ("Inputs", "Outputs"):
        folder = root / kind / "Task_1_ICASSP"
        shutil.copy(folder / "B1_Ant1_f1_S0.png", folder / "B10_Ant1_f1_S0.png")
    shutil.copy(root / "Positions/Positions_B1_Ant1_f1.csv", root / "Positions/Positions_B10_Ant1_f1.csv")
    assert [s.building for s in scan_icassp(root, 1)] == [1, 1, 2, 2, 3, 3, 4, 4, 10]


def test_a_data_set_is_known_by_its_folders(fake_root, root, tmp_path):
    assert is_icassp(fake_root)
    assert not is_icassp(tmp_path)
    assert not is_icassp(tmp_path / "absent")
    shutil.rmtree(root / "Positions")
    assert not is_icassp(root)


@pytest.mark.parametrize("folder", ["Inputs/Task_2_ICASSP", "Outputs/Task_2_ICASSP", "Positions", "Radiation_Patterns"])
def test_a_missing_folder_is_named_with_the_layout_and_where_to_get_it(root, folder):
    shutil.rmtree(root / folder)
    with pytest.raises(DataSetError, match=rf"Inputs/Task_k_ICASSP.*{root}, without {folder}.*IEEE DataPort.*Pathloss"):
        scan_icassp(root)


def test_a_folder_without_any_task(tmp_path):
    for name in ("Positions", "Radiation_Patterns"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataSetError, match="without any task"):
        scan_icassp(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(DataSetError, match="nowhere, which is no folder"):
        scan_icassp(tmp_path / "nowhere")


@pytest.mark.parametrize("task", [0, 4, "1"])
def test_there_are_three_tasks(fake_root, task):
    with pytest.raises(DataSetError, match="must be 1, 2 or 3"):
        scan_icassp(fake_root, task)


@pytest.mark.parametrize(("gone", "kept"), [("Inputs", "Outputs"), ("Outputs", "Inputs")])
def test_an_image_without_its_partner(root, gone, kept):
    (root / gone / "Task_1_ICASSP/B2_Ant1_f1_S1.png").unlink()
    with pytest.raises(DataSetError, match=rf"{kept}/Task_1_ICASSP/B2_Ant1_f1_S1\.png of .*, not in {gone}"):
        scan_icassp(root, 1)


def test_many_images_without_partners_are_cut_short(root):
    shutil.rmtree(root / "Outputs/Task_1_ICASSP")
    (root / "Outputs/Task_1_ICASSP").mkdir()
    with pytest.raises(DataSetError, match="and 5 more"):
        scan_icassp(root, 1)


def test_a_task_without_images(root):
    for kind in ("Inputs", "Outputs"):
        shutil.rmtree(root / kind / "Task_1_ICASSP")
        (root / kind / "Task_1_ICASSP").mkdir()
    with pytest.raises(DataSetError, match=r"Task 1 .* must hold images"):
        scan_icassp(root, 1)


@pytest.mark.parametrize("name", ["b1_Ant1_f1_S0", "B0_Ant1_f1_S0", "B1_Ant1_f4_S0", "B1_Ant1_f1_S01", "B1_Ant1_f1"])
def test_foreign_images(root, name):
    (root / f"Inputs/Task_1_ICASSP/{name}.png").touch()
    with pytest.raises(DataSetError, match=rf"named like B1_Ant1_f1_S0\.png.*{name}\.png in"):
        scan_icassp(root, 1)


def test_other_files_are_left_alone(root):
    before = scan_icassp(root, 1)
    for name in ("Inputs/Task_1_ICASSP/Thumbs.db", "Inputs/Task_1_ICASSP/._B1_Ant1_f1_S0.png", "readme.txt"):
        (root / name).touch()
    (root / "Building_Details").mkdir()
    assert scan_icassp(root, 1) == before


def test_a_missing_pattern(root):
    (root / "Radiation_Patterns/Ant2_Pattern.csv").unlink()
    assert scan_icassp(root, 1)
    with pytest.raises(DataSetError, match=r"Ant2_Pattern\.csv, which is missing; B1_Ant2_f1_S0 needs it"):
        scan_icassp(root, 3)


def test_a_missing_position_table(root):
    (root / "Positions/Positions_B3_Ant1_f1.csv").unlink()
    with pytest.raises(DataSetError, match=r"Positions_B3_Ant1_f1\.csv, which is missing; B3_Ant1_f1_S1 needs it"):
        scan_icassp(root, 1)


def test_a_missing_position(root):
    path = root / "Positions/Positions_B3_Ant1_f1.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(FormatError, match=rf"{re.escape(str(path))} with 1 lines; B3_Ant1_f1_S1 needs line 2"):
        scan_icassp(root, 1)


def test_a_damaged_position_table(root):
    (root / "Positions/Positions_B3_Ant1_f1.csv").write_text("X,Y\n1,2\n1,2\n")
    with pytest.raises(FormatError, match=r"Positions_B3_Ant1_f1\.csv with the columns 'X', 'Y'"):
        scan_icassp(root, 1)
