"""A prior that the data of a recipe cannot have."""

from typing import TYPE_CHECKING

from radiodiff.errors import ConfigError
from radiodiff.recipes.map_shape import level_channels, target_span_db

if TYPE_CHECKING:
    from radiodiff.recipes.schema import Recipe

__all__ = ["check_prior"]


def check_prior(recipe: "Recipe") -> None:
    """Refuse a prior that the data cannot have.

    Raises:
        ConfigError: Its channel is not in the condition or no level, or the target has no such span in decibels.
    """
    prior = recipe.prior
    if prior is None:
        return
    span_db, known = target_span_db(recipe.data), level_channels(recipe.data)
    if prior.channel is not None and not (prior.channel in known and span_db is not None):
        raise ConfigError(
            "prior.channel must be a channel of the condition that holds a gain or a path loss in dB, as the target is",
            value=f"{prior.channel!r} of {', '.join(known) or 'no such channels'}",
            remedy="Add it to the condition: data.geometry=[dominant_path_gain_db, ...], or data.condition2=free-space "
            "with data.kind 'icassp'.",
        )
    if prior.span_db is not None and (span_db is None or prior.span_db > span_db):
        there = "no decibels" if span_db is None else f"{span_db:.6g} dB"
        raise ConfigError(
            "prior.span_db must not be more than the target has",
            value=f"{prior.span_db:g} for a target of {there}",
            remedy="Leave it out for differences of any size.",
        )
