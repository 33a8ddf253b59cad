"""The prior of a recipe: is it there, and does it fit the data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radiodiff.data.selection import open_data_set
from radiodiff.errors import RadiodiffError
from radiodiff.recipes.check.rows import CheckRow, error_row
from radiodiff.recipes.schema import Recipe

if TYPE_CHECKING:
    from radiodiff.pipeline.prior import Prior

__all__ = ["check_prior", "find_prior"]

PRIOR = "prior"


def find_prior(recipe: Recipe) -> "Prior | CheckRow | None":
    """The prior of a recipe, or what is wrong with it; None where there is none, or no data."""
    from radiodiff.recipes.prior import open_prior

    if recipe.prior is None:
        return None
    try:
        source = open_data_set(recipe.data)
    except RadiodiffError:
        # Said of the data.
        return None
    try:
        return open_prior(recipe.prior, source)
    except RadiodiffError as error:
        return error_row(PRIOR, error, type(recipe))


def check_prior(recipe: Recipe, found: "Prior | CheckRow | None") -> Iterator[CheckRow]:
    """Say what the prior is, or what is wrong with it.

    Args:
        recipe: The recipe.
        found: Its prior, or what is wrong with it, or None.
    """
    if recipe.prior is None or found is None:
        return
    if isinstance(found, CheckRow):
        yield found
        return
    what = recipe.prior.channel or f"the regression in {recipe.prior.model}"
    span_db = recipe.prior.span_db
    limit = "of any size" if span_db is None else f"up to {span_db:g} dB"
    yield CheckRow(PRIOR, "ok", f"differences to {what}, {limit}; made of {', '.join(found.names)}")
