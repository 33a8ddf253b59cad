"""How figures were measured, in words: printed numbers of this field follow several protocols."""

from collections.abc import Mapping
from typing import Any

from radiodiff.encoding import Channel
from radiodiff.evaluation.config import BootstrapConfig
from radiodiff.evaluation.examples import EvaluationExamples
from radiodiff.evaluation.levels import half_step
from radiodiff.evaluation.regions import OUTDOOR
from radiodiff.evaluation.scores import ScoreSheet
from radiodiff.metrics import most_coverage

__all__ = ["protocol_of"]

FEW_CITIES = 10
"""Resamples of fewer cities vary too little."""


def protocol_of(
    examples: EvaluationExamples,
    channel: Channel,
    scale: str,
    sheet: ScoreSheet,
    bootstrap: BootstrapConfig,
    predictors: Mapping[str, Mapping[str, Any]],
) -> dict[str, str]:
    """What a reader must know of the figures, by topic.

    Args:
        examples: The data.
        channel: What the levels are.
        scale: Scale of the figures.
        sheet: Figures of one of the predictors.
        bootstrap: How intervals were made.
        predictors: Facts of each predictor by its label.
    """
    num_maps, num_cities = len(sheet.rows), len(set(sheet.cities))
    cells, words = sheet.num_cells(), examples.finder.words()
    span = "" if channel.span_db is None else f", 0 to 1 is {channel.span_db:.6g} dB"
    changed = "" if scale == examples.source.scale else f" (made of {examples.source.scale} maps)"
    found = {
        "data": examples.facts().words,
        "maps": f"{num_maps} maps of {num_cities} {'city' if num_cities == 1 else 'cities'}",
        "scale": f"{scale}{changed}; levels g in [0, 1] are {channel.name} {channel.low:g} to {channel.high:g}{span}",
        "rounding": _rounding_words(channel, scale),
        "averaging": "figures of each map, then their mean; pooled: all cells of all maps together",
        "interval": _interval_words(bootstrap, num_cities),
        **{region: f"{words[region]}: {count}" for region, count in cells.items()},
    }
    if sheet.num_unknown is not None:
        found["unknown"] = (
            f"{sheet.num_unknown} cells outside buildings where the true map has level 0 (no ray found them, or too "
            "weak): they count in no figure"
        )
    if OUTDOOR not in cells:
        found[OUTDOOR] = "not known: the data show no buildings"
    return found | {label: _predictor_words(facts) for label, facts in predictors.items()}


def _rounding_words(channel: Channel, scale: str) -> str:
    step = 2.0 * half_step(channel, scale)
    if not step:
        return "none: true levels are exact"
    size = f"{step:.3g}" if channel.span_db is None else f"{step * channel.span_db:.3g} dB"
    return f"true maps have steps of {size}; a truth up to half a step beside an interval of draws counts as inside"


def _interval_words(bootstrap: BootstrapConfig, num_cities: int) -> str:
    if num_cities < 2:
        return "none: one city cannot be resampled"
    few = ", too narrow for so few" if num_cities < FEW_CITIES else ""
    drawn = f"{bootstrap.num_resamples} resamples of whole cities, seed {bootstrap.seed}"
    return f"{bootstrap.confidence:.0%} of {drawn}{few}"


def _predictor_words(facts: Mapping[str, Any]) -> str:
    rest = dict(facts)
    said = [str(rest.pop("kind"))]
    if "num_inference_steps" in rest:
        steps, draws = rest.pop("num_inference_steps"), rest.pop("num_draws")
        sampler = "stochastic" if rest.pop("is_stochastic") else "deterministic"
        said.append(f"{steps} {sampler} {'step' if steps == 1 else 'steps'}")
        said.append(
            f"1 draw, seed {rest.pop('seed')}"
            if draws == 1
            else f"mean of {draws} draws, seed {rest.pop('seed')} (between the 5 % and 95 % quantiles of {draws} draws "
            f"of the right law lie {most_coverage(draws):.0%})"
        )
    if "seconds_per_map" in rest:
        said.append(f"{rest.pop('seconds_per_map'):.3g} s per map without the first batch")
    for name, value in rest.items():
        words = " + ".join(map(str, value)) if isinstance(value, list) else value
        said.append(f"{name.replace('_', ' ')} {words}")
    return ", ".join(said)
