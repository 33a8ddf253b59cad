"""The conditional U-Net: shapes, both ways to give the condition, independence, gradients, precision, refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from radiodiff.diffusion.config import DiffusionConfig
from radiodiff.diffusion.preconditioning import preconditioned
from radiodiff.diffusion.process import noisy_latents, targets_of
from radiodiff.errors import ConfigError, InputError
from radiodiff.models.unet import ConditionalUnet, build_unet
from radiodiff.models.unet_config import BackboneConfig, RelationConfig, UnetConfig

TINY = UnetConfig(
    base_channels=8,
    channel_multipliers=(1, 2),
    backbone=BackboneConfig(kind="conv", widths=(8, 12, 8, 8), blocks=1),
    relation=RelationConfig(window_sizes=(4, 2), num_heads=2),
    attention_heads=2,
    head_channels=4,
    norm_groups=4,
    fourier_features=6,
    filter_cells=4,
)
CHANNELS = 4


def build(
    config: UnetConfig = TINY, *, channels: int = CHANNELS, factor: int = 4, seed: int = 0, **diffusion: object
) -> ConditionalUnet:
    return build_unet(
        config,
        condition_channels=channels,
        latent_channels=3,
        latent_factor=factor,
        diffusion=DiffusionConfig(**diffusion),
        seed=seed,
    )


def inputs(batch: int = 2, rows: int = 8, cols: int = 8, factor: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy latents, times and condition."""
    generator = torch.Generator().manual_seed(7)
    condition = torch.rand((batch, CHANNELS, rows * factor, cols * factor), generator=generator) * 2 - 1
    noisy = torch.randn((batch, 3, rows, cols), generator=generator)
    return noisy, torch.linspace(0.2, 0.9, batch), condition


@pytest.mark.parametrize(
    ("prediction_type", "heads"), [("pred_KC", 2), ("pred_x0", 1), ("pred_noise", 1), ("pred_v", 1)]
)
def test_each_prediction_has_a_head(prediction_type: str, heads: int) -> None:
    network = build(prediction_type=prediction_type)
    noisy, t, condition = inputs()
    assert len(network.heads) == heads
    assert network(noisy, t, condition).shape == (2, 3 * heads, 8, 8)


@pytest.mark.parametrize(("rows", "cols"), [(64, 64), (80, 80), (96, 64), (32, 160)])
def test_four_levels_take_maps_of_any_multiple(rows: int, cols: int) -> None:
    """Latents of maps of 256 and 320 cells, and of maps that are not square; relations in windows as published."""
    four = TINY.replaced(channel_multipliers=(1, 1, 2, 2), relation=RelationConfig(num_heads=2), filter_cells=8)
    network = build(four)
    noisy, t, condition = inputs(1, rows, cols)
    assert network.size_multiple == 32
    assert network(noisy, t, condition).shape == (1, 6, rows, cols)


@pytest.mark.parametrize(("factor", "multiple"), [(2, 8), (4, 16), (8, 32)])
def test_latents_may_be_finer_or_coarser_than_the_first_feature(factor: int, multiple: int) -> None:
    network = build(factor=factor)
    assert network.size_multiple == multiple
    noisy, t, condition = inputs(1, 8, 12, factor)
    assert network(noisy, t, condition).shape == (1, 6, 8, 12)


def test_sizes_fit_tokens_latents_and_features() -> None:
    assert UnetConfig().size_multiple(4) == 32
    assert UnetConfig().size_multiple(8) == 64
    assert UnetConfig().replaced(relation=None).size_multiple(4) == 32
    windows = RelationConfig(window_sizes=(12, 1, 1, 1))
    assert UnetConfig(relation=windows).size_multiple(4) == 96


