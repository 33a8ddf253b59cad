"""Radio maps of scenes and transmitters by a model: what a call of a pipeline does."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from radiodiff.encoding import Encoding
from radiodiff.errors import ConfigError, GridError, InputError
from radiodiff.pipeline.config import PredictOptions
from radiodiff.pipeline.measurements import Measurements, check_one_each
from radiodiff.pipeline.prediction import Sizes
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.radio_map import Ensemble, RadioMap, check_shares
from radiodiff.scene import Scene, Transmitter

__all__ = [
    "CallOptions",
    "Generators",
    "Request",
    "check_generators",
    "check_model",
    "check_quantiles",
    "check_scenes",
    "make_requests",
    "map_of_draws",
    "same_sized",
]

Generators = torch.Generator | Sequence[torch.Generator] | None


class CallOptions(PredictOptions, total=False):
    """Keyword arguments of a call, see `RadioMapPipeline.__call__`."""

    generator: Generators
    measurements: Measurements | Sequence[Measurements | None] | None
    quantiles: Sequence[float]
    return_draws: bool


LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Request:
    """A map to make.

    Attributes:
        scene: The scene.
        tx: The transmitter.
        measurements: Points that it is to agree with, or None.
        generator: Source of its draws.
        seed: Seed with which the generator makes the same map again, or None where nobody knows it.
    """

    scene: Scene
    tx: Transmitter
    measurements: Measurements | None
    generator: torch.Generator
    seed: int | None


def make_requests(
    scene: Scene | Sequence[Scene],
    tx: Transmitter | Sequence[Transmitter],
    measurements: Measurements | Sequence[Measurements | None] | None,
    generator: Generators,
) -> list[Request]:
    """The maps that a call asks for: one scene or one transmitter goes with each of the others.

    Raises:
        InputError: There are none, the lists have different lengths, or something is of another kind.
    """
    _check_kinds(scene, Scene, "Scenes must be radiodiff.Scene", "Make one: Scene.from_footprints(grid, footprints).")
    _check_kinds(
        tx, Transmitter, "Transmitters must be radiodiff.Transmitter", "Make one: Transmitter.at_cell(grid, col, row)."
    )
    lengths = {len(given) for given in (scene, tx) if isinstance(given, Sequence)} or {1}
    count = max(lengths)
    if len(lengths) > 1 or count == 0:
        raise InputError(
            "Scenes and transmitters must be one each, one with many, or as many of both, and at least one",
            value=" and ".join(str(len(given)) for given in (scene, tx) if isinstance(given, Sequence)),
            remedy="Repeat a scene that has several transmitters: [scene] * len(txs).",
        )
    scenes = list(scene) if isinstance(scene, Sequence) else [scene] * count
    txs = list(tx) if isinstance(tx, Sequence) else [tx] * count
    points = list(measurements) if isinstance(measurements, Sequence) else [measurements]
    points = [None] * count if measurements is None else points
    check_one_each(points, count)
    parts = zip(scenes, txs, points, _sources(generator, count), strict=True)
    return [Request(one_scene, one_tx, given, *source) for one_scene, one_tx, given, source in parts]


def check_generators(generators: Sequence[torch.Generator], count: int) -> None:
    """Refuse what are not generators, one for each map.

    Raises:
        InputError: There are more or fewer, or something else.
    """
    rule = "Generators must be a list of torch.Generator, one for each map"
    remedy = "Give [torch.Generator().manual_seed(seed), ...]: no map then depends on the others."
    _check_kinds(generators, torch.Generator, rule, remedy)
    found = len(generators) if isinstance(generators, Sequence) else "one, not in a list,"
    if found != count:
        raise InputError(rule, value=f"{found} for {count} maps", remedy=remedy)


def check_quantiles(quantiles: object) -> None:
    """Refuse shares of quantiles that are none.

    Raises:
        InputError: They are no list of numbers in [0, 1].
    """
    shares = (
        list(quantiles) if isinstance(quantiles, Sequence | np.ndarray) and not isinstance(quantiles, str) else None
    )
    if shares is None or not all(isinstance(share, int | float | np.number) for share in shares):
        raise InputError(
            "Shares of quantiles must be a list of numbers", value=repr(quantiles), remedy="Write (0.05, 0.5, 0.95)."
        )
    check_shares(shares)


def _check_kinds(given: object, kind: type, rule: str, remedy: str) -> None:
    """Refuse what is neither of a kind nor a list of it."""
    wrong = [one for one in (given if isinstance(given, Sequence) else [given]) if not isinstance(one, kind)]
    if wrong:
        raise InputError(rule, value=f"{wrong[0]!r:.60} ({type(wrong[0]).__name__})", remedy=remedy)


def check_model(record: PipelineRecord) -> None:
    """Refuse models whose maps are no path loss, or whose conditions no scene gives.

    Raises:
        ConfigError: It is one.
    """
    if record.is_resampled:
        raise ConfigError(
            "Radio maps of scenes must come from a model of maps in their own size",
            value=f"a model of resampled maps (data.size={record.data.get('size')})",
            remedy="Use radiodiff sample on a data set or pipeline.predict, or train with data.fit=pad.",
        )
    if record.scale == "binary" or not record.encoding.target.name.startswith("path_loss"):
        raise ConfigError(
            "Radio maps must come from a model of path loss",
            value=f"a model of {record.encoding.target.name} (scale {record.scale!r})",
            remedy="Use pipeline.predict for its encoded maps.",
        )


def check_scenes(requests: Sequence[Request], sizes: Sizes) -> None:
    """Refuse scenes that are too small.

    Raises:
        GridError: A scene has fewer rows or columns than half of what goes through the network at least.
    """
    least = max(1, sizes.multiple // 2)
    for request in requests:
        grid = request.scene.grid
        if min(grid.shape) < least:
            raise GridError(
                f"A scene must have at least {least} rows and columns for this model",
                value=f"{grid.rows} x {grid.cols} cells",
                remedy="Use a larger part of the map: a model says nothing of what it hardly sees.",
            )


def same_sized(requests: Sequence[Request], most: int) -> Iterator[list[int]]:
    """Numbers of requests in groups of one map size, each of at most so many."""
    sizes: dict[tuple[int, int], list[int]] = {}
    for number, request in enumerate(requests):
        sizes.setdefault(request.scene.grid.shape, []).append(number)
    for numbers in sizes.values():
        yield from (numbers[first : first + most] for first in range(0, len(numbers), most))


def map_of_draws(
    draws: NDArray[np.float32],
    request: Request,
    encoding: Encoding,
    ensemble_of: Callable[[NDArray[np.float64]], Ensemble | None],
    facts: dict[str, Any],
) -> RadioMap:
    """The radio map of the draws (num_draws, rows, cols) of a request: their mean in dB, without the buildings."""
    path_loss_db = encoding.decode_target(draws)
    path_loss_db[:, request.scene.buildings] = np.nan
    points = request.measurements
    meta = facts | {"seed": request.seed, "num_measurements": 0 if points is None else len(points)}
    return RadioMap(
        path_loss_db.mean(axis=0).astype(np.float32),
        request.scene.grid,
        request.tx,
        producer=", ".join(f"{name} {value}" for name, value in meta.items()),
        scene=request.scene,
        meta=meta,
        ensemble=ensemble_of(path_loss_db),
    )


def _sources(generator: Generators, count: int) -> list[tuple[torch.Generator, int | None]]:
    """A generator for each map and its seed.

    A generator given for several maps gives each its seed; one given for one map is used itself.
    """
    if generator is None:
        return [_seeded(secrets.randbelow(LARGEST_SEED)) for _ in range(count)]
    if isinstance(generator, torch.Generator) and count > 1:
        device = generator.device
        seeds = torch.randint(LARGEST_SEED, (count,), generator=generator, device=device)
        return [_seeded(int(seed)) for seed in seeds.tolist()]
    remedy = "Give torch.Generator().manual_seed(seed): of several maps each gets a seed of its own from it."
    _check_kinds(generator, torch.Generator, "Generators must be torch.Generator", remedy)
    generators = [generator] if isinstance(generator, torch.Generator) else list(generator)
    if len(generators) != count:
        raise InputError(
            "Generators must be one, or one for each map",
            value=f"{len(generators)} for {count} maps",
            remedy="Give one: each map then gets a seed of its own from it.",
        )
    return [(one, _seed_of_fresh(one)) for one in generators]


def _seeded(seed: int) -> tuple[torch.Generator, int]:
    return torch.Generator().manual_seed(seed), seed


def _seed_of_fresh(generator: torch.Generator) -> int | None:
    """Seed of a generator that has given nothing yet."""
    seed = generator.initial_seed()
    fresh = torch.Generator(generator.device).manual_seed(seed)
    return seed if torch.equal(fresh.get_state(), generator.get_state()) else None
