"""How well maps are drawn, with several numbers of steps at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import tee
from typing import TYPE_CHECKING

from radiodiff.data.loader import Batch
from radiodiff.training.reconstructed_maps import ReconstructedMap, reconstructed_maps
from radiodiff.training.reconstruction import ReconstructionReport, ReconstructionScores

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["evaluate_samples"]


def evaluate_samples(
    draw: "Callable[[Batch, int], Tensor]",
    batches: Iterable[Batch],
    num_inference_steps: Sequence[int],
    *,
    part: str = "",
    num_previews: int = 0,
    shows_all_buildings: bool = True,
) -> list[ReconstructionReport]:
    """Draw the maps of each batch with each number of steps, and measure how well that worked.

    Args:
        draw: Maps (B, 1, rows, cols) of a batch in [-1, 1], drawn in so many steps.
        batches: What to look at; each is read once.
        num_inference_steps: Numbers of steps.
        part: Part of the data set, for the protocol.
        num_previews: How many of the first maps to keep for a picture.
        shows_all_buildings: Whether the conditions show all buildings; otherwise nothing is said of cells outside them.

    Returns:
        What was found, for each number of steps.

    Raises:
        InputError: There are no batches.
        TrainingError: A map is not finite, or has another shape than its target.
    """
    scores = [ReconstructionScores(part=part, num_previews=num_previews) for _ in num_inference_steps]

    def drawn(steps: int, score: ReconstructionScores, branch: Iterator[Batch]) -> Iterator[ReconstructedMap]:
        def looked_at() -> Iterator[Batch]:
            for batch in branch:
                score.scale = batch.scale
                yield batch

        return reconstructed_maps(
            lambda batch: draw(batch, steps), looked_at(), shows_all_buildings=shows_all_buildings
        )

    branches = tee(batches, len(scores))
    streams = [drawn(*each) for each in zip(num_inference_steps, scores, branches, strict=True)]
    # Map by map through all of them: one batch is in memory at a time.
    for maps in zip(*streams, strict=True):
        for score, found in zip(scores, maps, strict=True):
            score.add(found)
    return [score.report() for score in scores]
