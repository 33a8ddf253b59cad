"""The card of a benchmark set: what it holds, how it was made, how exact it is, whom to credit."""

import json
from collections.abc import Iterator
from textwrap import fill

from radiodiff.evaluation.bench.content import BenchContent, ScenarioContent
from radiodiff.grey_scale import RADIOMAPSEER_GREY

__all__ = ["card_text"]

SCENARIOS = {
    "street": "Transmitters outdoors at 2.5 m, a metre above the receivers: paths lead through the streets.",
    "rooftop": "Transmitters 3 m above a roof, or on a mast: paths lead over the roofs, which engines of two "
    "dimensions do not know.",
}

TARGETS = {
    "DPM": "dominant path, two dimensions: a law, no measure of the truth",
    "RL": "ray launching, two dimensions: reflections off walls and paths around corners",
    "RT": "ray tracing, three dimensions: the reference",
}

WIDTH = 120


def card_text(content: BenchContent) -> str:
    """The card, Markdown."""
    return "\n".join(_lines(content)) + "\n"


def _lines(content: BenchContent) -> Iterator[str]:
    cities = f"crops of {content.test_city}" if content.part == "test" else f"crops of cities but {content.test_city}"
    yield from (f"# radiodiff-bench, {content.part} part", "")
    yield _paragraph(
        f"Radio maps of real layouts: {cities}, 1 m cells, buildings with heights, receivers at 1.5 m,",
        f"{content.frequency_hz / 1e9:g} GHz, isotropic antennas. No crop of {content.test_city} is in the training",
        f"part; the crops of {content.validation_city} are its validation part. Made with radiodiff",
        f"{content.radiodiff}.",
    )
    for name, scenario in content.scenarios.items():
        yield from _scenario_lines(name, scenario)
    yield from ("", "## How", "")
    grey = RADIOMAPSEER_GREY
    yield _paragraph(
        f"Gains are grey levels, {grey.min_gain_db:g} dB at 0 to {grey.max_gain_db:g} dB at 255 of path gain",
        f"({grey.step_db(thresholded=False):.3g} dB each). Level 0 outdoors in RL and RT is no value: no path was",
        "found, or it lies below the range. Such cells count in no figure of `radiodiff evaluate --bench`. Engines and",
        "settings:",
    )
    yield ""
    for name, scenario in content.scenarios.items():
        for simulation, found in scenario.simulations.items():
            yield f"* {name}, {simulation}: `{json.dumps(found.engine)}`"
    yield from ("", "## Licence", "")
    yield from (f"* Layouts: {licence}" for licence in content.licences)
    yield "* Radio maps: derived from these layouts, under the same terms where those ask for it."


def _scenario_lines(name: str, scenario: ScenarioContent) -> Iterator[str]:
    yield from ("", f"## Scenario {name}", "")
    yield _paragraph(
        SCENARIOS.get(name, ""),
        f"Scenes: {scenario.num_scenes}. Transmitters on each: {scenario.tx_per_scene}. Maps of every target:",
        f"{scenario.num_maps}.",
    )
    yield from ("", "| target | what | standard error | without a path | time per map |", "|---|---|---|---|---|")
    for simulation, found in scenario.simulations.items():
        error_db = found.facts.get("standard_error_db")
        noise = "none: a closed form" if error_db is None else f"{error_db:.2g} dB"
        seconds = "not known" if found.seconds_per_map is None else f"{found.seconds_per_map:.3g} s"
        what = TARGETS.get(simulation, "")
        yield f"| {simulation} | {what} | {noise} | {found.share_without_path:.1%} | {seconds} |"
    yield ""
    yield _paragraph(
        "Standard error: median over maps of that of a cell, as the engine estimates it. Without a path: share of the",
        "outdoor cells.",
    )
    if scenario.file:
        yield ""
        yield _paragraph(
            f"`{scenario.file}`, {scenario.num_bytes:,} bytes, SHA-256 `{scenario.sha256}`: a packed data set",
            "(safetensors) in a tar file under LZMA.",
        )


def _paragraph(*parts: str) -> str:
    return fill(" ".join(parts), WIDTH, break_long_words=False, break_on_hyphens=False)
