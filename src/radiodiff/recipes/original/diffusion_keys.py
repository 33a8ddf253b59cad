"""Keys of the original's diffusion models, and what became of each; those of the first stage are in `keys`."""

from collections.abc import Callable, Mapping
from typing import Any

from radiodiff.recipes.original.keys import DROPPED, OF_KIND, TRAINING

__all__ = [
    "CONDITIONS",
    "FIRST_STAGE_WEIGHTS",
    "LOSS",
    "NEVER_READ",
    "SCALE",
    "SECOND_DROPPED",
    "SECOND_GROUPS",
    "SECOND_STAGE",
    "WEIGHTS",
    "place_of",
]

BACKBONES = {"swin": "swin_b", "resnet": "resnet101", "effnet": "efficientnet_b7", "vgg": "vgg16"}


def _same(value: Any) -> Any:
    return value


def _first_of_each(value: Any) -> Any:
    """Edges of square windows."""
    is_list = isinstance(value, list)
    return [entry[0] if isinstance(entry, list) and entry else entry for entry in value] if is_list else value


SECOND_STAGE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "model.unet.dim": ("unet.base_channels", _same),
    "model.unet.dim_mults": ("unet.channel_multipliers", _same),
    "model.unet.cond_net": ("unet.backbone.kind", lambda value: BACKBONES.get(str(value), value)),
    "model.unet.fix_bb": ("unet.backbone.is_frozen", _same),
    "model.unet.window_sizes1": ("unet.relation.window_sizes", _first_of_each),
    "model.unet.fourier_scale": ("unet.fourier_scale", _same),
    "model.start_dist": ("diffusion.initial_noise", _same),
    "model.eps": ("diffusion.time_min", _same),
    "model.loss_type": ("loss.mse_weight", lambda value: {"l2": 1.0, "l1": 0.0}.get(str(value), value)),
    "model.use_l1": ("loss.l1_weight", lambda value: 1.0 if value else 0.0),
    "model.weighting_loss": ("loss.weighting", lambda value: "exponential" if value else "none"),
    "model.sampling_timesteps": ("sampling.num_inference_steps", lambda value: [value]),
    "trainer.gradient_accumulate_every": ("trainer.accumulation", _same),
    "trainer.train_wd": ("optimizer.weight_decay", _same),
    "trainer.weight_decay": ("optimizer.weight_decay", _same),
    **{key: (ours[0], _same) for key, ours in TRAINING.items()},
    **{key: (ours, convert) for key, (kind, ours, convert) in OF_KIND.items() if kind is None},
}
"""Keys and ours, with our value."""

FIRST_STAGE_WEIGHTS = (
    "a checkpoint of the original: radiodiff convert autoencoder FILE --out FOLDER, then autoencoder=FOLDER"
)
"""What becomes of the weights of a first stage."""

WEIGHTS = ("model.ckpt_path", "finetune.ckpt_path")
"""Keys of weights to begin with."""

LOSS = ("model.loss_type", "model.use_l1")
"""Keys that together say how much the absolute error counts."""

SCALE = ("model.scale_factor", "model.scale_by_std", "model.default_scale")
"""Keys that together say by what latents are multiplied."""

