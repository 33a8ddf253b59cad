"""Keys of the original that say something else than what its code did, or than another key."""

from collections.abc import Iterator, Mapping
from typing import Any

from radiodiff.recipes.original.keys import INDOOR_PREFIX, LEAKING, first

__all__ = ["contradictions"]

Row = tuple[str, Any, str]

RUNS = 256
"""Rows and columns of RadioMapSeer, whatever a file says."""


def contradictions(leaves: Mapping[str, Any], kind: str, *, is_diffusion: bool) -> Iterator[Row]:
    """Key, value and finding.

    Args:
        leaves: Values by dotted key, those of the first stage under `model`.
        kind: Kind of the data, ours.
        is_diffusion: Whether the file is that of a diffusion model.
    """
    yield from _sizes(leaves, kind)
    yield from _channels(leaves)
    # Other trainers read the files of indoor data.
    if kind in ("radiomapseer", "edges"):
        yield from _training(leaves)
    yield from _data(leaves)
    if not is_diffusion:
        if kind in ("radiomapseer", "edges"):
            yield from _optimizer_index(leaves)
        elif str(leaves["data.name"]).startswith(INDOOR_PREFIX) and "trainer.gradient_accumulate_every" in leaves:
            key = "trainer.gradient_accumulate_every"
            yield key, leaves[key], "never read by the trainer of these files; nothing is accumulated here"
        weights = str(leaves.get("model.ckpt_path") or "")
        if weights.endswith(".pt"):
            text = "a checkpoint of the original: convert it (radiodiff convert autoencoder) and give the new folder"
            yield "model.ckpt_path", weights, text


def _sizes(leaves: Mapping[str, Any], kind: str) -> Iterator[Row]:
    for key in ("model.ddconfig.resolution", "model.image_size", "data.image_size"):
        value = leaves.get(key)
        if value is None:
            continue
        sizes = value if isinstance(value, list) and value else [value]
        size = " x ".join(map(str, dict.fromkeys(sizes)))
        window = first(leaves.get("data.image_size", value))
        if kind == "radiomapseer" and set(sizes) != {RUNS}:
            yield key, value, f"{size} is written, {RUNS} is what runs; data.size would resample the maps"
        elif kind == "icassp" and set(sizes) != {leaves.get("data.crop_size", 96)}:
            yield key, value, f"{size} is written; windows have data.size = {leaves.get('data.crop_size', 96)}"
        elif kind == "edges" and key == "data.image_size" and len(set(sizes)) > 1:
            yield key, value, f"{size} is written; windows are squares here, of examples.crop_size = {window}"
        elif kind == "edges" and key != "data.image_size" and set(sizes) != {window}:
            yield key, value, "another size than data.image_size"


def _channels(leaves: Mapping[str, Any]) -> Iterator[Row]:
    for key, other, text in (
        ("model.ddconfig.z_channels", "model.embed_dim", "the latents have embed_dim"),
        ("model.lossconfig.disc_in_channels", "model.ddconfig.out_ch", "the discriminator judges out_ch"),
    ):
        if key in leaves and other in leaves and leaves[key] != leaves[other]:
            yield key, leaves[key], f"{text} = {leaves[other]} channels"
    if leaves["data.name"] == "multi_condition_icassp2025":
        wanted = {"in_channels": 3, "out_ch": 3 if leaves.get("architecture.vae_approach") == "dual" else 1}
        for name, count in wanted.items():
            key = f"model.ddconfig.{name}"
            if leaves.get(key, count) != count:
                yield key, leaves[key], f"conditions and target make it {count}"


def _training(leaves: Mapping[str, Any]) -> Iterator[Row]:
    lr, floor = leaves.get("trainer.lr"), leaves.get("trainer.min_lr")
    if isinstance(lr, float | int) and isinstance(floor, float | int):
        text = f"a factor of lr in the original, whose rate fell to {lr * floor:g}; a rate here, as meant"
        yield "trainer.min_lr", floor, text
    is_half, is_mixed = bool(leaves.get("trainer.fp16")), bool(leaves.get("trainer.amp"))
    if is_half:
        text = "float16 with scaled gradients here; what the original's guides call bf16 was this without scaling"
        yield "trainer.fp16", True, text
    if is_mixed and not is_half:
        yield "trainer.amp", True, "no effect without fp16: nothing was computed in 16 bits; trainer.precision is fp32"


def _optimizer_index(leaves: Mapping[str, Any]) -> Iterator[Row]:
    key = "trainer.gradient_accumulate_every"
    if key not in leaves:
        return
    value = leaves[key]
    text = (
        f"with {value} the original stops with an error, for it has two optimizers; here both learn once in each step"
    )
    if value == 1:
        text = "with 1 the discriminator never learned; here it does, from loss.adversarial.start on"
    elif value == 2:
        text = "with 2 autoencoder and discriminator learn once in each step, as here"
    yield key, value, f"an index of the optimizer, not accumulation: {text}"


def _data(leaves: Mapping[str, Any]) -> Iterator[Row]:
    name = leaves["data.name"]
    if name in LEAKING:
        text = "its curvature channel comes from the target and gives it away; data.k2 takes that of a prediction"
        yield "data.name", name, text
    flag = leaves.get("model.unet.DPMCARK")
    if flag is not None and bool(flag) != (name == "DPMCARK"):
        yield "model.unet.DPMCARK", flag, f"data.name is {name}"
    if leaves.get("data.augment_horizontal_flip"):
        text = "horizontal flips alone there; all symmetries of the square here"
        yield "data.augment_horizontal_flip", True, text
    if leaves.get("data.crop_type", "rand_crop") != "rand_crop":
        yield "data.crop_type", leaves["data.crop_type"], "windows are not resized here"
    for key in ("data.vae_type", "trainer.vae_type"):
        if key in leaves and name != f"icassp2025_{leaves[key]}":
            yield key, leaves[key], f"data.name is {name}"
