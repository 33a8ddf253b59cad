"""Finds what the ray tracer runs on, before anything is loaded that would end the process."""

import importlib
import importlib.util
import os
import re
from collections.abc import Iterable, Mapping
from ctypes import CDLL
from ctypes.util import find_library
from pathlib import Path

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing.settings import Device

__all__ = ["find_llvm", "load_ray_tracer"]

LOWEST_LLVM = 17
"""14 is refused by the ray tracer; 15 and 16 end the process at the first kernel, with nothing to catch. 19 and 22 are
known to work."""

PATH_VARIABLE = "DRJIT_LIBLLVM_PATH"

PLACES = (
    "/usr/lib/*-linux-gnu/libLLVM*.so*",
    "/usr/lib64/libLLVM*.so*",
    "/usr/lib/llvm-*/lib/libLLVM*.so*",
    "/usr/local/lib/libLLVM*.so*",
    "/opt/homebrew/opt/llvm*/lib/libLLVM*.dylib",
    "/usr/local/opt/llvm*/lib/libLLVM*.dylib",
)

REMEDY = (
    'Run: pip install "radiodiff[raytrace]" && apt-get install libllvm19 '
    f"(elsewhere: name the library of LLVM 19 in {PATH_VARIABLE})."
)

RULE = "Ray tracing needs the packages of the extra raytrace, and LLVM 17 or newer or an NVIDIA GPU"

CPU_VARIANT = "llvm_ad_mono_polarized"
CUDA_VARIANT = "cuda_ad_mono_polarized"


def find_llvm(environment: Mapping[str, str], candidates: Iterable[Path] | None = None) -> Path:
    """The library of LLVM to use: the one that DRJIT_LIBLLVM_PATH names, else the newest in the usual places.

    Args:
        environment: Environment variables.
        candidates: Libraries found, or None to look for them.

    Raises:
        PropagationError: There is none, or the one named is not there, too old or of no known version.
    """
    named = environment.get(PATH_VARIABLE)
    if named:
        path = Path(named)
        found = f"{PATH_VARIABLE}={named}"
        if not path.exists():
            raise PropagationError(RULE, value=f"{found}, which is not there", remedy=REMEDY)
        version = _version(path)
        if version is None or version < LOWEST_LLVM:
            told = "of unknown version" if version is None else f"version {version}"
            raise PropagationError(RULE, value=f"{found}, {told}", remedy=REMEDY)
        return path
    paths = _installed() if candidates is None else candidates
    versions = {path: version for path in sorted(paths) if (version := _version(path)) is not None}
    fitting = {path: version for path, version in versions.items() if version >= LOWEST_LLVM}
    if not fitting:
        old = ", ".join(f"LLVM {version}" for version in sorted(set(versions.values())))
        raise PropagationError(RULE, value=f"no LLVM ({old} is too old)" if old else "no LLVM", remedy=REMEDY)
    return max(fitting, key=lambda path: fitting[path])


def _installed() -> list[Path]:
    return [path for pattern in PLACES for path in Path("/").glob(pattern.lstrip("/")) if path.is_file()]


def _version(path: Path) -> int | None:
    """Major version in the name of a library or of what it links to: libLLVM-19.so, libLLVM.so.19.1."""
    for name in (path.name, path.resolve().name, path.resolve().parent.parent.name):
        match = re.search(r"(?:libLLVM-|libLLVM\.so\.|libLLVM\.|llvm-|llvm@)(\d+)", name)
        if match:
            return int(match.group(1))
    return None


def _choose_llvm(device: Device) -> None:
    """Name the library of LLVM before drjit is imported: the import loads it, or prints that it cannot.

    Raises:
        PropagationError: There is none that loads, and no GPU to do without it.
    """
    try:
        path = find_llvm(os.environ)
        try:
            CDLL(str(path))
        except OSError as error:
            raise PropagationError(RULE, value=f"{path}, which does not load ({error})", remedy=REMEDY) from error
        os.environ[PATH_VARIABLE] = str(path)
    except PropagationError:
        if device == "cpu" or (device == "auto" and find_library("cuda") is None):
            raise


def load_ray_tracer(device: Device) -> str:
    """Load the ray tracer for a device.

    Returns:
        The variant in use, for example "llvm_ad_mono_polarized".

    Raises:
        PropagationError: A package, LLVM or the GPU is missing, or the process has loaded the other variant.
    """
    missing = [name for name in ("drjit", "mitsuba", "sionna") if importlib.util.find_spec(name) is None]
    if missing:
        raise PropagationError(RULE, value=f"no package {', '.join(missing)}", remedy=REMEDY)
    _choose_llvm(device)
    import drjit
    import mitsuba

    wanted = CPU_VARIANT
    if device != "cpu" and drjit.has_backend(drjit.JitBackend.CUDA):
        wanted = CUDA_VARIANT
    elif device == "cuda":
        raise PropagationError(RULE, value="no NVIDIA GPU", remedy="Use device='cpu', or install the GPU's driver.")
    loaded: str | None = mitsuba.variant()
    if loaded is None:
        if wanted == CPU_VARIANT and not drjit.has_backend(drjit.JitBackend.LLVM):
            raise PropagationError(RULE, value=f"{find_llvm(os.environ)}, which does not load", remedy=REMEDY)
        mitsuba.set_variant(wanted)
    elif loaded != wanted and not (device == "auto" and loaded in (CPU_VARIANT, CUDA_VARIANT)):
        raise PropagationError(
            f"One process traces with one variant of Mitsuba, here {wanted}",
            value=loaded,
            remedy="Use one device per process.",
        )
    importlib.import_module("sionna.rt")
    return str(mitsuba.variant())
