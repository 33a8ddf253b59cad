"""Keys of the settings files of RadioDiff's original program, and what became of each.

Keys of the first stage stand under `model` in files of autoencoders and under `model.first_stage` in files of diffusion
models; both are written here without that prefix.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "DATA_NAMES",
    "DROPPED",
    "FIRST_STAGE",
    "FLOOR",
    "INDOOR_LOSS",
    "INDOOR_OPTIMIZER",
    "INDOOR_PREFIX",
    "INDOOR_REASON",
    "LEAKING",
    "MULTI_CONDITION",
    "NOT_INDOORS",
    "OF_KIND",
    "PERCEPTUAL_REASON",
    "TRAINING",
    "first",
]

FIRST_STAGE: Mapping[str, tuple[str, ...]] = {
    "embed_dim": ("autoencoder.latent_channels",),
    "ddconfig.in_channels": ("autoencoder.in_channels",),
    "ddconfig.out_ch": ("autoencoder.out_channels",),
    "ddconfig.ch": ("autoencoder.base_channels",),
    "ddconfig.ch_mult": ("autoencoder.channel_multipliers",),
    "ddconfig.num_res_blocks": ("autoencoder.blocks_per_level",),
    "lossconfig.disc_start": ("loss.adversarial.start",),
    "ckpt_path": ("trainer.warm_start.init_from",),
    "lossconfig.disc_weight": ("loss.adversarial.weight",),
    "lossconfig.disc_loss": ("loss.adversarial.kind",),
    "lossconfig.disc_num_layers": ("discriminator.num_layers",),
    "lossconfig.kl_weight": ("loss.kl_weight",),
    "lossconfig.logvar_init": ("loss.initial_logvar",),
    "lossconfig.perceptual_weight": ("loss.perceptual.weight",),
}
"""Keys of the first stage and ours."""

TRAINING: Mapping[str, tuple[str, ...]] = {
    "data.batch_size": ("trainer.batch_size",),
    "data.num_workers": ("trainer.loader_threads",),
    "trainer.lr": ("optimizer.learning_rate", "discriminator_optimizer.learning_rate"),
    "trainer.min_lr": ("optimizer.schedule.floor", "discriminator_optimizer.schedule.floor"),
    "trainer.train_num_steps": ("trainer.max_steps",),
    "trainer.save_and_sample_every": ("trainer.save_every",),
    "trainer.log_freq": ("trainer.log_every",),
    "trainer.results_folder": ("trainer.run_dir",),
    "trainer.ema_decay": ("trainer.ema.decay",),
    "trainer.ema_update_every": ("trainer.ema.update_every",),
    "trainer.ema_update_after_step": ("trainer.ema.update_after",),
}
"""Keys of a training run and ours."""


def _same(value: Any) -> Any:
    return value


def first(value: Any) -> Any:
    """The first entry of a list; all else as it is."""
    return value[0] if isinstance(value, list) and value else value


OF_KIND: Mapping[str, tuple[str | None, str, Callable[[Any], Any]]] = {
    "data.data_root": (None, "data.root", _same),
    "data.dataset_root": (None, "data.root", _same),
    "data.img_folder": (None, "data.root", _same),
    "data.augment_horizontal_flip": (None, "data.augment", _same),
    "data.crop_size": ("icassp", "data.size", first),
    "data.tx_margin": ("icassp", "data.margin_px", _same),
    "data.image_size": ("edges", "examples.crop_size", first),
    "data.threshold": ("edges", "data.threshold", _same),
    "data.use_uncertainty": ("edges", "data.uncertain", lambda value: "ignored" if value else "no edge"),
    "trainer.fp16": (None, "trainer.precision", lambda value: "fp16" if value else "fp32"),
}
"""Keys that depend on the kind of the data or change their value: the kind (None for any), our key, our value."""

DROPPED: Mapping[str, str] = {
    "ddconfig.double_z": "always so in a KL autoencoder: mean and log variance",
    "lossconfig.disc_in_channels": "follows from autoencoder.out_channels",
    "ddconfig.z_channels": "follows from autoencoder.latent_channels",
    "ddconfig.resolution": "not a property of the network, which takes any size",
    "data.image_size": "windows are drawn where examples.crop_size is given; data.size resamples maps of RadioMapSeer",
    "data.crop_type": "windows are drawn where examples.crop_size is given",
    "architecture.vae_approach": "said by data.view and examples.input",
    "trainer.gradient_accumulate_every": "nothing is accumulated (trainer.accumulation = 1)",
    "trainer.amp": "no effect by itself; trainer.precision says it",
    "trainer.enable_resume": "every checkpoint can be resumed: radiodiff train autoencoder --resume RUN",
    "trainer.resume_milestone": "which checkpoint to go on from is said at the start: --resume NUMBER",
    "trainer.test_before": "has no place in the first stage; a run validates when it saves (trainer.validation)",
    "trainer.train_wd": "never read by the first stage, whose optimizers have the default 0.01",
    "trainer.weight_decay": "never read by the first stage, whose optimizers have the default 0.01",
    "data.pin_memory": "done by itself where there is a GPU",
    "data.vae_type": "follows from data.name",
    "trainer.vae_type": "follows from data.name",
}
"""Keys without a place here, and why."""

MULTI_CONDITION = "multi_condition_icassp2025"
"""Name of indoor data whose condition has several channels."""

OUTDOORS = {"kind": "radiomapseer"}

DATA_NAMES: Mapping[str, tuple[dict[str, Any], str]] = {
    "radio": (OUTDOORS | {"simulation": "DPM"}, "buildings, transmitter, buildings again (cars_channel)"),
    "IRT4": (OUTDOORS | {"simulation": "IRT4"}, "buildings, transmitter, buildings again (cars_channel)"),
    "IRT4K": (OUTDOORS | {"simulation": "IRT4"}, "buildings, transmitter, curvature (k2)"),
    "DPMK": (OUTDOORS | {"simulation": "DPM"}, "buildings, transmitter, curvature (k2)"),
    "DPMCAR": (OUTDOORS | {"simulation": "DPM", "cars": True}, "buildings, transmitter, cars"),
    "DPMCARK": (OUTDOORS | {"simulation": "DPM", "cars": True}, "buildings, transmitter, cars and curvature (k2)"),
    "MASK": (OUTDOORS | {"simulation": "DPM"}, "points measured along buildings (measurements)"),
    "MASK_R": (OUTDOORS | {"simulation": "DPM"}, "as many points measured at random (measurements.kind=random)"),
    "VERTEX": (OUTDOORS | {"simulation": "DPM"}, "points measured at corners (measurements.kind=vertices)"),
    "VERTEX_R": (OUTDOORS | {"simulation": "DPM"}, "as many points measured at random (measurements.kind=random)"),
    "RANDOM": (OUTDOORS | {"simulation": "DPM"}, "points measured at random (measurements.kind=random)"),
    "edge": ({"kind": "edges"}, ""),
    "icassp2025_building": ({"kind": "icassp", "view": "building"}, ""),
    "icassp2025_antenna": ({"kind": "icassp", "view": "antenna"}, ""),
    "icassp2025_radio": ({"kind": "icassp", "view": "radio"}, ""),
    MULTI_CONDITION: ({"kind": "icassp", "view": "multi-condition"}, ""),
}
"""Values of `data.name`: our settings of the data, and what the condition of a diffusion model holds beside them."""

LEAKING = ("IRT4K", "DPMK", "DPMCARK")
"""Data whose condition holds the curvature of the target."""

PERCEPTUAL_REASON = (
    "the original always has LPIPS; its weights do not come with this package. With files of your own: kind lpips, "
    "vgg16, heads"
)
"""Why the perceptual term is of kind "structure"."""

FLOOR = 5e-7
"""The learning rate at which published runs end."""

INDOOR_PREFIX = "icassp2025_"
"""How names of data begin whose files a trainer of its own read."""

INDOOR_LOSS: Mapping[str, Any] = {
    "loss.reduction": "mean",
    "loss.mse_weight": 0.0,
    "loss.learn_logvar": False,
    "loss.perceptual": None,
    "loss.adversarial": None,
}
INDOOR_OPTIMIZER: Mapping[str, Any] = {"optimizer.schedule.kind": "cosine", "optimizer.weight_decay": 1e-6}
"""What that trainer does whatever a file says: our keys and values."""

INDOOR_REASON: Mapping[str, str] = {
    "loss": "the trainer of these files minimises the mean absolute error and the divergence alone",
    "optimizer": "the trainer of these files has Adam with a weight decay of 1e-6 and a rate that falls along a half "
    "wave to min_lr; AdamW here",
}

NOT_INDOORS = ("loss.adversarial.", "discriminator.", "loss.perceptual.", "loss.initial_logvar")
"""Our keys of what that trainer has not."""
