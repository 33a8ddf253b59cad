"""Engines by the name they have on the command line."""

from dataclasses import replace

from radiodiff.errors import PropagationError
from radiodiff.propagation.base import PropagationModel
from radiodiff.propagation.choice import choose
from radiodiff.propagation.dominant_path import DominantPath
from radiodiff.propagation.free_space import FreeSpace
from radiodiff.propagation.log_distance import LogDistance
from radiodiff.propagation.multi_wall import MultiWall
from radiodiff.propagation.over_roofs import OverRoofs
from radiodiff.propagation.presets import PRESETS
from radiodiff.propagation.ray_launching import RayLaunching
from radiodiff.propagation.ray_tracing import RayTracing
from radiodiff.propagation.umi import UrbanMicro

__all__ = ["ENGINES", "NO_MATERIAL", "make_engine", "with_materials"]

NO_MATERIAL = "none"
"""Name of the material of a ground that does not reflect."""

ENGINES: dict[str, type[PropagationModel]] = {
    kind.name: kind
    for kind in (DominantPath, FreeSpace, LogDistance, MultiWall, OverRoofs, RayLaunching, RayTracing, UrbanMicro)
}
"""Engine classes by name; each can be made without arguments."""


def make_engine(name: str, preset: str | None = None) -> PropagationModel:
    """The engine of a name, with its default constants or those of a preset.

    Args:
        name: Name of the engine.
        preset: Name of one of its presets, or None.

    Raises:
        PropagationError: There is no engine of that name, or it has no such preset.
    """
    kind = choose("An engine", name, ENGINES)
    if preset is None:
        return kind()
    if name not in PRESETS:
        raise PropagationError(
            f"A preset belongs to one of the engines {', '.join(sorted(PRESETS))}",
            value=f"{preset!r} of {name}",
            remedy="Leave the preset out.",
        )
    return choose(f"A preset of {name}", preset, PRESETS[name])


def with_materials(
    engine: PropagationModel, building: str | None = None, ground: str | None = None
) -> PropagationModel:
    """An engine with walls or ground of another material.

    Args:
        engine: The engine.
        building: Material of walls and roofs, or None to keep the engine's.
        ground: Material of the ground, "none" for no ground, or None to keep the engine's.

    Raises:
        PropagationError: The engine knows no materials, or its walls have a fixed loss, or there is no such material.
    """
    if building is None and ground is None:
        return engine
    if building == NO_MATERIAL:
        raise PropagationError(
            "Buildings must have a material", value=building, remedy="Only the ground can be left out."
        )
    if not isinstance(engine, RayLaunching | RayTracing):
        raise PropagationError(
            f"Materials belong to the engines {RayLaunching.name} and {RayTracing.name}",
            value=f"{', '.join(filter(None, (building, ground)))} for {engine.name}",
            remedy="Leave them out (--building-material, --ground-material).",
        )
    if building is not None and isinstance(engine, RayLaunching) and engine.settings.reflection_loss_db is not None:
        raise PropagationError(
            "Walls with a fixed loss for each reflection have no material",
            value=f"{building} with {engine.settings.reflection_loss_db:g} dB",
            remedy="Leave the material out (--building-material), or choose another preset.",
        )
    walls = building or engine.settings.building_material
    floor = engine.settings.ground_material if ground is None else ground
    floor = None if floor == NO_MATERIAL else floor
    if isinstance(engine, RayLaunching):
        return replace(engine, settings=replace(engine.settings, building_material=walls, ground_material=floor))
    return replace(engine, settings=replace(engine.settings, building_material=walls, ground_material=floor))
