"""How many parameters the published second stage has, part by part, beside ours.

`python -m radiodiff.models.published_size` prints the table.

Source of the published figures: the layer shapes of the published program; they add up to its 224,869,496 parameters.
"""

import sys
from dataclasses import dataclass

import torch

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.models.unet import ConditionalUnet
from radiodiff.models.unet_config import UnetConfig

__all__ = ["PUBLISHED_TOTAL", "PartSize", "main", "size_table"]

PUBLISHED_TOTAL = 224_869_496


@dataclass(frozen=True)
class PartSize:
    """Parameters of a part of the network.

    Attributes:
        part: Its name.
        published: Parameters of the published network.
        ours: Parameters of this one.
        reason: Why they differ; empty where they do not in the published layout.
    """

    part: str
    published: int
    ours: int
    reason: str = ""


PARTS: tuple[tuple[str, tuple[str, ...], int, str], ...] = (
    (
        "backbone",
        ("backbone",),
        87_768_224,
        "without the classifier of 1,000 classes (1,025,000) and the last normalisation (2,048), which nothing there "
        "uses; with a normalisation of each stage's end (3,840)",
    ),
    ("projections", ("projections",), 705_536, ""),
    ("entry", ("entry", "entry_condition", "entry_norm"), 822_016, ""),
    ("time", ("time",), 328_768, "the 64 fixed frequencies are no parameters"),
    ("down", ("down",), 25_203_072, ""),
    ("middle", ("middle",), 10_757_120, ""),
    ("heads", ("heads",), 99_284_742, ""),
    ("five channels to three", (), 18, "the backbone takes any number of channels itself"),
)
"""Name, our modules, published parameters, reason of a difference. In "heads" are both branches with their frequency
filters (4,803,584) and both ways up."""


def size_table(network: ConditionalUnet) -> tuple[PartSize, ...]:
    """A row for each part, and one for the whole.

    Args:
        network: The network; of the default settings with three channels where the reasons are to hold.
    """
    sizes = {name: sum(p.numel() for p in module.parameters()) for name, module in network.named_children()}
    rows = [PartSize(part, count, sum(sizes[name] for name in names), why) for part, names, count, why in PARTS]
    total = PartSize("total", sum(row.published for row in rows), sum(row.ours for row in rows))
    return (*rows, total)


def main() -> None:
    """Write the table of the default network, which has the published layout, without memory for its weights."""
    diffusion = DiffusionConfig().model_dump(mode="json", include={"prediction_type", "preconditioning"})
    with torch.device("meta"):
        network: ConditionalUnet = ConditionalUnet(3, 3, 4, UnetConfig().model_dump(mode="json"), diffusion)
    sys.stdout.write(f"{'part':<24}{'published':>14}{'ours':>14}{'difference':>14}  reason\n")
    for row in size_table(network):
        counts = (row.published, row.ours, row.ours - row.published)
        line = f"{row.part:<24}" + "".join(f"{count:>14,}" for count in counts)
        sys.stdout.write(f"{line}  {row.reason}".rstrip() + "\n")


if __name__ == "__main__":
    main()