@pytest.mark.parametrize("prediction_type", ["pred_KC", "pred_v"])
@pytest.mark.parametrize("relation", [None, "condition", "features"])
def test_every_parameter_gets_a_gradient(prediction_type: str, relation: str | None) -> None:
    assert TINY.relation is not None
    chosen = None if relation is None else TINY.relation.replaced(query=relation)
    network = build(TINY.replaced(relation=chosen), prediction_type=prediction_type)
    output = network(*inputs(2, 16, 16))
    (output * torch.randn(output.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert missing == []


def test_features_of_the_condition_stand_for_it_and_are_made_once() -> None:
    network = build()
    noisy, t, condition = inputs()
    calls = []
    network.backbone.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        features = network.encode_condition(condition)
        for time in (t, t / 2):
            again = network(noisy, time, features=features)
            assert torch.equal(again, network(noisy, time, condition))
    # Once for the features, twice for the condition itself, never for the features given.
    assert len(calls) == 3


def test_features_may_be_repeated_for_draws() -> None:
    network = build()
    _, t, condition = inputs(2)
    many = torch.randn((6, 3, 8, 8), generator=torch.Generator().manual_seed(3))
    times = t.repeat_interleave(3)
    with torch.no_grad():
        features = [f.repeat_interleave(3, dim=0) for f in network.encode_condition(condition)]
        found = network(many, times, features=features)
        expected = network(many, times, condition.repeat_interleave(3, dim=0))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_row_does_not_depend_on_the_batch_the_mode_or_random_numbers() -> None:
    network = build()
    noisy, t, condition = inputs(3)
    before = torch.get_rng_state()
    with torch.no_grad():
        together = network.train()(noisy, t, condition)
        alone = torch.cat([network(noisy[i : i + 1], t[i : i + 1], condition[i : i + 1]) for i in range(3)])
        again = network.eval()(noisy, t, condition)
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(together, again)


def test_condition_and_time_count() -> None:
    network = build()
    noisy, t, condition = inputs(1)
    with torch.no_grad():
        first = network(noisy, t, condition)
        assert float((network(noisy, t, -condition) - first).abs().max()) > 1e-2
        assert float((network(noisy, t / 2, condition) - first).abs().max()) > 1e-2


def test_weights_follow_from_the_seed_and_the_global_state_stays() -> None:
    before = torch.get_rng_state()
    first, again, other = (build(seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["entry.weight"], other["entry.weight"])
    assert torch.equal(first["time.frequencies"], other["time.frequencies"])


@pytest.mark.parametrize("kind", ["corrected", "published", "none"])
def test_fixed_skips_are_around_it(kind: str) -> None:
    network, plain = build(preconditioning=kind), build(preconditioning="none")
    noisy, t, condition = inputs()
    with torch.no_grad():
        raw = plain(noisy, t, condition)
        assert torch.equal(network(noisy, t, condition), preconditioned(raw, noisy, t, "pred_KC", kind))


def test_gradient_checkpointing_changes_no_gradient() -> None:
    noisy, t, condition = inputs()
    gradients = []
    for is_saving in (False, True):
        network = build()
        if is_saving:
            network.enable_gradient_checkpointing()
            assert network.is_gradient_checkpointing
        calls = []
        network.middle.register_forward_pre_hook(lambda *_, calls=calls: calls.append(1))
        network(noisy, t, condition).square().mean().backward()
        assert len(calls) == (2 if is_saving else 1)
        gradients.append([p.grad for p in network.parameters()])
    for plain, saved in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, saved)
    network.disable_gradient_checkpointing()
    assert not network.is_gradient_checkpointing


def test_channels_last_gives_the_same() -> None:
    network = build()
    noisy, t, condition = inputs()
    with torch.no_grad():
        expected = network(noisy, t, condition)
        network = network.to(memory_format=torch.channels_last)
        last = (x.contiguous(memory_format=torch.channels_last) for x in (noisy, condition))
        found = network(next(last), t, next(last))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_takes_and_gives_single(dtype: torch.dtype) -> None:
    network = build()
    noisy, t, condition = inputs()
    with torch.no_grad():
        expected = network(noisy, t, condition)
        found = network.to(dtype)(noisy, t, condition)
    assert found.dtype == torch.float32
    tolerance = 16 * torch.finfo(dtype).eps
    assert float((found - expected).abs().max()) < tolerance * float(expected.abs().max())


def test_autocast_gives_single_and_finite_gradients() -> None:
    network = build()
    noisy, t, condition = inputs()
    expected = network(noisy, t, condition).detach()
    with torch.autocast("cpu", torch.bfloat16):
        found = network(noisy, t, condition)
        found.square().mean().backward()
    assert found.dtype == torch.float32
    assert float((found.detach() - expected).abs().max()) < 0.1 * float(expected.abs().max())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.slow
def test_it_can_be_exported_for_any_batch() -> None:
    """What the ONNX exporter needs: no step depends on values or on the batch, no complex numbers."""
    network = build(prediction_type="pred_v").eval()
    batch = torch.export.Dim("batch")
    shapes = {"noisy": {0: batch}, "t": {0: batch}, "condition": {0: batch}}
    with torch.no_grad():
        program = torch.export.export(network, inputs(2), dynamic_shapes=shapes, strict=False)
        more = inputs(3)
        torch.testing.assert_close(program.module()(*more), network(*more), rtol=1e-4, atol=1e-5)
    values = (node.meta.get("val") for node in program.graph.nodes)
    assert not [value for value in values if isinstance(value, Tensor) and value.is_complex()]


@pytest.mark.slow
def test_it_is_one_graph_for_torch_compile() -> None:
    network = build().eval()
    noisy, t, condition = inputs()
    with torch.no_grad():
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        assert torch.equal(compiled(noisy, t, condition), network(noisy, t, condition))


class EncodeCondition(nn.Module):
    def __init__(self, network: ConditionalUnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        return self.network.encode_condition(condition)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["conv", "swin_t", "resnet101"])
def test_its_two_parts_give_the_same_in_onnx(kind: str, tmp_path: Path) -> None:
    import onnxruntime

    config = TINY if kind == "conv" else TINY.replaced(backbone=BackboneConfig(kind=kind))
    network = build(config).eval()
    batch = torch.export.Dim("batch")

    def outputs(
        module: nn.Module, arguments: tuple[object, ...], shapes: tuple[object, ...], given: list[Tensor]
    ) -> list[Tensor]:
        path = tmp_path / "part.onnx"
        torch.onnx.export(module.eval(), arguments, dynamo=True, dynamic_shapes=shapes, verbose=False).save(path)
        session = onnxruntime.InferenceSession(path)
        names = [entry.name for entry in session.get_inputs()]
        arrays = {name: value.numpy() for name, value in zip(names, given, strict=True)}
        return [torch.from_numpy(array) for array in session.run(None, arrays)]

    with torch.no_grad():
        noisy, t, condition = inputs(2)
        features = network.encode_condition(condition)
        more_noisy, more_t, more = inputs(3)
        found = outputs(EncodeCondition(network), (condition,), ({0: batch},), [more])
        expected = network.encode_condition(more)
        for value, wanted in zip(found, expected, strict=True):
            torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-5)
        if kind == "conv":
            shapes = ({0: batch}, {0: batch}, None, [{0: batch}] * len(features))
            arguments = (noisy, t, None, list(features))
            (found_output,) = outputs(network, arguments, shapes, [more_noisy, more_t, *expected])
            torch.testing.assert_close(
                found_output, network(more_noisy, more_t, features=expected), rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("prediction_type", ["pred_KC", "pred_v"])
def test_it_learns_one_batch(prediction_type: str) -> None:
    network = build(prediction_type=prediction_type)
    clean, _, condition = inputs()
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(40):
        t = torch.rand(2, generator=generator) * 0.9 + 0.1
        noise = torch.randn(clean.shape, generator=generator)
        output = network(noisy_latents(clean, noise, t), t, condition)
        loss = (output - targets_of(clean, noise, prediction_type)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.45 * sum(losses[:5])


def test_settings_that_contradict_are_refused() -> None:
    with pytest.raises(ConfigError, match="norm_groups must divide"):
        TINY.replaced(base_channels=6)
    with pytest.raises(ConfigError, match="one size for each level"):
        TINY.replaced(channel_multipliers=(1, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, t, c: (x, t, c[:, :3]), r"condition of this network must be \(B, 4, rows, cols\); got shape"),
        (lambda x, t, c: (x, t, c[0]), r"condition of this network must be \(B, 4, rows, cols\); got shape"),
        (lambda x, t, c: (x, t, c[..., :24]), "condition must be multiples of 16; got 32 x 24"),
        (lambda x, t, c: (x, t, c[..., :0]), "condition must be multiples of 16; got 32 x 0"),
        (lambda x, t, c: (x[:, :2], t, c), r"latents of this network must be \(B, 3, h, w\); got shape"),
        (lambda x, t, c: (x[..., :6], t, c), "latents must be multiples of 4; got 8 x 6"),
        (lambda x, t, c: (x[:, :, :4], t, c), "Latents and condition must be of the same maps"),
        (
            lambda x, t, c: (x[:1], t[:1], c),
            "Latents and condition must be of the same maps; got .* for 2 maps of 8 x 8",
        ),
        (lambda x, t, c: (x, t[:1], c), r"one for each row of the latents; got shape \(1,\) for 2 rows"),
        (lambda x, t, c: (x, t[0], c), r"one for each row of the latents; got shape \(\) for 2 rows"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    change: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        build()(*change(*inputs()))


def test_condition_or_features_must_be_given_and_not_both() -> None:
    network = build()
    noisy, t, condition = inputs()
    features = network.encode_condition(condition)
    with pytest.raises(InputError, match="either condition or features; got neither"):
        network(noisy, t)
    with pytest.raises(InputError, match="either condition or features; got both"):
        network(noisy, t, condition, features)
    with pytest.raises(InputError, match="must be 3 tensors; got 2"):
        network(noisy, t, features=features[:2])
    with pytest.raises(InputError, match="of the same maps"):
        network(noisy, t, features=(features[0], *(level[:1] for level in features[1:])))


def test_a_frozen_backbone_stays() -> None:
    frozen = TINY.replaced(backbone=TINY.backbone.replaced(is_frozen=True))
    network = build(frozen)
    network(*inputs()).square().mean().backward()
    learning = [name for name, p in network.named_parameters() if p.requires_grad]
    assert not [name for name in learning if name.startswith("backbone.")]
    assert all(network.get_parameter(name).grad is not None for name in learning)


def test_a_wide_backbone_through_transformers_serves_as_well() -> None:
    network = build(TINY.replaced(backbone=BackboneConfig(kind="swin_t")))
    network.enable_gradient_checkpointing()
    output = network(*inputs(1, 8, 12))
    output.square().mean().backward()
    assert output.shape == (1, 6, 8, 12)
    assert all(p.grad is not None for p in network.parameters())


def test_there_is_no_batch_normalisation_and_no_dropout() -> None:
    kinds = (nn.modules.batchnorm._BatchNorm, nn.Dropout)
    assert not [module for module in build().modules() if isinstance(module, kinds)]
