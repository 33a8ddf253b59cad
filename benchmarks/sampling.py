"""How long a radio map takes by diffusion: condition, U-Net, decoder, and the whole.

Protocol: networks of the recipes `diffusion/tiny`, `diffusion/radiomapseer-dpm-small` and `diffusion/radiomapseer-dpm`
with their first stages, random weights (the time does not depend on them), conditions of 256 x 256 cells of random
values, float32, PyTorch eager. After a warm-up, the median and quartiles of the wall time of each part (nine runs;
three of what takes longer than 2 s; one, without warm-up, beyond 20 s): the condition encoder, one evaluation of the
U-Net, the decoder, and `pipeline.predict` with 1 and 5 steps; batches of 1 and 16 maps, one draw. `calls` are counted
in the same runs: evaluations of the U-Net and passes of the condition encoder for one prediction. "peers" is the
regression network of `baseline/radiounet` in the same process. Nothing else runs meanwhile.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import seconds, write
from radiodiff.diffusion.scheduler import DecoupledScheduler
from radiodiff.encoding import Channel, Encoding, path_loss_channel
from radiodiff.models.autoencoder import build_autoencoder
from radiodiff.models.radio_unet import build_radio_unet
from radiodiff.models.unet import build_unet
from radiodiff.pipeline.diffusion_pipeline import RadioDiffPipeline
from radiodiff.pipeline.record import PipelineRecord
from radiodiff.recipes.load import load_recipe
from radiodiff.recipes.map_shape import num_condition_channels
from radiodiff.recipes.schema import AutoencoderRecipe, BaselineRecipe, DiffusionRecipe

CELLS = 256
PAIRS = {
    "diffusion/tiny": "autoencoder/tiny",
    "diffusion/radiomapseer-dpm-small": "autoencoder/radiomapseer-small",
    "diffusion/radiomapseer-dpm": "autoencoder/radiomapseer",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", action="append", help="only this one; may be repeated")
    parser.add_argument("--batch", type=int, action="append", help="maps at a time, by default 1 and 16")
    options = parser.parse_args()
    batches = options.batch or [1, 16]
    result: dict[str, Any] = {
        "protocol": (__doc__ or "").strip(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "recipes": {name: of_recipe(name, batches) for name in options.recipe or PAIRS},
        "peers": {"baseline/radiounet": of_peer(batches)},
    }
    write("sampling", result)


def of_recipe(name: str, batches: list[int]) -> dict[str, Any]:
    """Times of one recipe."""
    pipe = random_pipeline(name)
    found: dict[str, Any] = {
        "parameters": {"unet": num_weights(pipe.unet), "autoencoder": num_weights(pipe.autoencoder)}
    }
    for batch in batches:
        found[f"batch {batch}"] = figures = of_batch(pipe, batch)
        print(name, batch, {part: round(value["median"], 4) for part, value in figures.items() if "median" in value})
    return found


def of_batch(pipe: RadioDiffPipeline, batch: int) -> dict[str, Any]:
    """Times of the parts and of the whole, and how often the parts ran."""
    random = torch.Generator().manual_seed(0)
    condition = torch.rand(batch, len(pipe.record.encoding.names), CELLS, CELLS, generator=random) * 2 - 1
    edge = CELLS // 2 ** (len(pipe.autoencoder.config["block_out_channels"]) - 1)
    latents = torch.randn(batch, pipe.autoencoder.config["latent_channels"], edge, edge, generator=random)
    times = torch.full((batch,), 0.5)
    with torch.inference_mode():
        features = pipe.unet.encode_condition(condition)
        parts: dict[str, Callable[[], object]] = {
            "condition_s": lambda: pipe.unet.encode_condition(condition),
            "unet_s": lambda: pipe.unet(latents, times, features=features),
            "decoder_s": lambda: pipe.autoencoder.decode(latents).sample,
        }
        found: dict[str, Any] = {part: timed(action) for part, action in parts.items()}
    for steps in (1, 5):
        with counted(pipe) as calls:
            taken = timed(lambda steps=steps: predict(pipe, condition, steps))
        runs = calls["runs"]
        found[f"{steps} steps"] = taken | {"calls": {name: calls[name] / runs for name in ("unet", "condition")}}
    return found


def timed(action: Callable[[], object]) -> dict[str, float]:
    """Median and quartiles after a warm-up: nine runs, three of what takes longer than 2 s, one beyond 20 s."""
    first = seconds(action, warm_up=0, runs=1)
    if first["median"] > 20:
        return first
    return seconds(action, warm_up=0, runs=9 if first["median"] < 2 else 3)


def predict(pipe: RadioDiffPipeline, condition: Tensor, steps: int) -> Tensor:
    generators = [torch.Generator().manual_seed(number) for number in range(len(condition))]
    return pipe.predict(condition, generators, num_inference_steps=steps, batch_size=len(condition))


@contextmanager
def counted(pipe: RadioDiffPipeline) -> Iterator[dict[str, int]]:
    """Count evaluations of the U-Net and passes of the condition encoder."""
    calls = {"unet": 0, "condition": 0, "runs": 0}
    encode, run = pipe.unet.encode_condition, pipe.predict

    def counting(*arguments: Any, **keywords: Any) -> Any:
        calls["condition"] += 1
        return encode(*arguments, **keywords)

    def count(*_: Any) -> None:
        calls["unet"] += 1

    def running(*arguments: Any, **keywords: Any) -> Any:
        calls["runs"] += 1
        return run(*arguments, **keywords)

    handle = pipe.unet.register_forward_hook(count)
    vars(pipe.unet)["encode_condition"] = counting
    vars(pipe)["predict"] = running
    try:
        yield calls
    finally:
        handle.remove()
        del vars(pipe.unet)["encode_condition"], vars(pipe)["predict"]


def random_pipeline(name: str) -> RadioDiffPipeline:
    """A pipeline of a recipe with random weights."""
    overrides = ["data.root=none", "trainer.run_dir=none"]
    recipe = load_recipe(name, [*overrides, "autoencoder=none"])
    first = load_recipe(PAIRS[name], overrides)
    assert isinstance(recipe, DiffusionRecipe)
    assert isinstance(first, AutoencoderRecipe)
    unet = build_unet(
        recipe.unet,
        condition_channels=num_condition_channels(recipe.data),
        latent_channels=first.autoencoder.latent_channels,
        latent_factor=first.autoencoder.factor,
        diffusion=recipe.diffusion,
    )
    scheduler = DecoupledScheduler(prediction_type=recipe.diffusion.prediction_type)
    channels = tuple(Channel(f"channel_{i}", 0.0, 1.0) for i in range(num_condition_channels(recipe.data)))
    record = PipelineRecord("diffusion", Encoding(channels, path_loss_channel()), "raw", map_shape=(CELLS, CELLS))
    return RadioDiffPipeline(build_autoencoder(first.autoencoder).eval(), unet.eval(), scheduler, record)


def of_peer(batches: list[int]) -> dict[str, Any]:
    """Times of the regression network."""
    recipe = load_recipe("baseline/radiounet", ["data.root=none", "trainer.run_dir=none"])
    assert isinstance(recipe, BaselineRecipe)
    channels = num_condition_channels(recipe.data)
    network = build_radio_unet(recipe.network, in_channels=channels).eval()
    found: dict[str, Any] = {"parameters": num_weights(network)}
    for batch in batches:
        condition = torch.zeros(batch, channels, CELLS, CELLS)
        with torch.inference_mode():
            found[f"batch {batch}"] = timed(lambda condition=condition: network(condition))
    return found


def num_weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
