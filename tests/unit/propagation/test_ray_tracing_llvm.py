"""What the ray tracer runs on is found before it is loaded, or named with the commands that install it."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from radiodiff.errors import PropagationError
from radiodiff.propagation.ray_tracing import llvm

PLACE = Path("/usr/lib/x86_64-linux-gnu")
COMMANDS = r'pip install "radiodiff\[raytrace\]" && apt-get install libllvm19'


def test_the_newest_library_is_taken() -> None:
    names = ["libLLVM-14.so", "libLLVM-19.so", "libLLVM.so.18.1", "libLLVM-15.so.1", "libLLVM-C.so"]
    assert llvm.find_llvm({}, [PLACE / name for name in names]) == PLACE / "libLLVM-19.so"


def test_a_library_in_a_folder_of_its_version() -> None:
    path = Path("/usr/lib/llvm-19/lib/libLLVM.so")
    assert llvm.find_llvm({}, [path]) == path


def test_the_environment_goes_first(tmp_path: Path) -> None:
    named = tmp_path / "libLLVM-17.so"
    named.touch()
    assert llvm.find_llvm({"DRJIT_LIBLLVM_PATH": str(named)}, [PLACE / "libLLVM-19.so"]) == named


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "libLLVM.so.19.1").touch()
    link = tmp_path / "compiler.so"
    link.symlink_to("libLLVM.so.19.1")
    assert llvm.find_llvm({"DRJIT_LIBLLVM_PATH": str(link)}) == link


@pytest.mark.parametrize("name", ["libLLVM-14.so", "libLLVM-15.so", "libLLVM-16.so.1"])
def test_old_libraries_end_the_process_and_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(PropagationError, match=COMMANDS) as caught:
        llvm.find_llvm({"DRJIT_LIBLLVM_PATH": str(tmp_path / name)})
    assert f"version {name[8:10]}" in str(caught.value)


def test_a_library_of_no_known_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compiler.so").touch()
    with pytest.raises(PropagationError, match="unknown version"):
        llvm.find_llvm({"DRJIT_LIBLLVM_PATH": str(tmp_path / "compiler.so")})


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PropagationError, match="which is not there"):
        llvm.find_llvm({"DRJIT_LIBLLVM_PATH": str(tmp_path / "libLLVM-19.so")})


def test_no_library_gives_the_command() -> None:
    with pytest.raises(PropagationError, match=COMMANDS):
        llvm.find_llvm({}, [])


def test_old_libraries_alone_give_the_command() -> None:
    with pytest.raises(PropagationError, match="LLVM 14, LLVM 15 is too old"):
        llvm.find_llvm({}, [PLACE / "libLLVM-15.so", PLACE / "libLLVM-14.so", PLACE / "libLLVM-14.0.6.so.1"])


def test_a_missing_package_gives_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PropagationError, match="no package drjit, mitsuba, sionna.*" + COMMANDS):
        llvm.load_ray_tracer("auto")


@pytest.mark.parametrize(("device", "driver"), [("cpu", "libcuda.so.1"), ("auto", None)])
def test_no_library_is_told_before_the_ray_tracer_is_imported(
    monkeypatch: pytest.MonkeyPatch, device: llvm.Device, driver: str | None
) -> None:
    """Importing drjit prints that it finds no library: here, the import would fail."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(llvm, "find_library", lambda name: driver)
    monkeypatch.setitem(sys.modules, "drjit", None)
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "/nowhere/libLLVM-19.so")
    with pytest.raises(PropagationError, match=r"/nowhere/libLLVM-19\.so, which is not there"):
        llvm.load_ray_tracer(device)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_does_without_a_library(monkeypatch: pytest.MonkeyPatch, device: llvm.Device) -> None:
    def none_found(environment: object) -> Path:
        raise PropagationError("a rule", value="no LLVM", remedy="Run it.")

    Machine(monkeypatch, backends={"cuda"})
    monkeypatch.setattr(llvm, "find_llvm", none_found)
    monkeypatch.setattr(llvm, "find_library", lambda name: "libcuda.so.1")
    assert llvm.load_ray_tracer(device) == "cuda_ad_mono_polarized"


def test_the_library_is_named_before_drjit_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import loads what the variable names, or else whatever it finds first."""
    Machine(monkeypatch, backends={"llvm"})
    monkeypatch.setitem(sys.modules, "drjit", None)
    with pytest.raises(ImportError):
        llvm.load_ray_tracer("auto")
    assert os.environ["DRJIT_LIBLLVM_PATH"] == str(PLACE / "libLLVM-19.so")


class Machine:
    """A machine without packages of the ray tracer, which pretends to have them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, backends: set[str], loaded: str | None = None) -> None:
        self.variants: list[str] = []
        backend = SimpleNamespace(CUDA="cuda", LLVM="llvm")
        drjit = SimpleNamespace(JitBackend=backend, has_backend=lambda name: name in backends)
        mitsuba = SimpleNamespace(variant=lambda: (self.variants or [loaded])[-1], set_variant=self.variants.append)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
        monkeypatch.setattr(llvm, "find_llvm", lambda environment: PLACE / "libLLVM-19.so")
        monkeypatch.setattr(llvm, "CDLL", lambda path: None)
        monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "before")
        for name, module in {"drjit": drjit, "mitsuba": mitsuba, "sionna.rt": SimpleNamespace()}.items():
            monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]


def test_the_processor_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm"})
    assert llvm.load_ray_tracer("auto") == "llvm_ad_mono_polarized"


def test_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm", "cuda"})
    assert llvm.load_ray_tracer("auto") == "cuda_ad_mono_polarized"


def test_the_processor_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm", "cuda"})
    assert llvm.load_ray_tracer("cpu") == "llvm_ad_mono_polarized"


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm"})
    with pytest.raises(PropagationError, match="no NVIDIA GPU"):
        llvm.load_ray_tracer("cuda")


def test_a_library_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends=set())
    with pytest.raises(PropagationError, match="which does not load"):
        llvm.load_ray_tracer("cpu")


def test_a_damaged_library_is_told_before_the_ray_tracer_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing drjit prints that it does not load: here, the import would fail."""
    (tmp_path / "libLLVM-19.so").write_bytes(b"no library")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "drjit", None)
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", str(tmp_path / "libLLVM-19.so"))
    with pytest.raises(PropagationError, match=r"libLLVM-19\.so, which does not load \(.*" + COMMANDS):
        llvm.load_ray_tracer("cpu")


def test_another_variant_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm", "cuda"}, loaded="scalar_rgb")
    with pytest.raises(PropagationError, match="One process traces with one variant"):
        llvm.load_ray_tracer("auto")


def test_a_variant_of_the_ray_tracer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, backends={"llvm", "cuda"}, loaded="llvm_ad_mono_polarized")
    assert llvm.load_ray_tracer("auto") == "llvm_ad_mono_polarized"
