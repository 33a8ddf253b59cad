"""Examples of a data set as an autoencoder sees them: what goes in, what should come out."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.data.example import Draw, Example, numbered
from radiodiff.data.icassp.config import IcasspConfig
from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.data.selection import DataConfig, open_data_set, shows_all_buildings, windows_in_words
from radiodiff.encoding import Channel, Encoding, path_loss_channel
from radiodiff.errors import ConfigError

if TYPE_CHECKING:
    from radiodiff.data.radiomapseer.dataset import RadioMapSeer

__all__ = ["AutoencoderExamples", "AutoencoderExamplesConfig", "check_fit"]

Cell = TypeVar("Cell", np.float32, np.bool_)


class AutoencoderExamplesConfig(Config):
    """What an autoencoder is given of each example.

    Attributes:
        input: "target" to learn the maps themselves, "condition" to learn the target from the condition's channels, or
            another simulation of the same scene ("DPM", "IRT2", "IRT4", "RL", "RT"; RadioMapSeer alone) to learn the
            transfer from it.
        with_condition: Give the condition too, for a discriminator that sees it or a loss that needs the buildings.
            Input "condition" gives it anyway.
        crop_size: Rows and columns of a window drawn from each training example; None keeps whole maps.

    Raises:
        ConfigError: A key is unknown, a value not allowed, or two contradict each other.
    """

    input: Literal["target", "condition", "DPM", "IRT2", "IRT4", "RL", "RT"] = "target"
    with_condition: bool = False
    crop_size: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.with_condition and self.input == "condition":
            raise ConfigError(
                "AutoencoderExamplesConfig.with_condition belongs to other inputs than 'condition'",
                value="with_condition=true with input='condition'",
                remedy="Leave it out: the condition is the input.",
            )
        return self


class AutoencoderExamples:
    """Examples whose `condition` is what goes into the autoencoder, then, if wanted, the condition of the data set.

    The input and its target belong to one draw, with one symmetry and one window. Of a target with several channels
    (views of the ICASSP data set) all go in. With input "IRT4" only the examples of the first two transmitters of each
    map are left: the others were not simulated.

    A window is drawn uniformly from all that lie on the content of an example, by a draw that follows from the seed of
    the data set and number and draw of the example. It cuts weights and mask, too. `Example.tx` is given relative to
    it and may lie outside.

    Args:
        source_config: Settings of the data set.
        config: What is made of its examples.

    Attributes:
        config: What was asked for.
        source_config: Settings of the data set.
        source: The data set.
        input_encoding: Channels that go in, and the target: what is stored with an autoencoder.
        encoding: The same, with the channels of the condition after them.
        num_targets: Channels of the target.

    Raises:
        ConfigError: The data set has no other simulations, the input is the target's own simulation, or its condition
            is the target.
        DataSetError: See the data set.
        FormatError: See the data set.
    """

    def __init__(self, source_config: DataConfig, config: AutoencoderExamplesConfig) -> None:
        check_fit(source_config, config)
        self.config = config
        self.source_config = source_config
        self.source = open_data_set(source_config)
        self._seed = source_config.seed
        of_source = self.source.encoding
        targets = of_source.condition if _is_view(source_config) else (of_source.target,)
        self.num_targets = len(targets)
        inputs: tuple[Channel, ...] = targets
        self._numbers: list[int] | None = None
        if config.input == "condition":
            inputs = of_source.condition
        elif config.input != "target":
            inputs = (_simulation_channel(source_config, config.input),)
            self._numbers = self._radiomapseer.numbers_with(config.input)
        self.input_encoding = Encoding(inputs, of_source.target)
        self.encoding = self.input_encoding
        if config.with_condition:
            self.encoding = Encoding((*inputs, *of_source.condition), of_source.target)

    @property
    def num_inputs(self) -> int:
        """Channels that go into the autoencoder: the first ones of an example's condition."""
        return len(self.input_encoding.condition)

    @property
    def buildings_index(self) -> int | None:
        """Place of the buildings among the channels of an example's condition; None where they are not shown."""
        names = self.encoding.names
        return names.index("buildings") if "buildings" in names else None

    @property
    def shows_all_buildings(self) -> bool:
        """Whether the buildings of the condition are those of the map: none are left out of it."""
        return shows_all_buildings(self.source_config)

    @property
    def windows(self) -> str:
        """What windows the examples are, in words; empty for whole maps."""
        size = self.config.crop_size
        drawn = "" if size is None else f"windows of {size} x {size} cells"
        return " of ".join(filter(None, (drawn, windows_in_words(self.source_config))))

    @property
    def scale(self) -> str:
        """Scale of the target."""
        return self.source.scale

    def __len__(self) -> int:
        return len(self.source) if self._numbers is None else len(self._numbers)

    def __getitem__(self, index: int | Draw) -> Example:
        """An example, by its number or by number and draw.

        Raises:
            IndexError: There is no such example.
            ConfigError: The window is larger than the map.
            DataSetError: See the data set.
            FormatError: See the data set.
        """
        number, draw = numbered(index, len(self))
        number = number if self._numbers is None else self._numbers[number]
        example = self.source[number, draw]
        parts = [self._input(example, (number, draw)), *([example.condition] if self.config.with_condition else [])]
        size = self.config.crop_size
        if size is None:
            return replace(example, condition=parts[0] if len(parts) == 1 else np.concatenate(parts))
        # The fourth number keeps this draw apart from those of the data set.
        random = np.random.default_rng((self._seed, draw, number, 1))
        row, col = _draw_corner(example, size, random)
        window = (slice(None), slice(row, row + size), slice(col, col + size))

        def cut(array: NDArray[Cell]) -> NDArray[Cell]:
            return array[window]

        return replace(
            example,
            target=cut(example.target),
            condition=np.concatenate([cut(part) for part in parts]),
            weight=None if example.weight is None else cut(example.weight),
            mask=None if example.mask is None else cut(example.mask),
            tx=(example.tx[0] - row, example.tx[1] - col) if min(example.tx) >= 0 else example.tx,
            content=(size, size),
        )

    @property
    def _radiomapseer(self) -> "RadioMapSeer":
        return cast("RadioMapSeer", self.source)

    def _input(self, example: Example, draw: Draw) -> NDArray[np.float32]:
        if self.config.input == "target":
            return example.target
        if self.config.input == "condition":
            return example.condition
        return self._radiomapseer.other_map(draw, self.config.input)