SECOND_DROPPED: Mapping[str, str] = {
    "model.model_type": "the decoupled process is the only one",
    "model.model_name": "the conditional U-Net is the only one",
    "model.image_size": "not a property of the network, which takes any size",
    "model.train_sample": "all maps of data.part are trained on",
    "model.perceptual_weight": "latents have no perceptual term",
    "model.scale_by_softsign": "latents are scaled, not squashed",
    "model.unet.without_pretrain": "the condition encoder begins with random weights, or with those of a file, "
    "unet.backbone.weights",
    "model.unet.channels": "follows from the first stage",
    "model.unet.out_mul": "how many heads there are follows from diffusion.prediction_type",
    "model.unet.cond_in_dim": "follows from the data",
    "model.unet.cond_dim": "the condition has the channels of each level",
    "model.unet.window_sizes2": "condition and features have the same windows, unet.relation.window_sizes",
    "model.unet.cond_pe": "positions are known to each cross-attention",
    "model.unet.num_pos_feats": "follows from the channels of the levels",
    "model.unet.cond_feature_size": "not a property of the network, which takes any size",
    "model.unet.input_size": "not a property of the network, which takes any size",
    "model.unet.DPMCARK": "follows from data.name",
    "data.image_size": "maps are whole in the second stage",
    "data.crop_type": "maps are whole in the second stage",
    "architecture.vae_approach": "the condition goes into the network as it is",
    "trainer.amp": DROPPED["trainer.amp"],
    "trainer.enable_resume": "every checkpoint can be resumed: radiodiff train diffusion --resume RUN",
    "trainer.resume_milestone": DROPPED["trainer.resume_milestone"],
    "trainer.test_before": "a run validates when it saves (trainer.validation)",
}
"""Keys of diffusion models without a place here, and why."""

SECOND_GROUPS: Mapping[str, str] = {
    "sampler.": "said when maps are sampled: radiodiff sample",
    "finetune.": "trainer.warm_start says what a training begins with",
}
"""Groups of such keys."""

NEVER_READ: Mapping[str, str] = {
    "model.timesteps": "unused: time is continuous",
    "model.use_disloss": "never read",
    "model.objective": "no effect in the original, which always predicts C and noise",
    "model.input_keys": "names of its loader's entries",
    "model.ignore_keys": "part of its loader of weights",
    "model.only_model": "part of its loader of weights",
    "model.unet.cond_dim_mults": "unused",
}
"""Keys of diffusion models that did nothing in the original."""

NO_TX = "the network is not shown the transmitter there; here it is"

BUILDINGS_AGAIN: dict[str, Any] = {"data.cars_channel": "buildings"}
CURVATURE: dict[str, Any] = {"data.k2": "log-distance"}
WITHOUT_THIRD: dict[str, Any] = {"data.cars_channel": "absent"}
AT_RANDOM: dict[str, Any] = {"data.measurements": {"kind": "random"}}
AT_CORNERS: dict[str, Any] = {"data.measurements": {"kind": "vertices"}}

CONDITIONS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "radio": (BUILDINGS_AGAIN, ""),
    "IRT4": (BUILDINGS_AGAIN, ""),
    "IRT4K": (WITHOUT_THIRD | CURVATURE, ""),
    "DPMK": (WITHOUT_THIRD | CURVATURE, ""),
    "DPMCAR": ({}, ""),
    "DPMCARK": (CURVATURE, ""),
    "MASK": (WITHOUT_THIRD | AT_CORNERS, f"points along all edges of buildings there, at their corners here; {NO_TX}"),
    "MASK_R": (WITHOUT_THIRD | AT_RANDOM, f"as many points as along edges of buildings there, 1 to 300 here; {NO_TX}"),
    "VERTEX": (WITHOUT_THIRD | AT_CORNERS, NO_TX),
    "VERTEX_R": (WITHOUT_THIRD | AT_RANDOM, f"as many points as at corners of buildings there, 1 to 300 here; {NO_TX}"),
    "RANDOM": (WITHOUT_THIRD | AT_RANDOM, f"points of stored masks there, 1 to 300 drawn here; {NO_TX}"),
}
"""By `data.name`, what the condition of a diffusion model holds beside buildings and transmitter: our settings, and
what is another thing there."""


def place_of(key: str) -> str | None:
    """Our key of a key of diffusion models, or why it has none; None for other keys."""
    if key in SECOND_STAGE:
        return SECOND_STAGE[key][0]
    if key in WEIGHTS:
        return "trainer.warm_start.init_from"
    if key in SCALE:
        return "latents.scaling_factor"
    group = next((text for prefix, text in SECOND_GROUPS.items() if key.startswith(prefix)), None)
    return SECOND_DROPPED.get(key, group)
