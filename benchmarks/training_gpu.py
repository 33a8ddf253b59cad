"""Training steps of the published first stage on a GPU: time, memory, and how much of the device they use.

Protocol: networks and losses of `autoencoder/radiomapseer` at 256 x 256 cells, the discriminator on, on random maps
that are already on the device; ten steps as warm-up (more with `torch.compile`), then the median and quartiles of
twenty, each timed with a synchronised device. Floating point operations of a step are those of one forward pass of each
network, as PyTorch's flop counter finds them, times 3 for the autoencoder (forward, and backward to weights and inputs)
and times 8 for the discriminator (3 for true, 3 for reconstructed maps, 2 for the generator term, which needs no
gradient of its weights). The ceiling is the best measured rate of a square matrix product of 8,192 in the same
precision. Memory is the peak of the allocator. Every case is written when it is done; a second run does those that are
missing.

    python -m benchmarks.training_gpu --out results.json --max-minutes 8

`--device cpu --small` tries the script on a small network without a GPU.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.device_cases import Case, measure_cases, timed
from benchmarks.measure import spread
from radiodiff.data.loader import Batch
from radiodiff.encoding import Encoding, path_loss_channel
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.autoencoder_folder import AutoencoderRecord
from radiodiff.models.config import AutoencoderConfig, DiscriminatorConfig
from radiodiff.models.discriminator import build_discriminator
from radiodiff.recipes.load import load_recipe
from radiodiff.training.autoencoder_stage import AutoencoderParts, AutoencoderStage
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.precision import Precision, tensor_float_32

CASES = [
    {"precision": precision, "tf32": tf32, "batch": batch, "compile": compiled, "channels_last": last}
    for batch in (2, 16)
    for precision, tf32, compiled, last in (
        ("fp32", False, False, False),
        ("fp32", True, False, False),
        ("bf16", False, False, False),
        ("bf16", False, False, True),
        ("fp16", False, False, True),
        ("bf16", False, True, True),
    )
]


@dataclass
class GpuPass:
    """One process in one precision."""

    networks: Mapping[str, nn.Module]
    precision: Precision
    step: int = 10**9

    @property
    def loss_scale(self) -> float:
        """Factor on losses."""
        return self.precision.loss_scale

    def autocast(self) -> AbstractContextManager[None]:
        """Precision of forward passes."""
        return self.precision.autocast()

    def mean_over_processes(self, tensor: Tensor) -> Tensor:
        """The tensor."""
        return tensor


class NoExamples:
    """What the stage asks of its examples, without examples."""

    encoding = Encoding((path_loss_channel(),), path_loss_channel())
    input_encoding = encoding
    scale = "raw"
    num_inputs = 1
    buildings_index = None


def main() -> None:
    measure_cases("training_gpu", __doc__ or "", CASES, measure)


def measure(case: Case, device: torch.device, is_small: bool) -> dict[str, Any]:
    """Time, memory and rate of the steps of one case."""
    tensor_float_32(case["tf32"])
    precision = Precision(case["precision"], device)
    stage = make_stage(device, is_small)
    layout = torch.channels_last if case["channels_last"] else torch.contiguous_format
    for network in stage.networks.values():
        network.to(device, memory_format=layout)
        if case["compile"]:
            network.compile()
    batch = random_batch(case["batch"], 64 if is_small else 256, device, layout)
    optimizers = [torch.optim.AdamW(network.parameters(), lr=5e-6) for network in stage.networks.values()]
    current = GpuPass(stage.networks, precision)

    def step() -> None:
        for objective in stage.objectives(batch, current):
            precision.backward(objective.loss)
        for optimizer, network in zip(optimizers, stage.networks.values(), strict=True):
            precision.unscale(optimizer)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            precision.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        precision.update()

    operations = num_operations(stage, batch, precision)
    for _ in range(1 if is_small else 20 if case["compile"] else 10):
        step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    taken = [timed(step, device) for _ in range(2 if is_small else 20)]
    rate = operations / spread(taken)["median"] / 1e12
    ceiling = matmul_ceiling(case["precision"], device, 512 if is_small else 8192)
    return {
        "step_s": spread(taken),
        "examples_per_s": case["batch"] / spread(taken)["median"],
        "tflop_per_step": operations / 1e12,
        "tflop_per_s": rate,
        "matmul_ceiling_tflop_per_s": ceiling,
        "share_of_ceiling": rate / ceiling,
        "peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None,
    }


def num_operations(stage: AutoencoderStage, batch: Batch, precision: Precision) -> int:
    """Floating point operations of a step."""
    total = 0
    trained, critic = stage.networks["autoencoder"], stage.networks["discriminator"]
    for share, forward in (
        (3, lambda: trained.autoencoder(batch.target)),
        (8, lambda: critic.judge(batch.target)),
    ):
        with FlopCounterMode(display=False) as counter, torch.no_grad(), precision.autocast():
            forward()
        total += share * counter.get_total_flops()
    return total


def make_stage(device: torch.device, is_small: bool) -> AutoencoderStage:
    overrides = ["data.root=none", "trainer.run_dir=none"]
    recipe = load_recipe("autoencoder/radiomapseer", overrides)
    network = AutoencoderConfig(base_channels=32) if is_small else recipe.autoencoder
    examples: Any = NoExamples()
    parts = AutoencoderParts(
        autoencoder=build_autoencoder(network, seed=0),
        discriminator=build_discriminator(1, DiscriminatorConfig(), seed=0),
        loss=AutoencoderLossConfig(**{**recipe.loss.model_dump(), "adversarial": {"start": 1}}),
        optimizer=OptimizerConfig(),
        discriminator_optimizer=OptimizerConfig(),
        source=examples,
        validation_source=examples,
        validation_part="",
        latent_source=examples,
        record=AutoencoderRecord(encoding=examples.encoding, scale="raw"),
        num_latent_maps=1,
        num_previews=0,
        seed=0,
    )
    stage = AutoencoderStage(parts)
    stage.to(device)
    return stage


def random_batch(size: int, edge: int, device: torch.device, layout: torch.memory_format) -> Batch:
    maps = torch.rand(size, 1, edge, edge, generator=torch.Generator().manual_seed(0)) * 2 - 1
    maps = maps.to(device).contiguous(memory_format=layout)
    zeros = torch.zeros(size, 2, dtype=torch.int64, device=device)
    return Batch(
        target=maps,
        condition=maps,
        tx=zeros,
        map_id=zeros[:, 0],
        tx_id=zeros[:, 0],
        content=zeros + edge,
        names=tuple(map(str, range(size))),
        scale="raw",
        encoding=NoExamples.encoding,
        draws=tuple((number, 0) for number in range(size)),
    )


def matmul_ceiling(precision: str, device: torch.device, edge: int) -> float:
    """Best rate of a square matrix product [TFLOP/s]."""
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    left, right = (torch.randn(edge, edge, device=device).to(dtype) for _ in range(2))
    best = min(timed(lambda: left @ right, device) for _ in range(15))
    return 2 * edge**3 / best / 1e12


if __name__ == "__main__":
    main()
