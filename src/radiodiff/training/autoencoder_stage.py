"""The first stage: a KL autoencoder, alone first, then against a discriminator.

The autoencoder runs forward once in a pass. Its loss and that of the discriminator come from the same reconstruction,
each with an optimizer of its own.

The gradient of the generator term goes through the discriminator once: it is taken at the reconstruction, weighed, and
sent on into the autoencoder with the rest. The discriminator's own gradients stay untouched by it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from radiodiff.data.autoencoder_examples import AutoencoderExamples
from radiodiff.data.loader import Batch, BatchLoader, spread
from radiodiff.losses.autoencoder_loss import AutoencoderLoss
from radiodiff.losses.config import AutoencoderLossConfig
from radiodiff.models.autoencoder import autoencoder_config
from radiodiff.models.autoencoder_folder import AutoencoderRecord, save_autoencoder
from radiodiff.models.discriminator import PatchDiscriminator
from radiodiff.models.latent_statistics import measure_latents
from radiodiff.models.padding import NO_RESIDUAL, OUTSIDE
from radiodiff.pipeline.prior import Prior
from radiodiff.training.autoencoder_networks import Critic, TrainedAutoencoder
from radiodiff.training.config import OptimizerConfig
from radiodiff.training.noise import example_noise
from radiodiff.training.reconstructed_maps import draw_maps
from radiodiff.training.reconstruction import evaluate_reconstruction, posterior_means
from radiodiff.training.stage import Autocast, Objective, Pass, Stage, Validation

__all__ = ["AutoencoderParts", "AutoencoderStage"]

AUTOENCODER = "autoencoder"
DISCRIMINATOR = "discriminator"


@dataclass(frozen=True)
class AutoencoderParts:
    """What the first stage is made of.

    Attributes:
        autoencoder: The network.
        discriminator: Its adversary; needed where the loss has an adversarial part.
        loss: What is minimised.
        optimizer: Optimizer of the autoencoder.
        discriminator_optimizer: Optimizer of the discriminator.
        source: Training examples.
        validation_source: Held-out examples, whole.
        validation_part: Name of their part.
        latent_source: Training examples, whole: their latents are measured in the end.
        record: What is stored with the autoencoder.
        num_latent_maps: How many of them.
        num_previews: Held-out maps in the picture of a validation.
        seed: Seed of the noise.
        prior: What maps are learnt as the difference to, made of the channels after the input; None learns them
            themselves.
    """

    autoencoder: AutoencoderKL
    discriminator: PatchDiscriminator | None
    loss: AutoencoderLossConfig
    optimizer: OptimizerConfig
    discriminator_optimizer: OptimizerConfig
    source: AutoencoderExamples
    validation_source: AutoencoderExamples
    validation_part: str
    latent_source: AutoencoderExamples
    record: AutoencoderRecord
    num_latent_maps: int
    num_previews: int
    seed: int
    prior: Prior | None = None


class AutoencoderStage(Stage):
    """Training of an autoencoder.

    Args:
        parts: What it is made of.

    Attributes:
        parts: The same.
    """

    def __init__(self, parts: AutoencoderParts) -> None:
        self.parts = parts
        self.source = parts.source
        self.validation_source = parts.validation_source
        self.averaged = AUTOENCODER
        self.best_metric = "rmse"
        self.prior = None if parts.prior is None else parts.prior.record.identity
        self._trained = TrainedAutoencoder(parts.autoencoder, parts.loss.initial_logvar, parts.loss.learn_logvar)
        self.networks = {AUTOENCODER: self._trained}
        self.optimizers = {AUTOENCODER: parts.optimizer}
        self._critic: Critic | None = None
        if parts.discriminator is not None:
            self._critic = Critic(parts.discriminator)
            self.networks[DISCRIMINATOR] = self._critic
            self.optimizers[DISCRIMINATOR] = parts.discriminator_optimizer
        self._config = autoencoder_config(parts.autoencoder)
        self._loss = AutoencoderLoss(parts.loss, self._config.out_channels)
        self._buildings = parts.source.buildings_index
        self._outside = OUTSIDE if parts.prior is None else NO_RESIDUAL

    def to(self, device: torch.device) -> None:
        """Move what is no network of its own, such as the features of a perceptual loss."""
        self._loss.to(device)
        if self.parts.prior is not None:
            self.parts.prior.to(device)

    def objectives(self, batch: Batch, current: Pass) -> Iterator[Objective]:
        """The loss of the autoencoder, then, from `adversarial.start` on, that of the discriminator."""
        adversarial = self.parts.loss.adversarial
        batch = self._learnt(batch, self._priors(batch))
        images, condition = self._split(batch)
        noise = self._noise(batch, images)
        with current.autocast():
            prediction, mean, logvar, log_variance = current.networks[AUTOENCODER](images, noise)
        prediction = prediction.float()
        if batch.mask is not None:
            # What does not count looks right to every loss and to the discriminator.
            prediction = torch.where(batch.mask, prediction, batch.target)
        found = self._loss.reconstruction(
            prediction,
            batch.target,
            log_variance,
            weight=batch.weight,
            mask=batch.mask,
            tx=batch.tx,
            buildings=self._buildings_of(batch),
        )
        divergence = self._loss.divergence(mean.float(), logvar.float())
        loss = found.nll + self.parts.loss.kl_weight * divergence
        plain = loss.detach()
        terms = {**found.terms, "kl": divergence.detach(), "total": plain}
        is_adversarial = adversarial is not None and self._critic is not None and current.step >= adversarial.start
        if is_adversarial:
            generator, pull, weight = self._generator_term(prediction, found.nll, condition, current)
            loss = loss + (prediction * pull).sum()
            terms |= {
                "generator": generator,
                "adversarial_weight": weight,
                "total": plain + weight * generator,
            }
        # Where the gradient of the generator term overflows in float16, that of the whole does: a matter of the
        # gradient scale, not of the loss.
        yield Objective(AUTOENCODER, loss, terms, judged=plain)
        if is_adversarial:
            with current.autocast():
                logits = current.networks[DISCRIMINATOR](batch.target, prediction.detach(), condition)
            true, reconstructed = (values.float() for values in logits)
            judged = self._loss.discriminator(true, reconstructed)
            yield Objective(
                DISCRIMINATOR,
                judged,
                {
                    "discriminator": judged.detach(),
                    "logits_true": true.detach().mean(),
                    "logits_reconstructed": reconstructed.detach().mean(),
                },
            )

    def _priors(self, batch: Batch) -> Tensor | None:
        """Priors (B, 1, rows, cols) of the maps of a batch."""
        prior = self.parts.prior
        return None if prior is None else prior.maps(batch.condition[:, self.parts.source.num_inputs :])

    def _learnt(self, batch: Batch, priors: Tensor | None) -> Batch:
        """The batch with residuals in the place of its maps, as input and as target."""
        prior = self.parts.prior
        if prior is None or priors is None:
            return batch
        residual = prior.residual(batch.target, priors)
        rest = batch.condition[:, self.parts.source.num_inputs :]
        return replace(batch, target=residual, condition=torch.cat([residual, rest], dim=1))

    def _split(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Input of the autoencoder, and what the discriminator is shown beside a map."""
        number = self.parts.source.num_inputs
        adversarial = self.parts.loss.adversarial
        is_conditional = adversarial is not None and adversarial.conditional
        return batch.condition[:, :number], batch.condition[:, number:] if is_conditional else None

    def _noise(self, batch: Batch, images: Tensor) -> Tensor:
        rows, cols = (edge // self._config.factor for edge in images.shape[-2:])
        shape = (self._config.latent_channels, rows, cols)
        return example_noise(batch.draws, shape, self.parts.seed, images.device)

    def _generator_term(
        self, prediction: Tensor, nll: Tensor, condition: Tensor | None, current: Pass
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The generator term, its weighed gradient at the reconstruction, and its weight, all detached."""
        adversarial, critic = self.parts.loss.adversarial, self._critic
        assert adversarial is not None
        assert critic is not None
        leaf = prediction.detach().requires_grad_()
        with current.autocast():
            logits = critic.judge(leaf, condition)
        generator = self._loss.generator(logits.float())
        (slope,) = torch.autograd.grad(generator * current.loss_scale, leaf)
        slope = slope / current.loss_scale
        weight = torch.full_like(generator, adversarial.weight)
        if adversarial.adaptive:
            weight = weight * self._adaptive_weight(prediction, nll, slope, current)
        return generator.detach(), weight * slope, weight

    def _adaptive_weight(self, prediction: Tensor, nll: Tensor, slope: Tensor, current: Pass) -> Tensor:
        """How much longer the gradient of the reconstruction is than that of the generator term, at the last layer."""
        last = self.parts.autoencoder.decoder.conv_out.weight
        if not last.requires_grad:
            last = prediction
        of_reconstruction, of_generator = (
            torch.autograd.grad(value, last, grad_outputs=outer, retain_graph=True)[0]
            for value, outer in (
                (nll, current.loss_scale * torch.ones_like(nll)),
                (prediction, current.loss_scale * slope),
            )
        )
        return self._loss.adaptive_weight(
            current.mean_over_processes(of_reconstruction / current.loss_scale),
            current.mean_over_processes(of_generator / current.loss_scale),
        )

    def validate(self, batches: Iterable[Batch], *, autocast: Autocast, preview: Path | None) -> Validation:
        """Metrics of reconstructions from the means of the posteriors."""
        parts = self.parts
        network = parts.autoencoder

        from_means = posterior_means(network, parts.source.num_inputs, self._outside)

        losses: list[float] = []

        def reconstruct(batch: Batch) -> Tensor:
            priors = self._priors(batch)
            learnt = self._learnt(batch, priors)
            with autocast():
                reconstruction = from_means(learnt).float()
            losses.extend(self._validation_losses(reconstruction, learnt))
            if parts.prior is None or priors is None:
                return reconstruction
            return parts.prior.added(reconstruction, priors)

        network.eval()
        report = evaluate_reconstruction(
            reconstruct,
            batches,
            part=", ".join(filter(None, (parts.validation_part, parts.validation_source.windows))),
            num_previews=parts.num_previews if preview else 0,
            shows_all_buildings=parts.validation_source.shows_all_buildings,
        )
        network.train()
        if preview is not None:
            draw_maps(report.previews, preview)
        rows = zip(report.per_example.items(), losses, strict=True)
        per_example = {name: {**figures, "nll": loss} for (name, figures), loss in rows}
        return Validation(per_example, report.protocol, preview)

    @torch.no_grad()
    def _validation_losses(self, reconstruction: Tensor, batch: Batch) -> list[float]:
        """What is minimised of each example, but for the divergence and the discriminator."""
        buildings = self._buildings_of(batch)
        return [
            self._loss.reconstruction(
                reconstruction[i : i + 1],
                batch.target[i : i + 1],
                self._trained.log_variance,
                weight=None if batch.weight is None else batch.weight[i : i + 1],
                mask=None if batch.mask is None else batch.mask[i : i + 1],
                tx=batch.tx[i : i + 1],
                buildings=None if buildings is None else buildings[i : i + 1],
            ).nll.item()
            for i in range(len(batch))
        ]

    def _buildings_of(self, batch: Batch) -> Tensor | None:
        return None if self._buildings is None else batch.condition[:, [self._buildings]] > 0

    def export(self, run_dir: Path, training: Mapping[str, object]) -> Path:
        """Measure the latents of training maps and write `run_dir/autoencoder`."""
        parts = self.parts
        wanted = spread(len(parts.latent_source), parts.num_latent_maps)
        # One at a time: maps may differ in size.
        loader = BatchLoader(parts.latent_source, 1, sampler=wanted)
        device = next(parts.autoencoder.parameters()).device
        batches = (batch.to(device) for batch in loader)
        images = (self._split(self._learnt(batch, self._priors(batch)))[0] for batch in batches)
        latents = measure_latents(parts.autoencoder, images, seed=parts.seed, outside=self._outside)
        folder = run_dir / AUTOENCODER
        save_autoencoder(folder, parts.autoencoder, replace(parts.record, latents=latents, training=dict(training)))
        return folder
