"""Settings of the RadioMapSeer reader: one class for all variants of the data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.data.edges.detect import EdgeMethod
from radiodiff.data.placement import Fit
from radiodiff.encoding import Scale
from radiodiff.errors import ConfigError
from radiodiff.propagation import GeometryChannel

__all__ = [
    "ANSWER_CHANNELS",
    "OTHER_SIMULATIONS",
    "TRACED_SIMULATIONS",
    "BuildingsConfig",
    "MeasurementsConfig",
    "OtherSimulation",
    "RadioMapSeerConfig",
    "Simulation",
]

Simulation = Literal["DPM", "IRT2", "IRT4", "RL", "RT", "mix"]

OtherSimulation = Literal["DPM", "IRT2", "IRT4", "RL", "RT"]
"""A simulation as the input from which another one is to be learned."""

OTHER_SIMULATIONS: tuple[OtherSimulation, ...] = get_args(OtherSimulation)

TRACED_SIMULATIONS = ("RL", "RT")
"""Ray launching and ray tracing: level 0 outdoors is no value there, but a cell that no ray has found, or too weak."""

_OF_CORNERS = ("shortest_path_length_m", "turning_angle_deg", "dominant_path_gain_db", "ray_launching_gain_db")
ANSWER_CHANNELS: Mapping[str, frozenset[str]] = {
    "DPM": frozenset(_OF_CORNERS),
    "mix": frozenset(_OF_CORNERS),
    "RL": frozenset({"ray_launching_gain_db"}),
}
"""Geometry channels from which a map of the same buildings follows, or nearly so, by its simulation."""

ANSWERS = {"DPM": "a dominant path map", "mix": "a dominant path map", "RL": "a map of launched rays"}


class BuildingsConfig(Config):
    """Which buildings the condition shows; the target always belongs to the complete ones.

    Attributes:
        layer: "complete", "missing" (some left out of the image), or "removed" (some left out, another draw of the data
            set).
        count: How many are left out, 1..4, or "random": drawn for each example from those that the data set has.
        variant: Which of the draws, 1..6, or "random", likewise.
        share: Share of the examples, drawn for each, that show the layer; the others show all buildings.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or there is a share of complete layers.
    """

    layer: Literal["complete", "missing", "removed"] = "complete"
    count: Annotated[int, Field(ge=1, le=4)] | Literal["random"] = "random"
    variant: Annotated[int, Field(ge=1, le=6)] | Literal["random"] = "random"
    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.layer == "complete" and self.share < 1:
            raise ConfigError(
                "BuildingsConfig.share belongs to the layers 'missing' and 'removed'",
                value=f"share={self.share:g} with layer='complete'",
                remedy="Set layer to 'missing', or leave the share out.",
            )
        return self

    def layer_name(self, count: int, variant: int) -> str:
        """Layer of a data set with so many buildings left out, in one of the draws."""
        return f"buildings_{self.layer}{count}/{variant}"

    @property
    def fixed_layer(self) -> str | None:
        """Layer of a data set that all examples show; None where it is drawn for each."""
        if self.layer == "complete":
            return "buildings_complete"
        if self.share < 1 or self.count == "random" or self.variant == "random":
            return None
        return self.layer_name(self.count, self.variant)

    @property
    def shows_all_in_some(self) -> bool:
        """Whether there are conditions that show all buildings."""
        return self.layer == "complete" or self.share < 1


class MeasurementsConfig(Config):
    """Measured points given to the network: a channel of path loss and a mask.

    Attributes:
        kind: "random" points outdoors, "half" of the map, or "vertices" (outdoor cells at building corners).
        num_points: Fewest and most points of a draw; for "random" alone.
        half: Which half is known; for "half" alone.
        noise_db: Standard deviation of Gaussian noise on the measured path loss [dB].
    """

    kind: Literal["random", "half", "vertices"]
    num_points: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 300)
    half: Literal["left", "right", "top", "bottom", "random"] = "random"
    noise_db: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.num_points[0] <= self.num_points[1]:
            raise ConfigError(
                "MeasurementsConfig.num_points must be the fewest and the most points",
                value=self.num_points,
                remedy="Put the smaller number first.",
            )
        return self


class RadioMapSeerConfig(Config):
    """What to read of a data set in RadioMapSeer's layout, downloaded, generated or packed.

    Attributes:
        kind: Always "radiomapseer".
        root: Folder of the data set.
        part: "train", "validation", "test", or "all".
        split: Name of a split, path of a manifest (.json), "all" for all maps in one part "all", or None for the
            manifest of the folder and, where there is none, `disjoint`.
        simulation: Target: the dominant path (DPM), rays as the download has them (IRT2, IRT4), rays launched (RL) or
            traced (RT) by radiodiff. "mix" is `w IRT2 + (1 - w) DPM` on grey levels.
        mix_weight: w, or None to draw it from [0, 1].
        cars: Targets with cars.
        cars_channel: What the third channel shows: "cars", "empty", "buildings" once more (as networks of RadioDiff's
            published code expect), or "absent". None takes "cars" for targets with cars, else "empty".
        buildings: Buildings of the condition.
        scale: Scale of the target.
        stored_scale: Scale of the files; the download is raw.
        measurements: Measured points, or None.
        geometry: Geometry channels, from the buildings of the condition.
        geometry_cache: Where they are kept; None takes the folder `geometry` of the data set.
        heights: Channels of the heights of buildings and transmitter (`radiodiff.encoding.HEIGHT_CHANNELS`); the
            buildings are those of the condition.
        unknown_heights: Share of the buildings, drawn for each example, whose height the condition does not show: it is
            0 there, as where a scene does not know it. Buildings that touch are one.
        k2: Curvature channel from the prediction of "log-distance" or "dominant-path", or from images
            `<map>_<tx>.png` of a folder (stored scale); None leaves it out.
        edge_weights: Weights of the target's cells: edges by a method of `radiodiff.data.edges`, "k2" for the curvature
            of the target, or a folder of edge images `<map>_<tx>.png`; None leaves them out.
        allow_answer_channels: Accept channels from which the target follows.
        tx_per_map: Most transmitters of each map, the first ones; None takes all.
        size: Rows and columns of the examples; None keeps those of the files.
        fit: Resample to the size, or pad.
        augment: Draw one of the symmetries of the square.
        seed: Seed of all draws.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    kind: Literal["radiomapseer"] = "radiomapseer"
    root: Path
    part: str = "train"
    split: str | None = None
    simulation: Simulation = "DPM"
    mix_weight: Annotated[float, Field(ge=0, le=1)] | None = None
    cars: bool = False
    cars_channel: Literal["cars", "empty", "buildings", "absent"] | None = None
    buildings: BuildingsConfig = BuildingsConfig()
    scale: Scale = "raw"
    stored_scale: Scale = "raw"
    measurements: MeasurementsConfig | None = None
    geometry: tuple[GeometryChannel, ...] = ()
    geometry_cache: Path | None = None
    heights: bool = False
    unknown_heights: Annotated[float, Field(ge=0, le=1)] = 0.0
    k2: Literal["log-distance", "dominant-path"] | Path | None = None
    edge_weights: EdgeMethod | Literal["k2"] | Path | None = None
    allow_answer_channels: bool = False
    tx_per_map: Annotated[int, Field(ge=1)] | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    fit: Fit = "resample"
    augment: bool = False
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.mix_weight is not None and self.simulation != "mix":
            raise ConfigError(
                "RadioMapSeerConfig.mix_weight belongs to simulation 'mix'",
                value=f"mix_weight={self.mix_weight} with simulation={self.simulation!r}",
                remedy="Leave it out, or set simulation to 'mix'.",
            )
        if self.stored_scale == "thresholded" and self.scale == "raw":
            raise ConfigError(
                "RadioMapSeerConfig.scale must be 'thresholded' where the files are",
                value="scale='raw', stored_scale='thresholded'",
                remedy="Set scale to 'thresholded': what lies below the threshold is not in the files.",
            )
        if self.unknown_heights > 0 and not self.heights:
            raise ConfigError(
                "RadioMapSeerConfig.unknown_heights belongs to heights",
                value=f"unknown_heights={self.unknown_heights:g} without heights",
                remedy="Set heights, or leave unknown_heights out.",
            )
        answers: list[str] = [name for name in self.geometry if name in ANSWER_CHANNELS.get(self.simulation, ())]
        if self.k2 == "dominant-path" and self.simulation in ("DPM", "mix"):
            answers.append("k2")
        if answers and self.buildings.shows_all_in_some and not self.allow_answer_channels:
            raise ConfigError(
                f"The condition must not hold the answer: {ANSWERS[self.simulation]} follows from these channels of "
                "its own buildings",
                value=", ".join(answers),
                remedy="Leave them out, take another simulation, or set allow_answer_channels where that is meant.",
            )
        return self

    @property
    def gain_folders(self) -> tuple[str, ...]:
        """Folders under `gain/` that the target comes from."""
        simulations = ("IRT2", "DPM") if self.simulation == "mix" else (self.simulation,)
        return tuple(f"cars{name}" if self.cars else name for name in simulations)

    @property
    def is_traced(self) -> bool:
        """Whether level 0 outdoors is no value of the target."""
        return self.simulation in TRACED_SIMULATIONS

    @property
    def third_channel(self) -> Literal["cars", "empty", "buildings", "absent"]:
        """What the third channel of the condition shows."""
        return self.cars_channel or ("cars" if self.cars else "empty")
