"""The benchmark set: real layouts with dominant path, launched and traced maps; one whole city is test only."""

from radiodiff.evaluation.bench.archive import pack_archive, unpack_archive
from radiodiff.evaluation.bench.build import BenchReport, build_bench
from radiodiff.evaluation.bench.content import BENCH_RECORD, BenchContent, ScenarioContent, SimulationContent
from radiodiff.evaluation.bench.open import Bench, BenchCase, open_bench
from radiodiff.evaluation.bench.settings import BENCH_NAME, BenchPart, BenchSettings, usual_engines

__all__ = [
    "BENCH_NAME",
    "BENCH_RECORD",
    "Bench",
    "BenchCase",
    "BenchContent",
    "BenchPart",
    "BenchReport",
    "BenchSettings",
    "ScenarioContent",
    "SimulationContent",
    "build_bench",
    "open_bench",
    "pack_archive",
    "unpack_archive",
    "usual_engines",
]
