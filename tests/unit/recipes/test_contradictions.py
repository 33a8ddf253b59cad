"""Settings that contradict each other, and what data will look like, against data sets that are opened."""

from pathlib import Path
from typing import Any

import pytest
import torch

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.icassp.fake import FakeIcasspSettings, write_fake_icassp
from radiodiff.data.radiomapseer.fake import FakeRadioMapSeerSettings, write_fake_radiomapseer
from radiodiff.data.selection import open_data_set
from radiodiff.errors import ConfigError
from radiodiff.losses.config import PerceptualConfig
from radiodiff.losses.lpips import STAGES
from radiodiff.losses.structure import NUM_SCALES
from radiodiff.models.config import DiscriminatorConfig
from radiodiff.models.discriminator import PatchDiscriminator
from radiodiff.recipes.load import load_recipe, load_recipe_of
from radiodiff.recipes.map_shape import (
    map_size,
    num_condition_channels,
    num_target_channels,
    target_span_db,
    window_size,
)
from radiodiff.recipes.schema import AutoencoderRecipe, Recipe

GIVEN = ("data.root=maps", "trainer.run_dir=run")
ICASSP = ("data.kind=icassp", "examples.crop_size=null")
VIEWS = {"building": 2, "antenna": 1, "radio": 1, "condition": 3}


def tiny(*changes: str) -> AutoencoderRecipe:
    return load_recipe_of(AutoencoderRecipe, "autoencoder/tiny", (*GIVEN, *changes))


def second(name: str, *changes: str) -> Recipe:
    first_stage = ["autoencoder=first"] if name.startswith("diffusion/") else []
    return load_recipe(name, (*GIVEN, *first_stage, *changes))


ALLOWED = {
    "each view": [*ICASSP, "data.view=building", "autoencoder.in_channels=2", "autoencoder.out_channels=2"],
    "a condition to its target": [*ICASSP, "examples.input=condition", "autoencoder.in_channels=3"],
    "edges of an image": ["data.kind=edges", "examples.input=condition"],
    "edges of a scene": ["data.kind=edges", "data.scene=x", "examples.input=condition", "autoencoder.in_channels=3"],
    "another simulation": ["examples.input=IRT2"],
    "a mix from one of its simulations": ["examples.input=DPM", "data.simulation=mix"],
    "a discriminator that sees the condition": ["examples.with_condition=true", "loss.adversarial.conditional=true"],
    "no discriminator on small windows": ["examples.crop_size=8", "loss.adversarial=null"],
    "windows of maps that do not divide": ["data.size=250"],
    "windows of rooms whose padding does not divide": [
        *("data.kind=icassp", "data.view=radio", "data.crop=none", "data.multiple=6")
    ],
    "windows of any size without the term": ["examples.crop_size=4", "loss.adversarial=null", "loss.perceptual=null"],
    "weights of edges": ["loss.edge_weight=1", "data.edge_weights=canny"],
    "an equation in decibels": ["loss.helmholtz={}"],
    "an equation on another scale": ["loss.helmholtz={span_db: 79.328}", "data.scale=thresholded"],
    "an equation of levels": ["loss.helmholtz={quantity: level}", "data.scale=thresholded"],
    "an equation indoors": [*ICASSP, "data.view=radio", "loss.helmholtz={span_db: 147}"],
    "a discriminator that begins too late": ["loss.adversarial.start=99999"],
    "a short run": ["trainer.max_steps=1"],
    "weights to begin with": ["trainer.warm_start={init_from: x, allow_missing: true, freeze: ['encoder.*']}"],
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED)
def test_what_goes_together(changes: list[str]) -> None:
    assert tiny(*changes).stage == "autoencoder"


