"""Describe a data set folder: what it is, how much it holds, what its values are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from radiodiff.data.inspect.describe_arranged import describe_arranged
from radiodiff.data.inspect.describe_edges import describe_edges
from radiodiff.data.inspect.describe_icassp import describe_icassp
from radiodiff.data.inspect.describe_radiomapseer import describe_packed, describe_radiomapseer
from radiodiff.data.inspect.description import Description
from radiodiff.data.inspect.layout import Layout, recognise
from radiodiff.data.inspect.level_draw import LevelDraw
from radiodiff.errors import InputError

__all__ = ["describe_data_set"]

ALLOWED_BINS = (8, 16, 32, 64, 256)


def describe_data_set(root: str | Path, *, samples: int = 32, bins: int = 16, seed: int = 0) -> Description:
    """Describe a data set; of the images only a few are opened.

    Args:
        root: The folder.
        samples: Images opened of each folder.
        bins: Bins of the histograms: 8, 16, 32, 64 or 256.
        seed: Seed of the draw of images.

    Raises:
        DataSetError: The folder holds no data set that is known, or none of its files can be used.
        FormatError: A file is damaged.
        InputError: `samples` is not positive, or `bins` is another number.
    """
    if not (samples >= 1 and bins in ALLOWED_BINS):
        raise InputError(
            f"A description needs at least one sample and {', '.join(map(str, ALLOWED_BINS))} bins",
            value=f"samples={samples}, bins={bins}",
            remedy="Leave them out for the defaults.",
        )
    root = Path(root)
    layout = recognise(root)
    draw = LevelDraw(samples, bins, np.random.default_rng(seed))
    describe: dict[Layout, Callable[[Path, LevelDraw], Description]] = {
        "packed": describe_packed,
        "icassp": describe_icassp,
        "arranged": describe_arranged,
        "edges": describe_edges,
    }
    if layout in describe:
        return describe[layout](root, draw)
    return describe_radiomapseer(root, layout, draw)
