"""`radiodiff train diffusion`: the second stage."""

from radiodiff.cli.train.options import AllowMissing, Config, Overrides, Resume

__all__ = ["diffusion"]


def diffusion(
    overrides: Overrides = None, config: Config = None, resume: Resume = None, allow_missing: AllowMissing = False
) -> None:
    """Train a diffusion model on the latents of an autoencoder; the run leaves RUN/pipeline.

    The autoencoder is the run of a first stage, its folder, or the run of another diffusion model.

    Example: radiodiff train diffusion --config diffusion/tiny data.root=data/city autoencoder=runs/tiny
    trainer.run_dir=runs/diffusion

    Several processes: torchrun --standalone --nproc_per_node 2 -m radiodiff train diffusion ...
    """
    from radiodiff.cli.train.train_stage import train_stage
    from radiodiff.recipes.schema import DiffusionRecipe

    train_stage(DiffusionRecipe, config, resume, overrides or [], allow_missing=allow_missing)
