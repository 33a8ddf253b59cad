"""`radiodiff convert`: models of other programs as ours, and ours as they come with the package."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    from radiodiff.models.autoencoder_folder import AutoencoderRecord
    from radiodiff.models.compvis import OriginalCheckpoint

__all__ = ["app"]

PROBE_SIZE = 64
"""Rows and columns of the map that a converted autoencoder is tried on, where its factor allows it."""

app = typer.Typer(help="Convert models: those of other programs, and ours into bundled ones.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Convert models: those of other programs, and ours into bundled ones."""


@app.command()
def autoencoder(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Checkpoint model-N.pt of RadioDiff's first stage.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the autoencoder; new or empty.")],
    use_ema: Annotated[
        bool, typer.Option("--ema/--no-ema", help="Take the moving average of the weights, or the weights.")
    ] = True,
    data_scale: Annotated[
        str, typer.Option("--data-scale", help="Grey scale of its maps: raw or thresholded.")
    ] = "raw",
    simulation: Annotated[
        str, typer.Option("--simulation", help="Simulation of its maps: DPM, IRT2, IRT4 or mix.")
    ] = "DPM",
    cars: Annotated[bool, typer.Option("--cars", help="Its maps have cars.")] = False,
    split: Annotated[
        str, typer.Option("--split", help="Split it was trained with; the original program has radiodiff.")
    ] = "radiodiff",
) -> None:
    """Convert an autoencoder of RadioDiff's original program, trained on RadioMapSeer.

    The file does not say what it was trained on. One channel in and out is taken as the path loss of RadioMapSeer, and
    stored so, with scale, simulation and split as given here.

    Example: radiodiff convert autoencoder model-30.pt --out models/autoencoder
    """
    from radiodiff.cli.new_folder import check_new_folder
    from radiodiff.cli.progress import waiting

    data = _data_settings(scale=data_scale, simulation=simulation, cars=cars, split=split)
    check_new_folder(out)
    with waiting("converting"):
        from radiodiff.models.autoencoder_folder import save_autoencoder
        from radiodiff.models.compvis import convert_original

        network, original = convert_original(file, use_ema=use_ema)
        record = _record(file, original, data)
        low, high = _probe(network, file)
        save_autoencoder(out, network, record)
    config = original.config
    step = "" if original.step is None else f" of step {original.step:,}"
    kind = "moving average" if original.weights == "ema" else "weights"
    typer.echo(f"{out}: {original.num_parameters:,} parameters, {kind}{step}")
    typer.echo(
        f"network: {config.in_channels} to {config.out_channels} channels, levels {config.level_channels}, "
        f"{config.blocks_per_level} blocks, {config.latent_channels} latent channels, factor {config.factor}"
    )
    if original.ignored:
        typer.echo("ignored: " + ", ".join(f"{name} ({count})" for name, count in original.ignored.items()))
    typer.echo(f"check: a map of noise is reconstructed to finite values from {low:.3g} to {high:.3g}")
    simulated = f"simulation {data['simulation']}{' with cars' if data['cars'] else ''}, split {data['split']}"
    typer.echo(f"taken as trained on: RadioMapSeer, {data['scale']} scale, {simulated}; the file does not say it")
    typer.echo(f"latents: not measured, scaling_factor is 1; next: radiodiff latents --model {out} --data DIR --save")


@app.command()
def bundle(
    model: Annotated[Path, typer.Option("--model", help="Folder of a second stage or baseline, or of its run.")],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Data set that it was trained on, whose ranges are stored. Repeat for more."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the bundled model; new, or of an earlier one.")],
    part: Annotated[str, typer.Option("--split", help="Part of each: train, validation, test or all.")] = "train",
) -> None:
    """Write a trained model as those that come with the package: float16, files of at most 16 MB, checksums.

    Example: radiodiff convert bundle --model runs/default --data data/cities --out src/radiodiff/bundled_models/default
    """
    from radiodiff.cli.progress import waiting

    with waiting("bundling"):
        from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
        from radiodiff.data.radiomapseer.dataset import open_maps
        from radiodiff.pipeline.bundle import bundle_model
        from radiodiff.pipeline.load import load_pipeline
        from radiodiff.pipeline.training_range import TrainingRange

        pipeline = load_pipeline(model)
        opened = [open_maps(RadioMapSeerConfig(root=root, part=part)) for root in data]
        known = TrainingRange.measured([(store, split.ids(part)) for store, split in opened])
        bundle_model(pipeline, out, known)
    files = [path for path in out.rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in files]
    typer.echo(f"{out}: {len(files)} files, {sum(sizes) / 1e6:.1f} MB, the largest {max(sizes) / 1e6:.1f} MB")
    for name, ends in known.known.items():
        typer.echo(f"{name}: {ends[0]:.4g} to {ends[1]:.4g}")


def _data_settings(**settings: Any) -> dict[str, Any]:
    """Settings of the data set without its folder, checked."""
    from radiodiff.data.radiomapseer.config import RadioMapSeerConfig
    from radiodiff.data.splits import ALL_MAPS, NAMED_SPLITS
    from radiodiff.errors import InputError

    split = settings["split"]
    if split not in (*NAMED_SPLITS, ALL_MAPS) and not (split.endswith(".json") and Path(split).is_file()):
        raise InputError(
            f"--split must be {', '.join(NAMED_SPLITS)}, {ALL_MAPS} or the path of a manifest *.json",
            value=repr(split),
            remedy="Correct the name or the path.",
        )
    content = RadioMapSeerConfig(root=Path("."), **settings).model_dump(mode="json")
    return {key: value for key, value in content.items() if key != "root"}


def _record(file: Path, original: "OriginalCheckpoint", data: dict[str, Any]) -> "AutoencoderRecord":
    from radiodiff.data.autoencoder_examples import AutoencoderExamplesConfig
    from radiodiff.encoding import Encoding, Scale, path_loss_channel
    from radiodiff.errors import CheckpointError
    from radiodiff.models.autoencoder_folder import AutoencoderRecord

    config = original.config
    if (config.in_channels, config.out_channels) != (1, 1):
        raise CheckpointError(
            "An autoencoder of RadioMapSeer must have one channel in and out",
            value=f"{file}, with {config.in_channels} in and {config.out_channels} out",
            remedy="For other data, use convert_original and save_autoencoder of radiodiff.models in Python.",
        )
    channel = path_loss_channel(cast(Scale, data["scale"]))
    return AutoencoderRecord(
        encoding=Encoding((channel,), channel),
        scale=data["scale"],
        data=data,
        examples=AutoencoderExamplesConfig().model_dump(mode="json"),
        training={"converted_from": file.name, "step": original.step, "weights": original.weights},
    )


def _probe(network: "AutoencoderKL", file: Path) -> tuple[float, float]:
    """Least and largest value of a reconstruction."""
    import torch

    from radiodiff.errors import CheckpointError
    from radiodiff.models.autoencoder import autoencoder_config

    factor = autoencoder_config(network).factor
    size = max(PROBE_SIZE // factor, 1) * factor
    probe = torch.rand((1, 1, size, size), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        reconstruction = network.decode(network.encode(probe).latent_dist.mode()).sample
    if not reconstruction.isfinite().all():
        raise CheckpointError(
            "A converted autoencoder must give finite values",
            value=f"not so for the weights of {file}",
            remedy="The training that wrote them diverged: use an earlier checkpoint.",
        )
    return float(reconstruction.min()), float(reconstruction.max())
