"""Small cities as triangle meshes, and the files that hold them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Faces = list[list[tuple[float, float, float]]]
"""Triangles of one object, each three corners (x, y, z)."""


def polygon_faces(ring: Sequence[tuple[float, float, float]]) -> Faces:
    """A convex polygon as a fan."""
    return [[ring[0], ring[i], ring[i + 1]] for i in range(1, len(ring) - 1)]


def rectangle(x: float, y: float, width: float, depth: float) -> list[tuple[float, float]]:
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]


def walls(ring: Sequence[tuple[float, float]], bottom: float, top: float) -> Faces:
    faces: Faces = []
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        faces += polygon_faces([(x0, y0, bottom), (x1, y1, bottom), (x1, y1, top), (x0, y0, top)])
    return faces


def level(ring: Sequence[tuple[float, float]], z: float) -> Faces:
    return polygon_faces([(x, y, z) for x, y in ring])


def prism(ring: Sequence[tuple[float, float]], bottom: float, top: float) -> Faces:
    """A convex building: walls, roof and floor."""
    return walls(ring, bottom, top) + level(ring, top) + level(ring[::-1], bottom)


def slope(x: float, y: float, width: float, depth: float, grade: float) -> Faces:
    """Ground that climbs to the right from z = 0."""
    far = grade * width
    return polygon_faces([(x, y, 0.0), (x + width, y, far), (x + width, y + depth, far), (x, y + depth, 0.0)])


def write_obj(path: Path, objects: Mapping[str, Faces]) -> Path:
    """An OBJ file; each triangle has vertices of its own."""
    lines, count = [], 0
    for name, faces in objects.items():
        lines.append(f"o {name}")
        for corners in faces:
            lines += [f"v {x!r} {y!r} {z!r}" for x, y, z in corners]
            lines.append(f"f {count + 1} {count + 2} {count + 3}")
            count += 3
    path.write_text("\n".join(lines) + "\n")
    return path


def write_ply(path: Path, faces: Faces) -> Path:
    """A PLY file as text."""
    corners = np.array(faces).reshape(-1, 3)
    header = ["ply", "format ascii 1.0", f"element vertex {len(corners)}"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    body = [" ".join(map(str, corner)) for corner in corners.tolist()]
    body += [f"3 {3 * i} {3 * i + 1} {3 * i + 2}" for i in range(len(faces))]
    path.write_text("\n".join(header + body) + "\n")
    return path


def write_mitsuba(folder: Path, name: str, objects: Mapping[str, Faces]) -> Path:
    """A Mitsuba scene: an XML file and a PLY file for each object."""
    (folder / "meshes").mkdir(parents=True)
    shapes = []
    for key, faces in objects.items():
        write_ply(folder / "meshes" / f"{key}.ply", faces)
        shapes.append(
            f'<shape type="ply" id="mesh-{key}"><string name="filename" value="meshes/{key}.ply"/>'
            '<ref id="concrete" name="bsdf"/></shape>'
        )
    path = folder / f"{name}.xml"
    path.write_text('<scene version="2.1.0">\n' + "\n".join(shapes) + "\n</scene>\n")
    return path
