"""Predictions pulled towards measured points, without training.

The error of a prediction is taken for a Gaussian field whose correlation falls exponentially with distance: what is
left between prediction and measurements is spread around the points by its conditional mean. Draws of a diffusion model
are pulled in each of their steps as well, by moving the estimated latents so that the decoded map comes near to the
corrected one around the points.

Each of several draws takes the measurements for wrong by an error of its own, of the size that they say: draws that all
met the values themselves would be surer of them than the measurements are.

Source: Gudmundson (1991), "Correlation model for shadow fading in mobile radio systems" (the correlation); Journel and
Huijbregts (1978), "Mining Geostatistics" (draws given measured values: Matheron's rule).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from radiodiff.diffusion.noise import normal_noise, seed_of
from radiodiff.encoding import Encoding
from radiodiff.pipeline.measurements import Measurements

__all__ = ["Guide", "PointField"]

Decode = Callable[[Tensor], Tensor]
"""Maps (R, 1, rows, cols) of latents (R, C, h, w)."""

DecodeDraws = Callable[[Tensor, Sequence[tuple[int, int]]], Tensor]
"""The same, of the latents of some draws, told by map and draw."""

CELLS_AT_A_TIME = 2**22
"""Numbers of a block of distances between points and cells."""

POINTS = 1
"""Part of the seeds of errors of measured values."""

PROBE = 0.1
"""Step along a direction from which the decoder's slope is taken, in standard deviations of the latents."""
LONGEST_STEP = 1.0
"""Longest step of a correction, in the same unit: beyond it the decoder is no straight line."""


