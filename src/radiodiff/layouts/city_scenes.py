"""Real cities that lie in the package sionna-rt as meshes. Their files are read; the package is not imported."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from radiodiff.errors import LayoutError
from radiodiff.formats.mesh_scene import read_mesh_scene
from radiodiff.scene import Scene

__all__ = ["CITIES", "CITY_LICENCE", "SceneSource", "city_scene", "city_scene_file"]

CITIES: Final = ("etoile", "florence", "munich", "san_francisco")
"""Paris around the Place de l'Etoile, Florence, Munich and San Francisco."""

CITY_LICENCE: Final = "OpenStreetMap contributors, ODbL 1.0 (https://www.openstreetmap.org/copyright)"
"""Source: the scenes of sionna-rt are drawn from OpenStreetMap, as its documentation says."""


@dataclass(frozen=True, eq=False)
class SceneSource:
    """A scene to cut crops from.

    Attributes:
        city: Its name in the names of the crops.
        scene: The scene; heights known, without a CRS.
        licence: Terms of the data and whom to credit.
        notes: What its reader had to say, one sentence each.
    """

    city: str
    scene: Scene
    licence: str
    notes: tuple[str, ...] = ()


def city_scene(name: str, *, cell_size_m: float = 1.0) -> SceneSource:
    """One of the cities that come with sionna-rt.

    Args:
        name: One of `CITIES`.
        cell_size_m: Edge of a cell [m].

    Raises:
        LayoutError: The name is unknown, or the package is not installed.
        FormatError: A file of the package is damaged.
    """
    scene, report = read_mesh_scene(city_scene_file(name), cell_size_m=cell_size_m)
    return SceneSource(name, scene, CITY_LICENCE, report.notes())


def city_scene_file(name: str) -> Path:
    """The file of a city scene in the installed package.

    Raises:
        LayoutError: The name is unknown, or the package is not installed.
    """
    if name not in CITIES:
        raise LayoutError(
            f"A city must be one of {', '.join(CITIES)}",
            value=repr(name),
            remedy="Give a file of your own with --scene for another place.",
        )
    # Looked up, not imported: sionna needs LLVM when it is imported, its scenes do not.
    found = find_spec("sionna")
    folders = found.submodule_search_locations if found is not None else None
    files = [Path(folder) / "rt" / "scenes" / name / f"{name}.xml" for folder in folders or ()]
    for file in files:
        if file.is_file():
            return file
    raise LayoutError(
        "City scenes need the package sionna-rt, which holds them",
        value="not installed" if not files else f"no {files[0]}",
        remedy="Install it: pip install 'radiodiff[raytrace]' (LLVM is not needed for the scenes).",
    )
