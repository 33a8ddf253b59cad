"""Settings that are allowed and may still not be what was meant."""

from collections.abc import Iterator

from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
from radiodiff.recipes.check.rows import CheckRow
from radiodiff.recipes.schema import AutoencoderRecipe

__all__ = ["check_settings"]


def check_settings(recipe: AutoencoderRecipe) -> Iterator[CheckRow]:
    """Look at the settings alone."""
    warnings = [*_schedule(recipe), *_examples(recipe)]
    adversarial, steps = recipe.loss.adversarial, recipe.trainer.max_steps
    if adversarial is None:
        about = f"{steps} steps without a discriminator"
    elif adversarial.start > steps:
        about = f"{steps} steps"
    else:
        about = f"{steps} steps, the discriminator learns in the last {steps - adversarial.start + 1}"
    yield CheckRow("settings", "ok", about)
    for finding, remedy in warnings:
        yield CheckRow("settings", "warning", finding, remedy)


def _schedule(recipe: AutoencoderRecipe) -> Iterator[tuple[str, str]]:
    trainer, adversarial = recipe.trainer, recipe.loss.adversarial
    steps = trainer.max_steps
    if adversarial is not None and adversarial.start > steps:
        yield (
            f"loss.adversarial.start={adversarial.start} lies beyond trainer.max_steps={steps}: "
            "the discriminator never learns",
            "Begin earlier, train longer, or set loss.adversarial to null.",
        )
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
    for key in ("optimizer", "discriminator_optimizer"):
        warmup = getattr(recipe, key).schedule.warmup_updates
        if warmup >= steps:
            yield (
                f"{key}.schedule.warmup_updates={warmup} is not below trainer.max_steps={steps}: the rate only rises",
                "Shorten the warm-up, or train longer.",
            )


def _examples(recipe: AutoencoderRecipe) -> Iterator[tuple[str, str]]:
    data, examples, loss, trainer = recipe.data, recipe.examples, recipe.loss, recipe.trainer
    if data.part in ("all", trainer.validation.part):
        yield (
            f"data.part={data.part!r} and trainer.validation.part={trainer.validation.part!r}: it is validated on what "
            "it was trained on",
            "Choose two parts that share no map.",
        )
    is_conditional = loss.adversarial is not None and loss.adversarial.conditional
    if examples.with_condition and not is_conditional and loss.helmholtz is None:
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
    if isinstance(data, RadioMapSeerConfig) and data.split == "radiodiff":
        yield "the parts of split 'radiodiff' share maps", "Use it to reproduce published numbers alone."
