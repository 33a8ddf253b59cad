"""Settings that are allowed and may still not be what was meant."""

from collections.abc import Iterator

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.recipes.check.rows import CheckRow
from radiodiff.recipes.schema import AutoencoderRecipe, DiffusionRecipe, Recipe

__all__ = ["check_settings"]

Warnings = Iterator[tuple[str, str]]
"""Findings and what to do about them."""


def check_settings(recipe: Recipe) -> Iterator[CheckRow]:
    """Look at the settings alone."""
    of_stage = _of_first_stage(recipe) if isinstance(recipe, AutoencoderRecipe) else _of_later_stages(recipe)
    yield CheckRow("settings", "ok", _about(recipe))
    for finding, remedy in (*_schedule(recipe), *_parts(recipe), *of_stage):
        yield CheckRow("settings", "warning", finding, remedy)


def _about(recipe: Recipe) -> str:
    """What the training is, in words."""
    steps = recipe.trainer.max_steps
    if isinstance(recipe, DiffusionRecipe):
        kept = "encoded in each step" if recipe.latents.cache is None else f"kept in {recipe.latents.cache}"
        numbers = ", ".join(map(str, recipe.sampling.num_inference_steps))
        return f"{steps} steps; latents {kept}; validated with {numbers} inference steps"
    if not isinstance(recipe, AutoencoderRecipe):
        return f"{steps} steps"
    adversarial = recipe.loss.adversarial
    if adversarial is None:
        return f"{steps} steps without a discriminator"
    if adversarial.start > steps:
        return f"{steps} steps"
    return f"{steps} steps, the discriminator learns in the last {steps - adversarial.start + 1}"


def _schedule(recipe: Recipe) -> Warnings:
    trainer, steps = recipe.trainer, recipe.trainer.max_steps
    if trainer.save_every > steps:
        yield (
            f"trainer.save_every={trainer.save_every} lies beyond trainer.max_steps={steps}: "
            "there is one checkpoint, in the end",
            "Save more often to be able to resume.",
        )
    if trainer.ema is not None and trainer.ema.update_after >= steps:
        yield (
            f"trainer.ema.update_after={trainer.ema.update_after} is not below trainer.max_steps={steps}: nothing is "
            "averaged",
            "Begin earlier, or set trainer.ema to null.",
        )
    optimizers = {"optimizer": recipe.optimizer}
    if isinstance(recipe, AutoencoderRecipe):
        optimizers["discriminator_optimizer"] = recipe.discriminator_optimizer
    for key, optimizer in optimizers.items():
        warmup = optimizer.schedule.warmup_updates
        if warmup >= steps:
            yield (
                f"{key}.schedule.warmup_updates={warmup} is not below trainer.max_steps={steps}: the rate only rises",
                "Shorten the warm-up, or train longer.",
            )


def _parts(recipe: Recipe) -> Warnings:
    data, validation = recipe.data, recipe.trainer.validation
    if data.part in ("all", validation.part):
        yield (
            f"data.part={data.part!r} and trainer.validation.part={validation.part!r}: it is validated on what it was "
            "trained on",
            "Choose two parts that share no map.",
        )
    if isinstance(data, RadioMapSeerConfig) and data.split == "radiodiff":
        yield "the parts of split 'radiodiff' share maps", "Use it to reproduce published numbers alone."


def _of_first_stage(recipe: AutoencoderRecipe) -> Warnings:
    data, examples, loss = recipe.data, recipe.examples, recipe.loss
    adversarial, steps = loss.adversarial, recipe.trainer.max_steps
    if adversarial is not None and adversarial.start > steps:
        yield (
            f"loss.adversarial.start={adversarial.start} lies beyond trainer.max_steps={steps}: "
            "the discriminator never learns",
            "Begin earlier, train longer, or set loss.adversarial to null.",
        )
    is_conditional = adversarial is not None and adversarial.conditional
    if examples.with_condition and not is_conditional and loss.helmholtz is None and recipe.prior is None:
        yield (
            "examples.with_condition is set and neither the discriminator nor the loss looks at the condition",
            "Leave it out, or set loss.adversarial.conditional.",
        )
    if loss.helmholtz is not None and isinstance(data, RadioMapSeerConfig) and not examples.with_condition:
        shown = (
            "" if examples.input == "condition" else "loss.helmholtz does not leave out buildings: nothing shows them"
        )
        if shown:
            yield shown, "Set examples.with_condition=true."
    has_weights = isinstance(data, RadioMapSeerConfig) and data.edge_weights is not None
    if has_weights and loss.edge_weight == 0:
        yield "the data set gives weights and loss.edge_weight=0 does not use them", "Set it, or leave the weights out."


def _of_later_stages(recipe: Recipe) -> Warnings:
    data = recipe.data
    if isinstance(data, RadioMapSeerConfig) and data.edge_weights is not None:
        yield "data.edge_weights is set and the loss does not look at weights", "Leave it out."
    if isinstance(data, RadioMapSeerConfig) and data.allow_answer_channels:
        yield (
            "data.allow_answer_channels lets the condition hold what the target follows from",
            "Leave it out: figures of such a model say nothing about others.",
        )
    if isinstance(recipe, DiffusionRecipe) and recipe.diffusion.preconditioning == "published":
        yield (
            "diffusion.preconditioning='published' has the wrong sign of the published program",
            "Use it for weights of that program alone; to train anew, set it to 'corrected'.",
        )