REFUSED = {
    "channels of a view": (
        [*ICASSP, "data.view=building"],
        ["autoencoder.in_channels must be 2 for data.view='building'"],
    ),
    "channels of a target": (["autoencoder.out_channels=3"], ["autoencoder.out_channels must be 1 for data.kind"]),
    "channels of a condition": (
        ["examples.input=condition"],
        ["autoencoder.in_channels must be 3 for data.kind='radiomapseer' and examples.input='condition'; got 1"],
    ),
    "channels of a simulation": (["examples.input=IRT2", "autoencoder.in_channels=3"], ["in_channels must be 1"]),
    "channels of a condition with more": (
        ["examples.input=condition", "autoencoder.in_channels=3", "data.measurements={kind: half}"],
        ["autoencoder.in_channels must be 5"],
    ),
    "a condition that is the target": (
        [*ICASSP, "data.view=radio", "examples.with_condition=true"],
        [
            "examples.with_condition needs",
            "data.view 'multi-condition'; got with_condition=true with data.view='radio'",
        ],
    ),
    "a simulation of rooms": ([*ICASSP, "examples.input=IRT2"], ["examples.input must be", "data.kind='icassp'"]),
    "a simulation of edges": (["data.kind=edges", "examples.input=IRT2"], ["where data.kind is not 'radiomapseer'"]),
    "its own simulation": (["examples.input=DPM"], ["another simulation than data.simulation; got 'DPM' for both"]),
    "the condition twice": (
        ["examples.input=condition", "examples.with_condition=true", "autoencoder.in_channels=3"],
        ["examples.with_condition belongs to other inputs"],
    ),
    "a window larger than the map": (
        ["data.size=64", "examples.crop_size=128"],
        ["examples.crop_size must not be larger than data.size; got 128 and 64"],
    ),
    "a window larger than a window": (
        ["data.kind=icassp", "data.view=radio", "examples.crop_size=128"],
        ["examples.crop_size must not be larger than data.size; got 128 and 96"],
    ),
    "a window that does not divide": (
        ["examples.crop_size=130"],
        ["examples.crop_size must be a multiple of 4", "autoencoder.channel_multipliers", "Take 128 or 132"],
    ),
    "a size that does not divide": (
        ["data.size=250", "examples.crop_size=null"],
        ["data.size must be a multiple of 4"],
    ),
    "a small size that does not divide": (
        ["examples.crop_size=2", "loss.adversarial=null", "loss.perceptual=null"],
        ["examples.crop_size must be a multiple of 4", "got 2 with 3 levels. Take 4, or fewer levels."],
    ),
    "padding that does not divide": (
        [*ICASSP, "data.view=radio", "data.crop=none", "data.multiple=6"],
        ["data.multiple must be a multiple of 4"],
    ),
    "windows below one patch": (["examples.crop_size=8"], ["examples.crop_size must be at least 12 for discriminator"]),
    "windows below the structure": (
        ["examples.crop_size=4", "loss.adversarial=null"],
        ["examples.crop_size must be at least 8 for loss.perceptual.kind 'structure'; got 4"],
    ),
    "windows below LPIPS": (
        ["examples.crop_size=12", "loss.perceptual={kind: lpips, vgg16: x, heads: y}"],
        ["examples.crop_size must be at least 16 for loss.perceptual.kind 'lpips'; got 12"],
    ),
    "a discriminator without the condition": (
        ["loss.adversarial.conditional=true"],
        ["loss.adversarial.conditional needs examples.with_condition"],
    ),
    "no weights of edges": (["loss.edge_weight=1"], ["loss.edge_weight needs", "data.edge_weights; got edge_weight=1"]),
    "weights of rooms": ([*ICASSP, "data.view=radio", "loss.edge_weight=1"], ["edge weights", "data.kind='icassp'"]),
    "weights of sure cells": (
        ["data.kind=edges", "loss.edge_weight=1", "data.uncertain=ignored"],
        ["loss.edge_weight needs data with edge weights", "data.kind='edges'"],
    ),
    "an equation of three channels": (
        [
            *ICASSP,
            "data.view=condition",
            "autoencoder.in_channels=3",
            "autoencoder.out_channels=3",
            "loss.helmholtz={}",
        ],
        ["loss.helmholtz needs maps of one channel, autoencoder.out_channels=1; got 3"],
    ),
    "an equation of edges": (["data.kind=edges", "loss.helmholtz={}"], ["loss.helmholtz needs targets in decibels"]),
    "an equation on another scale": (
        ["data.scale=thresholded", "loss.helmholtz={}"],
        ["loss.helmholtz.span_db must be 79.328", "data.scale='thresholded'; got 99.16"],
    ),
    "an equation indoors": (
        [*ICASSP, "data.view=radio", "loss.helmholtz={}"],
        ["loss.helmholtz.span_db must be 147, the decibels of a target of data.kind='icassp'"],
    ),
    "frozen noise": (
        ["trainer.warm_start.freeze=['encoder.*']"],
        ["trainer.warm_start.freeze needs trainer.warm_start.init_from"],
    ),
    "nothing to be missing": (
        ["trainer.warm_start.allow_missing=true"],
        ["trainer.warm_start.allow_missing needs trainer.warm_start.init_from"],
    ),
    "half precision on a CPU": (
        ["trainer.precision=fp16", "trainer.cpu=true"],
        ["trainer.precision 'fp16' needs a GPU, so trainer.cpu must be false"],
    ),
}