class PointField:
    """The points of one map, and how far they reach.

    Args:
        measurements: The points.
        encoding: What the model's maps mean.
        outdoors: (rows, cols) bool, cells that are corrected, besides those of the points.
        generators: One for each draw of the map, on the CPU; they stay where they are.

    Attributes:
        errors: (num_draws, n) what each draw takes the values for wrong by; 0 for a single draw.
    """

    def __init__(
        self,
        measurements: Measurements,
        encoding: Encoding,
        outdoors: Tensor,
        generators: Sequence[torch.Generator],
    ) -> None:
        device = outdoors.device
        target = encoding.target
        self.outdoors = outdoors.clone()
        self.outdoors[tuple(torch.from_numpy(measurements.cells.T.copy()).to(device))] = True
        self.cells = torch.tensor(measurements.cells, device=device)
        self.values = torch.from_numpy(target.encode(measurements.path_loss_db)).to(device)
        self.length = measurements.correlation_cells
        # Float64: neighbouring points make the matrix nearly singular.
        points = self.cells.double()
        covariance = torch.exp(-torch.cdist(points, points) / self.length)
        self._eigenvalues, self._eigenvectors = torch.linalg.eigh(covariance.cpu())
        noise = measurements.noise_db * 2.0 / abs(target.high - target.low)
        self._noise = noise**2
        self.errors = torch.zeros(len(generators), len(points), device=device)
        if len(generators) > 1:
            # Not the numbers that the draws themselves are made of: points leave these as they are.
            sources = [torch.Generator().manual_seed(seed_of(one.initial_seed(), POINTS)) for one in generators]
            self.errors = noise * normal_noise(sources, (len(points),), device)
        self.reach = self._spread(self._weights(torch.ones(1, len(points)), 0.0))[0].clamp(0.0, 1.0)

    def residual(self, maps: Tensor, errors: Tensor | float = 0.0) -> Tensor:
        """What maps (R, 1, rows, cols) lack at the points, whose values are wrong by errors (R, n); (R, n)."""
        return self.values + errors - maps[:, 0, self.cells[:, 0], self.cells[:, 1]]

    def correction(self, maps: Tensor, errors: Tensor | float = 0.0) -> Tensor:
        """What maps (R, 1, rows, cols) lack at the points and, so it is believed, around them; of the same shape."""
        # What is more than the measurement's error is the prediction's.
        variance = self.residual(maps).cpu().double().square().mean(1, keepdim=True) - self._noise
        noise_share = self._noise / variance.clamp(min=1e-12)
        return self._spread(self._weights(self.residual(maps, errors).cpu(), noise_share))[:, None]

    def _weights(self, residual: Tensor, noise_share: Tensor | float) -> Tensor:
        """Weights of the points (R, n), of what is to be met there."""
        # Rounding makes an eigenvalue of equal points negative.
        values = self._eigenvalues.clamp(min=0.0) + noise_share + 1e-6
        weights: Tensor = (residual.double() @ self._eigenvectors / values) @ self._eigenvectors.T
        return weights

    def _spread(self, weights: Tensor) -> Tensor:
        """Sums of the points' correlations (R, rows, cols), 0 indoors."""
        rows, cols = self.outdoors.shape
        device = self.outdoors.device
        weights = weights.float().to(device)
        points = self.cells.float()
        field = torch.zeros(len(weights), rows * cols, device=device)
        wanted = self.outdoors.flatten().nonzero()[:, 0]
        for part in torch.split(wanted, max(1, CELLS_AT_A_TIME // len(points))):
            places = torch.stack([part // cols, part % cols], dim=1).float()
            field[:, part] = weights @ torch.exp(-torch.cdist(points, places) / self.length)
        return field.reshape(-1, rows, cols)


@dataclass(frozen=True)
class Guide:
    """The points of the maps of a batch.

    Attributes:
        fields: Those of each map, or None for a map without.
        steps: Steps of a correction of latents.
    """

    fields: tuple[PointField | None, ...]
    steps: int

    @classmethod
    def of(
        cls,
        measurements: Sequence[Measurements | None],
        encoding: Encoding,
        condition: Tensor,
        generators: Sequence[Sequence[torch.Generator]],
        steps: int,
    ) -> "Guide":
        """The points of maps.

        Args:
            measurements: Those of each map, or None.
            encoding: What the model's condition and maps mean.
            condition: (B, C, rows, cols) of the maps, without padding.
            generators: Those of each draw of each map.
            steps: Steps of a correction of latents.

        Raises:
            InputError: A point is off the map or inside a building.
        """
        fields: list[PointField | None] = []
        for number, points in enumerate(measurements):
            if points is None:
                fields.append(None)
                continue
            outdoors = torch.ones(condition.shape[2:], dtype=torch.bool, device=condition.device)
            if "buildings" in encoding.names:
                outdoors = condition[number, encoding.names.index("buildings")] < 0
            points.check_on(_surrounded(~outdoors).cpu().numpy())
            fields.append(PointField(points, encoding, outdoors, generators[number]))
        return cls(tuple(fields), steps)

    def corrected_maps(self, maps: Tensor) -> Tensor:
        """Maps (B, draws, 1, rows, cols) that agree with the points, and are better around them."""
        pairs = zip(self.fields, maps, strict=True)
        return torch.stack([draws if f is None else draws + f.correction(draws, f.errors) for f, draws in pairs])

    def corrected_latents(self, latents: Tensor, draws: Sequence[tuple[int, int]], decode: DecodeDraws) -> Tensor:
        """Latents whose decoded maps come nearer to the points and to what is believed around them.

        Args:
            latents: (R, C, h, w) estimated, of unit variance.
            draws: Map and draw of each row, by number.
            decode: Makes maps of the latents of draws.
        """
        rows = [row for row, (number, _) in enumerate(draws) if self.fields[number] is not None]
        if not rows or self.steps == 0:
            return latents
        with torch.inference_mode(False), torch.enable_grad():
            start = latents[rows].clone()
            chosen = [draws[row] for row in rows]
            fit = self._fit(start, chosen, lambda moved: decode(moved, chosen))
            found = fit.descended(start, self.steps)
        result = latents.clone()
        result[rows] = found
        return result

    def _fit(self, latents: Tensor, draws: Sequence[tuple[int, int]], decode: Decode) -> "_Fit":
        """What the decoded maps should be, and where that counts."""
        with torch.no_grad():
            maps = decode(latents)
        targets, weights = maps.clone(), torch.zeros_like(maps)
        for row, (number, draw) in enumerate(draws):
            found = self.fields[number]
            assert found is not None
            rows, cols = found.outdoors.shape
            # Decoded maps have padding below and on the right.
            part = maps[row : row + 1, :, :rows, :cols]
            targets[row : row + 1, :, :rows, :cols] += found.correction(part, found.errors[draw])
            weights[row, 0, :rows, :cols] = found.reach
        return _Fit(decode, targets, weights)


@dataclass(frozen=True)
class _Fit:
    """A weighted least-squares problem in the latents of several maps, each on its own.

    Attributes:
        decode: The decoder.
        targets: (R, 1, rows, cols).
        weights: (R, 1, rows, cols).
    """

    decode: Decode
    targets: Tensor
    weights: Tensor

    def descended(self, latents: Tensor, steps: int) -> Tensor:
        """Latents after some steps down the slope, each as long as a straight decoder would want; never worse."""
        for _ in range(steps):
            moving = latents.clone().requires_grad_(True)
            maps = self.decode(moving)
            loss = self._loss(maps)
            (slope,) = torch.autograd.grad(loss.sum(), moving)
            with torch.no_grad():
                direction = -slope / _per_row(slope.square().flatten(1).mean(1).sqrt().clamp(min=1e-12))
                change = (self.decode(latents + PROBE * direction) - maps) / PROBE
                wanted = (self.weights * (self.targets - maps) * change).flatten(1).sum(1)
                curvature = (self.weights * change.square()).flatten(1).sum(1)
                length = (wanted / curvature.clamp(min=1e-12)).clamp(0.0, LONGEST_STEP)
                moved = latents + _per_row(length) * direction
                is_better = self._loss(self.decode(moved)) < loss
                latents = torch.where(_per_row(is_better), moved, latents)
        return latents.detach()

    def _loss(self, maps: Tensor) -> Tensor:
        return (self.weights * (maps - self.targets).square()).flatten(1).sum(1)


def _surrounded(indoors: Tensor) -> Tensor:
    """Cells (rows, cols) indoors with nothing but cells indoors around them.

    The image of the buildings stands half a cell beside the gains: a cell at its rim may be outside.
    """
    free = torch.nn.functional.max_pool2d((~indoors).float()[None], 3, stride=1, padding=1)[0]
    return free == 0


def _per_row(values: Tensor) -> Tensor:
    return values[:, None, None, None]
