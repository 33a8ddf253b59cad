"""Recipes with a prior: what they may say, what a check finds, and a run of each stage."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from first_stages import write_first_stage
from radiodiff.data.selection import open_data_set
from radiodiff.encoding import path_loss_channel
from radiodiff.errors import CheckpointError, ConfigError
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.load import load_pipeline
from radiodiff.pipeline.regression_pipeline import RegressionPipeline
from radiodiff.recipes.check import check_recipe
from radiodiff.recipes.load import load_recipe
from radiodiff.recipes.prior import open_prior
from radiodiff.recipes.train import prepare_run
from second_stage import batch_of, make_city
from second_stage_models import save_second_stage

FAR = "log_distance_gain_db"
CONDITION = ("data.cars_channel=absent", f"data.geometry=[los_mask,{FAR}]")
SHORT = (
    *("trainer.max_steps=1", "trainer.batch_size=2", "trainer.cpu=true", "trainer.ema=null", "data.augment=false"),
    "trainer.validation.num_examples=1",
)
BASELINE = ("network.base_channels=8", "network.channel_multipliers=[1,2]", "network.norm_groups=4")
AUTOENCODER = (
    *("autoencoder.base_channels=8", "autoencoder.norm_groups=4", "loss.adversarial=null", "loss.perceptual=null"),
    *("examples.crop_size=null", "examples.with_condition=true", "latents.num_examples=2", *CONDITION),
)
DIFFUSION = (
    *("unet.base_channels=8", "unet.channel_multipliers=[1,2]", "unet.norm_groups=4", "unet.fourier_features=4"),
    *("unet.attention_heads=2", "unet.head_channels=4", "sampling.num_inference_steps=[1]"),
    "unet.backbone={kind: conv, widths: [8, 8, 8, 8], blocks: 1}",
)
GIVEN = ("data.root=maps", "trainer.run_dir=run")


def diffusion(*changes: str) -> list[str]:
    return ["autoencoder=first", *changes]


REFUSED = {
    "neither": ("baseline/tiny", ["prior.span_db=10"], "needs either channel or model; got neither"),
    "both": ("baseline/tiny", [f"prior.channel={FAR}", "prior.model=run"], "needs either channel or model; got both"),
    "a channel that is not there": (
        "diffusion/tiny",
        diffusion("prior.channel=dominant_path_gain_db"),
        f"got 'dominant_path_gain_db' of {FAR}",
    ),
    "a channel that is no level": ("baseline/tiny", ["prior.channel=los_mask"], "prior.channel must be a channel"),
    "no channels": ("autoencoder/tiny", [f"prior.channel={FAR}", "examples.with_condition=true"], "no such channels"),
    "edges": ("baseline/tiny", ["data.kind=edges", f"prior.channel={FAR}"], "no such channels"),
    "a span of more than all": (
        "baseline/tiny",
        [f"prior.channel={FAR}", "prior.span_db=120"],
        "120 for a target of 99.16",
    ),
    "a span without decibels": (
        "diffusion/tiny",
        diffusion("data.kind=edges", "prior.model=run", "prior.span_db=20"),
        "20 for a target of no decibels",
    ),
    "a regression of a regression": ("baseline/tiny", ["prior.model=run"], "belongs to diffusion models"),
    "without the condition": (
        "autoencoder/tiny",
        [*CONDITION, f"prior.channel={FAR}"],
        "needs examples.input 'target'",
    ),
    "another input": (
        "autoencoder/tiny",
        [*CONDITION, f"prior.channel={FAR}", "examples.input=condition", "autoencoder.in_channels=4"],
        "needs examples.input 'target'",
    ),
    "a regression on windows": (
        "autoencoder/tiny",
        [*CONDITION, "prior.model=run", "examples.with_condition=true", "examples.crop_size=32"],
        "prior.model needs whole maps",
    ),
    "a field of differences": (
        "autoencoder/tiny",
        [*CONDITION, f"prior.channel={FAR}", "examples.with_condition=true", "loss.helmholtz={}"],
        "needs maps, not differences",
    ),
}


@pytest.mark.parametrize(("name", "changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_recipe_may_not_say(name: str, changes: Sequence[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(name, (*GIVEN, *changes))


def test_the_indoor_challenge_has_a_prior_too() -> None:
    changes = ("data.kind=icassp", "data.condition2=free-space", "prior.channel=free_space_loss_db")
    prior = load_recipe("baseline/tiny", (*GIVEN, *changes)).prior
    assert prior is not None
    assert prior.channel == "free_space_loss_db"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_city(tmp_path_factory.mktemp("recipes") / "city", num_maps=3, num_tx=2)


def findings(name: str, city: Path, *changes: str) -> list[tuple[str, str, str]]:
    given = (f"data.root={city}", f"trainer.run_dir={city.parent / 'new'}", *SHORT, *changes)
    return [(row.what, row.status, row.finding) for row in check_recipe(name, given)]


def has(rows: Sequence[tuple[str, str, str]], what: str, status: str, *parts: str) -> bool:
    return any((a, b) == (what, status) and all(part in text for part in parts) for a, b, text in rows)


def test_a_check_says_what_the_prior_is(city: Path, tmp_path: Path) -> None:
    rows = findings("baseline/tiny", city, *BASELINE, f"prior.channel={FAR}", "prior.span_db=30")
    assert has(rows, "prior", "ok", f"differences to {FAR}, up to 30 dB; made of {FAR}")
    rows = findings("baseline/tiny", city, *BASELINE, "prior.channel=over_roofs_gain_db")
    assert has(rows, "settings", "error", "prior.channel must be a channel of the condition")
    assert not any(what == "prior" for what, _, _ in findings("baseline/tiny", city, *BASELINE))
    first = write_first_stage(tmp_path / "first", path_loss_channel(), "raw")
    given = (*DIFFUSION, f"autoencoder={first}")
    rows = findings("diffusion/tiny", city, *given, f"prior.channel={FAR}")
    assert has(rows, "first stage", "error", f"maps without a prior for differences to {FAR}")
    rows = findings("diffusion/tiny", city, *given, "prior.model=nowhere")
    assert has(rows, "prior", "error", "must exist; got nowhere")
    for name, settings, part in (
        ("drawn", {"kind": "diffusion"}, "must be a regression"),
        ("scaled", {"scale": "thresholded"}, "must have the scale of the data"),
        ("blind", {}, "without cars"),
    ):
        save_second_stage(tmp_path / name, **({"kind": "regression"} | settings))
        rows = findings("diffusion/tiny", city, *given, f"prior.model={tmp_path / name}")
        assert has(rows, "prior", "error", part), (name, rows)


def trained(name: str, city: Path, run: Path, *changes: str) -> Path:
    recipe = load_recipe(name, (f"data.root={city}", f"trainer.run_dir={run}", *SHORT, *changes))
    prepare_run(recipe).run.run()
    return run


def test_each_stage_learns_the_difference_to_what_is_before_it(city: Path, tmp_path: Path) -> None:
    """A channel, a regression of the difference to it, and a diffusion model of the difference to that."""
    mean = trained("baseline/tiny", city, tmp_path / "mean", *BASELINE, f"prior.channel={FAR}")
    changed = (f"data.root={city}", f"trainer.run_dir={mean}", *SHORT, *BASELINE, f"prior.channel={FAR}")
    with pytest.raises(CheckpointError, match="must go on with the prior that it was begun with"):
        prepare_run(load_recipe("baseline/tiny", (*changed, "prior.span_db=30")), "latest")
    by_mean = (f"prior.model={mean}", "prior.span_db=60")
    first = trained("autoencoder/tiny", city, tmp_path / "first", *AUTOENCODER, *by_mean)
    given = (*DIFFUSION, f"autoencoder={first}", f"latents.cache={tmp_path / 'latents'}", *by_mean)
    second = trained("diffusion/tiny", city, tmp_path / "second", *given)
    regression, model = load_pipeline(mean), load_pipeline(second)
    assert isinstance(regression, RegressionPipeline)
    assert isinstance(model, RadioDiffPipeline)
    assert model.record.prior is not None
    assert model.record.prior.model == regression.record
    assert model.record.prior.scale == pytest.approx(2 * 60 / 99.16)
    assert model.regression is not None
    weights = regression.network.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in model.regression.state_dict().items())
    # Out of the diffusion model, its first stage goes with the same prior alone.
    further = (*DIFFUSION, f"autoencoder={second}")
    rows = findings("diffusion/tiny", city, *further, *by_mean)
    assert has(rows, "prior", "ok", str(mean), "up to 60 dB")
    assert not any(status == "error" for _, status, _ in rows)
    rows = findings("diffusion/tiny", city, *further, f"prior.channel={FAR}")
    assert has(rows, "first stage", "error", "must have learnt differences to the prior of the second stage")
    source = open_data_set(load_recipe("diffusion/tiny", (f"data.root={city}", *GIVEN[1:], *given)).data)
    maps = model.predict(batch_of(source, 0).condition, num_draws=2)
    assert maps.shape == (1, 2, 1, 48, 48)


def test_without_a_prior_nothing_is_opened(city: Path) -> None:
    recipe = load_recipe("baseline/tiny", (f"data.root={city}", *GIVEN[1:]))
    assert open_prior(recipe.prior, open_data_set(recipe.data)) is None