@pytest.mark.parametrize(("changes", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together(changes: list[str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        tiny(*changes)
    for part in parts:
        assert part in str(error.value)


ROOMS = ("data.kind=icassp", "data.size=96")
FROZEN = "unet.backbone.is_frozen=true"

ALLOWED_LATER = {
    "rooms": ("diffusion/tiny", [*ROOMS]),
    "rooms by a baseline": ("baseline/tiny", [*ROOMS]),
    "edges of an image": ("baseline/tiny", ["data.kind=edges"]),
    # Maps are padded.
    "maps that do not divide": ("diffusion/tiny", ["data.size=50"]),
    "curvature of predictions": ("diffusion/tiny", ["data.k2=maps/gain/cheap"]),
    "curvature of cars' targets for maps without": ("diffusion/tiny", ["data.k2=maps/gain/carsDPM"]),
    "a frozen encoder with weights": ("diffusion/tiny", [FROZEN, "unet.backbone.weights=x"]),
    "a frozen encoder of a run": ("diffusion/tiny", [FROZEN, "trainer.warm_start.init_from=x"]),
    "kept latents": ("diffusion/tiny", ["latents.cache=x"]),
    "kept latents of windows in the middle": ("diffusion/tiny", [*ROOMS, "data.crop=tx-centred", "latents.cache=x"]),
    "kept latents of a fixed mix": (
        "diffusion/tiny",
        ["data.simulation=mix", "data.mix_weight=0.5", "latents.cache=x"],
    ),
    "drawn windows": ("diffusion/tiny", [*ROOMS, "data.crop=tx-aware"]),
    "a fixed factor": ("diffusion/tiny", ["latents.scaling_factor=0.3"]),
    "weights to begin with": ("baseline/tiny", ["trainer.warm_start={init_from: x, freeze: ['*.bias']}"]),
}


@pytest.mark.parametrize(("name", "changes"), ALLOWED_LATER.values(), ids=ALLOWED_LATER)
def test_what_goes_together_in_later_stages(name: str, changes: list[str]) -> None:
    assert second(name, *changes).stage == name.partition("/")[0]


VIEW = "data.view must be 'multi-condition' to learn the map from a condition; got data.view='radio'"
REFUSED_LATER = {
    "a view": ("diffusion/tiny", [*ROOMS, "data.view=radio"], [VIEW]),
    "a view of a baseline": ("baseline/tiny", [*ROOMS, "data.view=radio"], [VIEW]),
    "the answer": (
        "diffusion/tiny",
        ["data.geometry=[dominant_path_gain_db]"],
        ["The condition must not hold the answer", "dominant_path_gain_db"],
    ),
    "curvature of the target": (
        "diffusion/tiny",
        ["data.k2=maps/other/../gain/DPM"],
        ["data.k2 must come from a prediction", "the folder of the targets"],
    ),
    "curvature of the target's cars": (
        "baseline/tiny",
        ["data.cars=true", "data.k2=maps/gain/carsDPM/"],
        ["data.k2 must come from a prediction"],
    ),
    "a frozen encoder of noise": ("diffusion/tiny", [FROZEN], ["unet.backbone.is_frozen needs weights"]),
    "kept latents of drawn windows": (
        "diffusion/tiny",
        [*ROOMS, "latents.cache=x"],
        ["windows that are drawn anew", "data.crop='tx-aware'", "latents.cache"],
    ),
    "kept latents of a drawn mix": (
        "diffusion/tiny",
        ["data.simulation=mix", "latents.cache=x"],
        ["mixed anew in each epoch", "data.mix_weight"],
    ),
    "a factor of 0": ("diffusion/tiny", ["latents.scaling_factor=0"], ["latents.scaling_factor must be"]),
    "frozen noise": ("baseline/tiny", ["trainer.warm_start.freeze=['*']"], ["freeze needs trainer.warm_start.init"]),
    "half precision on a CPU": (
        "diffusion/tiny",
        ["trainer.precision=fp16", "trainer.cpu=true"],
        ["trainer.precision 'fp16' needs a GPU"],
    ),
}


@pytest.mark.parametrize(("name", "changes", "parts"), REFUSED_LATER.values(), ids=REFUSED_LATER)
def test_what_does_not_go_together_in_later_stages(name: str, changes: list[str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        second(name, *changes)
    for part in parts:
        assert part in str(error.value)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "city"
    settings = FakeRadioMapSeerSettings(3, 1, 0, size=64, simulations=("DPM",), missing_layers=False)
    list(write_fake_radiomapseer(root, settings))
    return root


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "rooms"
    list(write_fake_icassp(root, FakeIcasspSettings(buildings=3, samples=1, smallest=40, largest=50)))
    return root


OUTDOORS: list[dict[str, Any]] = [
    {},
    {"cars_channel": "absent"},
    {"measurements": {"kind": "half"}},
    {"geometry": ["log_distance_gain_db", "obstructed_length_m"], "k2": "log-distance"},
    {"cars": True, "scale": "thresholded", "size": 32},
]


@pytest.mark.parametrize("settings", OUTDOORS, ids=str)
def test_channels_and_sizes_are_those_of_the_city(city: Path, settings: dict[str, Any]) -> None:
    recipe = AutoencoderRecipe(
        data={"kind": "radiomapseer", "root": city, "part": "all", "split": "all", **settings},  # type: ignore[arg-type]
        trainer={"run_dir": "x"},  # type: ignore[arg-type]
    )
    data = open_data_set(recipe.data)
    example = data[0]
    assert num_condition_channels(recipe.data) == len(data.encoding.names) == len(example.condition)
    assert num_target_channels(recipe.data) == len(example.target)
    channel = data.encoding.target
    assert target_span_db(recipe.data) == pytest.approx(abs(channel.high - channel.low))
    assert map_size(recipe.data) == (("data.size", 32) if "size" in settings else None)


@pytest.mark.parametrize("condition2", ["distance", "free-space"])
@pytest.mark.parametrize("view", ["multi-condition", *VIEWS])
def test_channels_and_sizes_are_those_of_the_rooms(rooms: Path, view: str, condition2: str) -> None:
    num_channels = VIEWS.get(view, 1)
    settings = {"kind": "icassp", "root": rooms, "part": "all", "view": view, "condition2": condition2, "size": 32}
    recipe = AutoencoderRecipe(
        data=settings,  # type: ignore[arg-type]
        examples={"crop_size": 24},  # type: ignore[arg-type]
        autoencoder={"in_channels": num_channels, "out_channels": num_channels},  # type: ignore[arg-type]
        trainer={"run_dir": "x"},  # type: ignore[arg-type]
    )
    examples = AutoencoderExamples(recipe.data, recipe.examples)
    example = examples[0]
    assert num_target_channels(recipe.data) == num_channels == len(example.target)
    assert num_condition_channels(recipe.data) == len(examples.source[0].condition)
    assert map_size(recipe.data) == ("data.size", examples.source[0].target.shape[-1])
    assert window_size(recipe.data, recipe.examples) == ("examples.crop_size", example.target.shape[-1])
    whole = recipe.data.replaced(crop="none")
    assert (map_size(whole), window_size(whole, recipe.examples)) == (None, ("examples.crop_size", 24))


def test_the_smallest_windows_are_those_of_the_networks() -> None:
    assert PerceptualConfig().smallest_map == 2**NUM_SCALES
    lpips = PerceptualConfig(kind="lpips", vgg16=Path("x"), heads=Path("y"))
    # Between two stages stands a maximum over 2 x 2 cells.
    assert lpips.smallest_map == 2 ** (len(STAGES) - 1)
    for num_layers in (1, 2, 3):
        network = PatchDiscriminator(1, DiscriminatorConfig(base_channels=8, num_layers=num_layers))
        smallest = network.config.smallest_map
        assert network.layers(torch.zeros(1, 1, smallest, smallest)).shape == (1, 1, 1, 1)
