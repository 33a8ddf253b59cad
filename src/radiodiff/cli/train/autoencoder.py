"""`radiodiff train autoencoder`: the first stage."""

from radiodiff.cli.train.options import AllowMissing, Config, Overrides, Resume

__all__ = ["autoencoder"]


def autoencoder(
    overrides: Overrides = None, config: Config = None, resume: Resume = None, allow_missing: AllowMissing = False
) -> None:
    """Train an autoencoder; the run leaves RUN/autoencoder.

    Example: radiodiff train autoencoder --config autoencoder/tiny data.root=data/city trainer.run_dir=runs/tiny

    Several processes: torchrun --standalone --nproc_per_node 2 -m radiodiff train autoencoder ...
    """
    from radiodiff.cli.train.train_stage import train_stage
    from radiodiff.recipes.schema import AutoencoderRecipe

    train_stage(AutoencoderRecipe, config, resume, overrides or [], allow_missing=allow_missing)
