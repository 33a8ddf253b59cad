import numpy as np
import pytest
import torch

from radiodiff.data.icassp import scan_icassp
from radiodiff.data.icassp.building_split import building_split
from radiodiff.data.icassp.channels import ICASSP_CHANNELS, decode_view, view_encoding
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.icassp.dataset import CONDITION1, CONDITION2, IcasspDataSet, crop_to_content
from radiodiff.data.icassp.free_space_loss import free_space_loss_db
from radiodiff.data.icassp.reader import IcasspReader
from radiodiff.data.loader import BatchLoader, ShuffleSampler
from radiodiff.data.splits import Split
from radiodiff.errors import ConfigError, DataSetError, InputError

ALL = {"tasks": (3,), "part": "all"}


def examples(root, **settings):
    return IcasspDataSet(IcasspConfig(root=root, **(ALL | settings)))


def decoded(source, example):
    """Physical values by channel name."""
    values = dict(zip(source.encoding.names, decode_view(source.encoding, example.condition), strict=True))
    return values | {"target": source.encoding.decode_target(example.target[0])}


def test_whole_maps_hold_the_files_values_and_are_padded_below_and_right(fake_root):
    source = examples(fake_root, crop="none", condition2="free-space", azimuth="up-ccw-cw")
    reader = IcasspReader(fake_root)
    for index in (0, 11, 37):
        sample, example = reader.read(source.ids[index]), source[index]
        assert example.content == sample.shape
        rows, cols = sample.shape
        assert example.target.shape == (1, *(-(-length // 32) * 32 for length in sample.shape))
        values = {name: crop_to_content(array, example.content) for name, array in decoded(source, example).items()}
        np.testing.assert_allclose(values["target"], np.clip(sample.path_loss_db, 13, 160), atol=1e-4)
        np.testing.assert_allclose(values["reflectance_db"], sample.reflectance_db, atol=1e-4)
        np.testing.assert_allclose(values["transmittance_db"], sample.transmittance_db, atol=1e-4)
        expected_db = free_space_loss_db(
            sample.shape, sample.tx, sample.frequency_hz, sample.pattern, sample.azimuth_deg, "up-ccw-cw"
        )
        np.testing.assert_allclose(values["free_space_loss_db"], np.clip(expected_db, 13, 160), atol=1e-4)
        padding = {
            name: np.append(a[rows:].ravel(), a[:, cols:].ravel()) for name, a in decoded(source, example).items()
        }
        assert set(padding["reflectance_db"]) | set(padding["transmittance_db"]) <= {0.0}
        assert set(padding["target"]) | set(padding["free_space_loss_db"]) <= {160.0}
        assert example.tx == sample.tx_cell


def test_the_channels_of_a_condition(fake_root):
    near, far = examples(fake_root), examples(fake_root, condition2="free-space")
    assert near.encoding.names == ("reflectance_db", "transmittance_db", "distance_m")
    assert far.encoding.names[CONDITION2] == ("free_space_loss_db",)
    assert near.encoding.names[CONDITION1] == ("reflectance_db", "transmittance_db")
    assert near.encoding.target == ICASSP_CHANNELS["path_loss_db"]
    assert (near.scale, near[0].condition.dtype, near[0].target.dtype) == ("db", np.float32, np.float32)


@pytest.mark.parametrize(("loss_db", "encoded"), [(160.0, -1.0), (13.0, 1.0), (255.0, -1.0), (0.0, 1.0), (86.5, 0.0)])
def test_strong_signals_are_large(loss_db, encoded):
    for name in ("path_loss_db", "free_space_loss_db"):
        assert ICASSP_CHANNELS[name].encode(loss_db) == pytest.approx(encoded)


@pytest.mark.parametrize(
    ("view", "names"),
    [
        ("building", ("reflectance_db", "transmittance_db")),
        ("antenna", ("free_space_loss_db",)),
        ("radio", ("path_loss_db",)),
        ("condition", ("reflectance_db", "transmittance_db", "distance_m")),
    ],
)
def test_views_of_autoencoders_have_their_channels_on_both_sides(fake_root, view, names):
    source = examples(fake_root, view=view, crop="none")
    whole = examples(fake_root, crop="none", condition2="free-space" if view == "antenna" else "distance")
    assert source.encoding.names == names
    example = source[20]
    assert example.target.shape == example.condition.shape == (len(names), *example.target.shape[1:])
    np.testing.assert_array_equal(example.target, example.condition)
    reference = decoded(whole, whole[20]) | {"path_loss_db": decoded(whole, whole[20])["target"]}
    for name, values in zip(names, decode_view(source.encoding, example.target), strict=True):
        np.testing.assert_allclose(values, reference[name], atol=1e-4)
    if len(names) == 1:
        np.testing.assert_allclose(source.encoding.decode_target(example.target[0]), reference[names[0]], atol=1e-4)


def test_decoding_needs_the_views_channels():
    with pytest.raises(InputError, match="has 2 channels: reflectance_db, transmittance_db"):
        decode_view(view_encoding("building"), np.zeros((3, 4, 4)))
    with pytest.raises(InputError, match="has 1 channels"):
        decode_view(view_encoding("radio"), np.zeros((1, 4)))


@pytest.mark.parametrize("crop", ["tx-aware", "tx-centred"])
@pytest.mark.parametrize("augment", [False, True])
def test_condition_and_target_share_one_draw(fake_root, crop, augment):
    """Every pixel of a window, with all its channels and the target, occurs in the map."""
    source = examples(fake_root, crop=crop, size=40, margin_px=8, augment=augment, condition2="free-space")
    whole = examples(fake_root, crop="none", condition2="free-space")
    for number, draw in ((0, 0), (5, 1), (17, 2), (40, 3), (47, 4)):
        example, reference = source[number, draw], whole[number]
        assert example.target.shape == (1, 40, 40)
        content = np.concatenate([reference.condition, reference.target])
        content = crop_to_content(content, reference.content).reshape(4, -1).T.round(4)
        window = np.concatenate([example.condition, example.target]).reshape(4, -1).T.round(4)
        on_map = example.mask[0].ravel()
        assert {tuple(pixel) for pixel in window[on_map].tolist()} <= {tuple(pixel) for pixel in content.tolist()}
        assert (window[~on_map] == [-1, -1, -1, -1]).all()


def test_the_transmitter_moves_with_window_and_symmetry(fake_root):
    """The free-space loss of an antenna with one gain is least at the transmitter, whatever was drawn."""
    for crop in ("tx-aware", "tx-centred", "none"):
        source = examples(fake_root, tasks=(2,), crop=crop, size=41, margin_px=8, augment=True, condition2="free-space")
        seen = set()
        for number in range(0, len(source), 7):
            for draw in range(4):
                example = source[number, draw]
                assert np.argwhere(example.condition[2] == example.condition[2].max()).tolist() == [list(example.tx)]
                seen.add(example.tx)
        assert (seen == {(20, 20)}) == (crop == "tx-centred")


def test_pixels_turn_with_the_direction_of_the_antenna(fake_root):
    """Augmented windows are the plain window of the same draw in one of eight symmetries."""
    plain = examples(fake_root, crop="tx-centred", size=41, condition2="free-space")
    turned = examples(fake_root, crop="tx-centred", size=41, condition2="free-space", augment=True)
    found = set()
    for draw in range(24):
        one, other = plain[30, draw], turned[30, draw]
        for k in range(8):
            arrays = [np.rot90(a, k, axes=(1, 2)) for a in (one.condition, one.target)]
            arrays = [a[..., ::-1] if k >= 4 else a for a in arrays]
            if np.array_equal(arrays[0], other.condition) and np.array_equal(arrays[1], other.target):
                found.add(k)
    assert found == set(range(8))


@pytest.mark.parametrize(("multiple", "symmetries"), [(64, range(8)), (1, (0, 2, 4, 6))])
def test_whole_maps_are_drawn_in_the_symmetries_that_keep_their_padded_shape(fake_root, multiple, symmetries):
    """What a cache of latents holds and what training draws are the same."""
    source = examples(fake_root, crop="none", multiple=multiple, augment=True)
    assert source[0].content[0] != source[0].content[1]
    seen = {}
    for draw in range(60):
        example = source[0, draw]
        seen[example.symmetry] = example
    assert tuple(sorted(seen)) == source.symmetries == tuple(symmetries)
    for symmetry, example in seen.items():
        np.testing.assert_array_equal(example.target, source.target(0, symmetry))
        np.testing.assert_array_equal(
            example.mask[0].any(axis=1), np.arange(example.mask.shape[1]) < example.content[0]
        )


def test_draws_follow_from_seed_draw_and_index_alone(fake_root):
    settings = {"size": 24, "margin_px": 3, "augment": True}
    source, again = examples(fake_root, **settings), examples(fake_root, **settings)
    list(map(again.__getitem__, range(5)))
    for number, draw in ((3, 0), (3, 9), (8, 2)):
        np.testing.assert_array_equal(source[number, draw].condition, again[number, draw].condition)
    np.testing.assert_array_equal(source[3].condition, source[3, 0].condition)
    assert len({source[3, draw].condition.tobytes() for draw in range(10)}) > 5
    other = examples(fake_root, seed=1, **settings)
    assert any(source[3, d].condition.tobytes() != other[3, d].condition.tobytes() for d in range(3))


def test_parts_are_buildings_and_no_building_serves_twice(fake_root):
    parts = {
        part: {s.building for s in IcasspDataSet(IcasspConfig(root=fake_root, part=part)).ids}
        for part in ("train", "validation", "test")
    }
    assert sorted(b for ids in parts.values() for b in ids) == [1, 2, 3, 4]
    assert parts == {part: set(ids) for part, ids in building_split([1, 2, 3, 4]).parts.items()}
    assert {s.building for s in examples(fake_root).ids} == {1, 2, 3, 4}


def test_25_buildings_split_80_10_10_in_an_order_of_the_seed():
    split = building_split([*range(1, 26), 3, 4])
    assert [len(split.parts[part]) for part in ("train", "validation", "test")] == [20, 3, 2]
    assert split.ids("all") == tuple(range(1, 26))
    assert building_split(range(1, 26)).parts == building_split(range(25, 0, -1)).parts
    assert building_split(range(1, 26), 1).parts != split.parts
    with pytest.raises(DataSetError, match="at least three buildings"):
        building_split([1, 2])


def test_a_split_of_ones_own(fake_root, tmp_path):
    Split("mine", {"train": (2,), "test": (4, 1)}).write(tmp_path / "split.json")
    config = IcasspConfig(root=fake_root, part="test", split=tmp_path / "split.json")
    assert {s.building for s in IcasspDataSet(config).ids} == {1, 4}
    assert {s.building for s in IcasspDataSet(config.replaced(part="all")).ids} == {1, 2, 4}
    with pytest.raises(DataSetError, match="has the parts train, test; got 'validation'"):
        IcasspDataSet(config.replaced(part="validation"))
    Split("mine", {"train": (2, 9)}).write(tmp_path / "split.json")
    with pytest.raises(DataSetError, match="without map 9"):
        IcasspDataSet(config)


def test_tasks_and_bands(fake_root):
    source = examples(fake_root, tasks=(2, 1), bands=(1, 3))
    assert {(s.task, s.band) for s in source.ids} == {(1, 1), (2, 1), (2, 3)}
    assert len(source) == 4 * 2 * 3
    assert list(source.ids) == sorted(source.ids)
    assert [len(examples(fake_root, tasks=(task,))) for task in (1, 2, 3)] == [
        len(scan_icassp(fake_root, task)) for task in (1, 2, 3)
    ]
    with pytest.raises(DataSetError, match=r"at least one example.*bands \(2,\)"):
        examples(fake_root, tasks=(1,), bands=(2,))


def test_names_and_numbers(fake_root):
    source = examples(fake_root)
    for number in (0, 13, 47):
        example, sample = source[number], source.ids[number]
        assert (example.name, example.map_id, example.tx_id) == (sample.name, sample.building, sample.sample)
        assert example.weight is None
        assert example.content == (96, 96)
    for number in (-1, 48):
        with pytest.raises(IndexError, match=f"example {number} of 48"):
            source[number]


def test_cells_beside_the_map_do_not_count(fake_root):
    source = examples(fake_root, crop="tx-centred", size=128)
    shape = IcasspReader(fake_root).read(source.ids[5]).shape
    mask = source[5].mask
    assert (mask.shape, mask.dtype) == ((1, 128, 128), np.bool_)
    assert mask.sum() == shape[0] * shape[1]
    padded = examples(fake_root, crop="none", multiple=64)[5]
    rows, cols = padded.content
    assert padded.mask.sum() == padded.mask[0, :rows, :cols].sum() == rows * cols
    assert padded.weight is None
    assert examples(fake_root, crop="none", multiple=64, mask_padding=False)[5].mask is None


def test_batches(fake_root):
    source = examples(fake_root, view="building", augment=True)
    loader = BatchLoader(source, 4, sampler=ShuffleSampler(len(source), seed=1))
    batch = next(iter(loader))
    assert batch.target.shape == batch.condition.shape == (4, 2, 96, 96)
    assert batch.mask.shape == (4, 1, 96, 96)
    assert batch.weight is None
    assert (batch.scale, batch.encoding) == ("db", source.encoding)
    assert batch.target.dtype == torch.float32
    whole = BatchLoader(examples(fake_root, crop="none"), 1)
    for batch, sample in zip(whole, source.ids, strict=True):
        assert batch.names == (sample.name,)
        assert batch.target.shape[2] % 32 == batch.target.shape[3] % 32 == 0


def test_a_prediction_is_cropped_back():
    array = np.arange(2 * 64 * 32).reshape(2, 64, 32)
    assert np.array_equal(crop_to_content(array, (50, 31)), array[:, :50, :31])
    with pytest.raises(InputError, match="at least 65 x 31 pixels"):
        crop_to_content(array, (65, 31))
    with pytest.raises(InputError, match="at least 1 x 1"):
        crop_to_content(np.zeros(3), (1, 1))


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        ({"margin_px": 48}, "margin_px must be less than half of size"),
        ({"tasks": ()}, "tasks must"),
        ({"tasks": (4,)}, "tasks"),
        ({"tasks": (1, 1)}, "tasks must not name one twice"),
        ({"bands": (2, 3, 2)}, "bands must not name one twice"),
        ({"bands": (0,)}, "bands"),
        ({"crop": "random"}, "crop must be"),
        ({"view": "buildings"}, "Did you mean 'building'"),
        ({"azimuth": "north"}, "azimuth must be"),
        ({"size": 0}, "size must be"),
        ({"multiple": 0}, "multiple must be"),
        ({"seed": -1}, "seed must be"),
        ({"part": "val"}, "part must be"),
        ({"cars": True}, "no key 'cars'"),
        ({"kind": "edges"}, "kind must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(broken, match):
    with pytest.raises(ConfigError, match=match):
        IcasspConfig(**({"root": "data"} | broken))


def test_a_margin_does_not_matter_to_other_crops():
    assert IcasspConfig(root="data", crop="tx-centred", size=16).margin_px == 10


def test_settings_go_through_json():
    config = IcasspConfig(root="data", tasks=(1, 3), azimuth="up-cw-cw", view="radio", split="mine.json")
    assert IcasspConfig(**config.model_dump(mode="json")) == config


def test_a_damaged_image_is_named_when_it_is_asked_for(root):
    source = examples(root)
    path = source.ids[7].output_path(root)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=rf"{source.ids[7].name}\.png"):
        source[7]
