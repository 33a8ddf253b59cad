"""Maps of a data set drawn by a model into a folder.

Maps are drawn in groups of a batch; the groups follow from the list of maps, not from what is finished, so that a run
that goes on draws each map in the company it had, and the same bits come out (kernels round differently for batches of
other sizes).
"""

from collections.abc import Iterator, Sequence
from time import perf_counter

from radiodiff.data.loader import BatchLoader, ExampleSource
from radiodiff.evaluation.pipeline_predictor import PipelinePredictor
from radiodiff.evaluation.sample_folder import SampleFolder, SampleRow

__all__ = ["draw_groups", "sample_groups"]

Group = tuple[int, ...]


def draw_groups(numbers: Sequence[int], names: Sequence[str], finished: frozenset[str], batch_size: int) -> list[Group]:
    """Numbers of the examples that are drawn together, for groups of which a map is not finished.

    Args:
        numbers: Numbers of all examples that are wanted.
        names: Their names.
        finished: Names of the maps that are finished.
        batch_size: Examples in a group.
    """
    groups = [tuple(numbers[i : i + batch_size]) for i in range(0, len(numbers), batch_size)]
    name_of = dict(zip(numbers, names, strict=True))
    return [group for group in groups if any(name_of[number] not in finished for number in group)]


def sample_groups(
    predictor: PipelinePredictor,
    source: ExampleSource,
    groups: Sequence[Group],
    folder: SampleFolder,
    process: int = 0,
) -> Iterator[int]:
    """Draw the maps of groups and write those that are not finished.

    Args:
        predictor: The model and how it draws.
        source: The data set with the condition of the model.
        groups: Numbers of the examples that are drawn together.
        folder: Where to.
        process: Number of this process.

    Yields:
        How many maps of a group are done, group by group.

    Raises:
        RadiodiffError: What data set, model and files raise.
        OSError: The system refuses.
    """
    finished = folder.finished()
    settings, channel = predictor.settings, source.encoding.target
    numbers = [number for group in groups for number in group]
    # Only the last group of all may be smaller: batches are the groups.
    for batch in BatchLoader(source, max(map(len, groups), default=1), sampler=numbers):
        started = perf_counter()
        draws = predictor.levels(batch)[:, :, 0]
        seconds = (perf_counter() - started) / len(batch)
        rows = []
        for i, name in enumerate(batch.names):
            if name in finished:
                continue
            num_rows, num_cols = batch.content[i].tolist()
            low, high = folder.write(name, draws[i, :, :num_rows, :num_cols], channel, source.scale)
            rows.append(
                SampleRow(
                    name=name,
                    file=f"{name}.png",
                    number=batch.draws[i][0],
                    seed=settings.seed,
                    steps=predictor.num_inference_steps,
                    draws=settings.num_draws,
                    seconds=round(seconds, 6),
                    scale=source.scale,
                    min=round(low, 4),
                    max=round(high, 4),
                )
            )
        folder.note(rows, process)
        yield len(batch)
