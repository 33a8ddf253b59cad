"""Settings of the first stage's losses."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiodiff.config import Config
from radiodiff.errors import ConfigError

__all__ = ["SMALLEST_MAPS", "AdversarialConfig", "AutoencoderLossConfig", "HelmholtzConfig", "PerceptualConfig"]

Weight = Annotated[float, Field(ge=0)]

SMALLEST_MAPS = {"structure": 8, "lpips": 16}
"""Rows and columns that each kind of perceptual term needs: its coarsest scale then has a gradient or a cell."""


class PerceptualConfig(Config):
    """How alike two maps look.

    Attributes:
        kind: "structure" compares gradients and spectra at several scales and needs no weights; "lpips" compares VGG16
            features.
        weight: Weight of the term, per cell.
        vgg16: Weights of VGG16 as torchvision stores them; for "lpips".
        heads: Linear heads of LPIPS for VGG16; for "lpips".
    """

    kind: Literal["structure", "lpips"] = "structure"
    weight: Weight = 1.0
    vgg16: Path | None = None
    heads: Path | None = None

    @property
    def smallest_map(self) -> int:
        """Rows, or columns, of the smallest map that it compares."""
        return SMALLEST_MAPS[self.kind]

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("vgg16", "heads") if getattr(self, name) is not None]
        if self.kind == "lpips" and len(given) < 2:
            raise ConfigError(
                "PerceptualConfig.kind 'lpips' needs the files vgg16 and heads",
                value=", ".join(given) or "neither",
                remedy="Give both, or take kind 'structure', which needs none.",
            )
        if self.kind == "structure" and given:
            raise ConfigError(
                "PerceptualConfig.vgg16 and heads belong to kind 'lpips'",
                value=", ".join(given),
                remedy="Leave them out, or set kind to 'lpips'.",
            )
        return self


class AdversarialConfig(Config):
    """The part of the discriminator.

    Attributes:
        start: First step at which the discriminator learns and is heard (counted from 1); the published run starts at
            50,001.
        weight: Base weight of the generator term.
        kind: "hinge" or "vanilla" (softplus).
        adaptive: Scale the term so that its gradient at the last layer is as long as that of the reconstruction.
        max_adaptive: Largest such scale.
        conditional: Show the discriminator the condition, too.
    """

    start: Annotated[int, Field(ge=1)] = 50_001
    weight: Weight = 0.5
    kind: Literal["hinge", "vanilla"] = "hinge"
    adaptive: bool = True
    max_adaptive: Annotated[float, Field(gt=0)] = 1e4
    conditional: bool = False


class HelmholtzConfig(Config):
    """The Helmholtz residual between map and reconstruction.

    Attributes:
        weight: Weight of the term, per cell. Near a good reconstruction the residual's gradient is about 20 times that
            of the absolute error: 0.05 makes them equal.
        quantity: What obeys the equation: the field's "amplitude", or the "level" of the map, its scaled decibels.
        span_db: Decibels from -1 to +1 of the target's channel: 99.16 on the raw scale of RadioMapSeer, 79.328 on the
            thresholded one. Has no effect on "level".
        floor: Differences of k2 well below it count for little [1/cell^2].
    """

    weight: Weight = 0.05
    quantity: Literal["amplitude", "level"] = "amplitude"
    span_db: Annotated[float, Field(gt=0, le=200)] = 99.16
    floor: Annotated[float, Field(gt=0)] = 1.0


class AutoencoderLossConfig(Config):
    """What the autoencoder minimises.

    Attributes:
        reduction: "sum" sums the reconstruction error over the cells of a map and the divergence over its latent cells,
            and averages both over the batch, as published. "mean" averages both over their own cells: the same
            `kl_weight` then weighs the divergence more, by the number of cells of a map over that of its latents (5.33
            for one channel and KL-f4).
        l1_weight: Weight of the absolute error.
        mse_weight: Weight of the squared error.
        edge_weight: Weight of both errors, once more, of maps multiplied by the weights of the examples
            (`edge_weights` of the data set); 0 leaves them out.
        edge_mode: "edges" multiplies by the weights w as the data set gives them, high on edges: edges count more.
            "elsewhere" multiplies by 1 - w, as the method is published with w an edge or k2 mask: the cells beside the
            edges count more.
        perceptual: Perceptual term, or None.
        helmholtz: Helmholtz term, or None.
        kl_weight: Weight of the divergence from the standard normal distribution.
        learn_logvar: Learn the logarithm of the variance of the reconstruction error.
        initial_logvar: Its first value.
        adversarial: Part of the discriminator, or None for an autoencoder alone.
    """

    reduction: Literal["sum", "mean"] = "sum"
    l1_weight: Weight = 1.0
    mse_weight: Weight = 1.0
    edge_weight: Weight = 0.0
    edge_mode: Literal["edges", "elsewhere"] = "edges"
    perceptual: PerceptualConfig | None = None
    helmholtz: HelmholtzConfig | None = None
    kl_weight: Weight = 1e-6
    learn_logvar: bool = True
    initial_logvar: float = 0.0
    adversarial: AdversarialConfig | None = AdversarialConfig()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.l1_weight + self.mse_weight > 0:
            raise ConfigError(
                "AutoencoderLossConfig needs l1_weight or mse_weight above 0",
                value="both 0",
                remedy="The published loss has 1 and 1.",
            )
        if self.edge_mode != "edges" and self.edge_weight == 0:
            raise ConfigError(
                "AutoencoderLossConfig.edge_mode needs an edge_weight above 0",
                value=f"edge_mode={self.edge_mode!r} and edge_weight=0",
                remedy="Set edge_weight, or leave edge_mode out.",
            )
        return self
