"""How far a posterior is from the standard normal distribution."""

from torch import Tensor

from radiodiff.losses.reconstruction import full_precision

__all__ = ["standard_normal_divergence"]


def standard_normal_divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, exp(logvar)) from N(0, 1), of each latent cell.

    Args:
        mean: (B, C, rows, cols).
        logvar: (B, C, rows, cols), logarithm of the variance.

    Returns:
        (B, C, rows, cols), not negative: `0.5 (mean^2 + exp(logvar) - 1 - logvar)`; float32 for half precision.

    Source: Kingma and Welling (2014), "Auto-Encoding Variational Bayes", appendix B.
    """
    mean, logvar = full_precision(mean), full_precision(logvar)
    # expm1 keeps the digits of variances close to 1.
    return 0.5 * (mean.square() + logvar.expm1() - logvar)
