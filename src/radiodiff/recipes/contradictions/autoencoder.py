"""Settings of a first stage that cannot both hold."""

from typing import TYPE_CHECKING

from radiodiff.data.autoencoder_examples import check_fit
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.errors import ConfigError
from radiodiff.recipes.contradictions.prior import check_prior
from radiodiff.recipes.map_shape import (
    map_size,
    num_condition_channels,
    num_target_channels,
    padded_size,
    target_span_db,
    window_size,
)

if TYPE_CHECKING:
    from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["check_autoencoder"]


def check_autoencoder(recipe: "AutoencoderRecipe") -> None:
    """Refuse a recipe of a first stage whose settings contradict each other.

    Raises:
        ConfigError: Two settings contradict each other; the error names both keys.
    """
    for check in (_input, _channels, _sizes, _discriminator, _edge_weight, _helmholtz, _prior):
        check(recipe)


def _input(recipe: "AutoencoderRecipe") -> None:
    check_fit(recipe.data, recipe.examples)


def _channels(recipe: "AutoencoderRecipe") -> None:
    data, network, source = recipe.data, recipe.autoencoder, recipe.examples.input
    num_targets = num_target_channels(data)
    wanted = {"in_channels": num_targets, "out_channels": num_targets}
    if source == "condition":
        wanted["in_channels"] = num_condition_channels(data)
    elif source != "target":
        wanted["in_channels"] = 1
    view = f"data.view={data.view!r}" if isinstance(data, IcasspConfig) else f"data.kind={data.kind!r}"
    for key, count in wanted.items():
        if getattr(network, key) != count:
            raise ConfigError(
                f"autoencoder.{key} must be {count} for {view} and examples.input={source!r}",
                value=getattr(network, key),
                remedy=f"Set autoencoder.{key}={count}, or change what the data set gives.",
            )


def _sizes(recipe: "AutoencoderRecipe") -> None:
    data, examples, factor = recipe.data, recipe.examples, recipe.autoencoder.factor
    size = map_size(data)
    if size is not None and examples.crop_size is not None and examples.crop_size > size[1]:
        raise ConfigError(
            f"examples.crop_size must not be larger than {size[0]}",
            value=f"{examples.crop_size} and {size[1]}",
            remedy="Choose a smaller window, or larger maps.",
        )
    # Maps that are not trained on, in a validation or for latents, are padded.
    window = window_size(data, examples)
    size = padded_size(data) if window is None else window
    if size is None:
        return
    key, count = size
    below = count // factor * factor
    if count != below:
        raise ConfigError(
            f"{key} must be a multiple of {factor}, by which autoencoder.channel_multipliers divides rows and columns",
            value=f"{count} with {len(recipe.autoencoder.channel_multipliers)} levels",
            remedy=f"Take {f'{below} or ' if below else ''}{below + factor}, or fewer levels.",
        )


def _discriminator(recipe: "AutoencoderRecipe") -> None:
    adversarial, window = recipe.loss.adversarial, window_size(recipe.data, recipe.examples)
    perceptual = recipe.loss.perceptual
    if perceptual is not None and window and window[1] < perceptual.smallest_map:
        raise ConfigError(
            f"{window[0]} must be at least {perceptual.smallest_map} for loss.perceptual.kind {perceptual.kind!r}",
            value=window[1],
            remedy="Take larger windows, or set loss.perceptual to null.",
        )
    if adversarial is None:
        return
    smallest = recipe.discriminator.smallest_map
    if window is not None and window[1] < smallest:
        raise ConfigError(
            f"{window[0]} must be at least {smallest} for discriminator.num_layers={recipe.discriminator.num_layers}",
            value=window[1],
            remedy="Take larger windows, fewer discriminator.num_layers, or set loss.adversarial to null.",
        )
    if adversarial.conditional and not recipe.examples.with_condition:
        raise ConfigError(
            "loss.adversarial.conditional needs examples.with_condition",
            value="conditional=true without the condition",
            remedy="Set examples.with_condition=true (it needs another examples.input than 'condition').",
        )


def _edge_weight(recipe: "AutoencoderRecipe") -> None:
    if recipe.loss.edge_weight == 0:
        return
    data = recipe.data
    if not isinstance(data, RadioMapSeerConfig):
        raise ConfigError(
            "loss.edge_weight needs data with edge weights, those of data.kind 'radiomapseer'",
            value=f"edge_weight={recipe.loss.edge_weight:g} with data.kind={data.kind!r}",
            remedy="Set loss.edge_weight to 0.",
        )
    if data.edge_weights is None:
        raise ConfigError(
            "loss.edge_weight needs examples with weights, data.edge_weights",
            value=f"edge_weight={recipe.loss.edge_weight:g} and none",
            remedy="Set data.edge_weights, or loss.edge_weight to 0.",
        )


def _helmholtz(recipe: "AutoencoderRecipe") -> None:
    helmholtz, data = recipe.loss.helmholtz, recipe.data
    if helmholtz is None:
        return
    if recipe.autoencoder.out_channels != 1:
        raise ConfigError(
            "loss.helmholtz needs maps of one channel, autoencoder.out_channels=1",
            value=f"{recipe.autoencoder.out_channels} channels",
            remedy="Set loss.helmholtz to null: the equation is about one field.",
        )
    span = target_span_db(data)
    if span is None:
        raise ConfigError(
            "loss.helmholtz needs targets in decibels",
            value=f"data.kind={data.kind!r}",
            remedy="Set loss.helmholtz to null.",
        )
    if helmholtz.quantity == "amplitude" and abs(helmholtz.span_db - span) > 0.01:
        key = f"data.scale={data.scale!r}" if isinstance(data, RadioMapSeerConfig) else f"data.kind={data.kind!r}"
        raise ConfigError(
            f"loss.helmholtz.span_db must be {span:g}, the decibels of a target of {key}",
            value=f"{helmholtz.span_db:g}",
            remedy=f"Set loss.helmholtz.span_db={span:g}.",
        )


def _prior(recipe: "AutoencoderRecipe") -> None:
    prior, examples = recipe.prior, recipe.examples
    if prior is None:
        return
    if examples.input != "target" or not examples.with_condition:
        raise ConfigError(
            "prior needs examples.input 'target', and examples.with_condition, which holds what the prior is made of",
            value=f"examples.input={examples.input!r}, with_condition={str(examples.with_condition).lower()}",
            remedy="Set examples.with_condition=true, or prior to null.",
        )
    check_prior(recipe)
    if prior.model is not None and examples.crop_size is not None:
        raise ConfigError(
            "prior.model needs whole maps: in a window of examples.crop_size it predicts another map",
            value=f"examples.crop_size={examples.crop_size}",
            remedy="Leave examples.crop_size out.",
        )
    if recipe.loss.helmholtz is not None:
        raise ConfigError(
            "loss.helmholtz needs maps, not differences to a prior",
            value="both",
            remedy="Set loss.helmholtz to null, or prior to null.",
        )
