"""`radiodiff train baseline`: the regression that the second stage is compared with."""

from radiodiff.cli.train.options import AllowMissing, Config, Overrides, Resume

__all__ = ["baseline"]


def baseline(
    overrides: Overrides = None, config: Config = None, resume: Resume = None, allow_missing: AllowMissing = False
) -> None:
    """Train a network that regresses the map from its condition; the run leaves RUN/pipeline.

    Example: radiodiff train baseline --config baseline/tiny data.root=data/city trainer.run_dir=runs/baseline

    Several processes: torchrun --standalone --nproc_per_node 2 -m radiodiff train baseline ...
    """
    from radiodiff.cli.train.train_stage import train_stage
    from radiodiff.recipes.schema import BaselineRecipe

    train_stage(BaselineRecipe, config, resume, overrides or [], allow_missing=allow_missing)
