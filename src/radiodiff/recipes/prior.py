"""The prior of a recipe, wherever it is."""

from typing import TYPE_CHECKING

from radiodiff.data.loader import ExampleSource
from radiodiff.encoding import Channel
from radiodiff.errors import ConfigError
from radiodiff.pipeline.record import WHOLE_SCALE, PriorRecord
from radiodiff.training.prior_config import PriorConfig

if TYPE_CHECKING:
    from radiodiff.pipeline.prior import Prior
    from radiodiff.pipeline.regression_pipeline import RegressionPipeline

__all__ = ["open_prior"]


def open_prior(config: PriorConfig | None, source: ExampleSource) -> "Prior | None":
    """The prior of maps of a data set; a regression is loaded, on the CPU.

    Args:
        config: What the recipe says, or None.
        source: The data set.

    Raises:
        ConfigError: The model is no regression, or was trained on another target, scale or channels.
        InputError: The condition lacks what the prior is made of.
        CheckpointError: There is no model, or it is damaged.
    """
    if config is None:
        return None
    from radiodiff.pipeline.prior import Prior
    from radiodiff.pipeline.weights_digest import weights_digest

    scale = _scale(config, source.encoding.target)
    if config.model is None:
        return Prior(PriorRecord(channel=config.channel, scale=scale), source.encoding)
    model = _regression(config, source)
    digest = weights_digest({"network": model.network})
    return Prior(PriorRecord(model=model.record, digest=digest, scale=scale), source.encoding, model)


def _scale(config: PriorConfig, target: Channel) -> float:
    """Encoded units that the largest difference has, of 2 in all."""
    if config.span_db is None or target.span_db is None:
        return WHOLE_SCALE
    return WHOLE_SCALE * config.span_db / target.span_db


def _regression(config: PriorConfig, source: ExampleSource) -> "RegressionPipeline":
    from radiodiff.pipeline.load import load_pipeline
    from radiodiff.pipeline.regression_pipeline import RegressionPipeline

    assert config.model is not None
    found = load_pipeline(config.model)
    if not isinstance(found, RegressionPipeline):
        raise ConfigError(
            "prior.model must be a regression",
            value=f"{config.model}, a {found.record.kind} model",
            remedy="Give a run of radiodiff train baseline.",
        )
    if found.record.scale != source.scale:
        raise ConfigError(
            "The regression that predicts a prior must have the scale of the data",
            value=f"scale {found.record.scale!r} of {config.model}, {source.scale!r} of the data",
            remedy="Set data.scale as for the regression, or train it on this scale.",
        )
    return found