def check_fit(source: DataConfig, config: AutoencoderExamplesConfig) -> None:
    """Check, by the settings alone, that a data set has what is asked for.

    Raises:
        ConfigError: The condition is the target, the data set has no other simulations, or the input is the target's
            own.
    """
    if config.with_condition and _is_view(source):
        raise ConfigError(
            "AutoencoderExamplesConfig.with_condition needs a condition that is not the target, IcasspConfig.view "
            "'multi-condition'",
            value=f"with_condition=true with data.view={cast(IcasspConfig, source).view!r}",
            remedy="Leave it out, or change the view.",
        )
    if config.input in ("target", "condition"):
        return
    if not isinstance(source, RadioMapSeerConfig):
        raise ConfigError(
            "AutoencoderExamplesConfig.input must be 'target' or 'condition' where data.kind is not 'radiomapseer'",
            value=f"{config.input!r} with data.kind={source.kind!r}",
            remedy="Other simulations of a scene are in RadioMapSeer alone.",
        )
    if config.input == source.simulation:
        raise ConfigError(
            "AutoencoderExamplesConfig.input must be another simulation than RadioMapSeerConfig.simulation",
            value=f"{config.input!r} for both",
            remedy="Set input to 'target', or change data.simulation.",
        )


def _is_view(source: Any) -> bool:
    """Whether the condition of a data set is its target: views of the ICASSP data set for autoencoders."""
    return isinstance(source, IcasspConfig) and source.view != "multi-condition"


def _simulation_channel(source: DataConfig, simulation: str) -> Channel:
    scale = cast(RadioMapSeerConfig, source).scale
    return path_loss_channel(scale, name=f"{simulation.lower()}_path_loss_db")


def _draw_corner(example: Example, size: int, random: np.random.Generator) -> tuple[int, int]:
    """First row and column of a window on the map."""
    rows, cols = example.content
    if not size <= min(rows, cols):
        raise ConfigError(
            "AutoencoderExamplesConfig.crop_size must not be larger than the maps",
            value=f"{size} for {example.name} of {rows} x {cols} cells",
            remedy="Choose a smaller window, or larger maps (data.size).",
        )
    row, col = (int(random.integers(length - size + 1)) for length in (rows, cols))
    return row, col
