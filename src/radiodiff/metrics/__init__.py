"""How far a radio map is from the truth."""

from radiodiff.metrics.calibration import (
    compare_draws,
    crps,
    interval_coverage,
    most_coverage,
    spearman,
    spread,
    student_coverage,
)
from radiodiff.metrics.grey_maps import compare_grey_maps, compare_grey_regions, mean_figures
from radiodiff.metrics.image_quality import brightest_point_distance, sharpness_ratio, ssim
from radiodiff.metrics.map_errors import (
    PathLossError,
    abs_error_percentile_db,
    compare_path_loss,
    mae,
    mae_db,
    median_abs_error_db,
    mse,
    nmse,
    psnr,
    relative_error,
    rmse,
    rmse_db,
)
from radiodiff.metrics.pooled import FIGURES_OF_SUMS, PooledErrors

__all__ = [
    "FIGURES_OF_SUMS",
    "PathLossError",
    "PooledErrors",
    "abs_error_percentile_db",
    "brightest_point_distance",
    "compare_draws",
    "compare_grey_maps",
    "compare_grey_regions",
    "compare_path_loss",
    "crps",
    "interval_coverage",
    "mae",
    "mae_db",
    "mean_figures",
    "median_abs_error_db",
    "most_coverage",
    "mse",
    "nmse",
    "psnr",
    "relative_error",
    "rmse",
    "rmse_db",
    "sharpness_ratio",
    "spearman",
    "spread",
    "ssim",
    "student_coverage",
]
