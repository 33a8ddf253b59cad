"""Triangle meshes of cities: PLY, OBJ, STL and OFF files, and the scene files of Mitsuba that name them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from radiodiff.errors import FormatError, SceneError
from radiodiff.formats.checks import check_file

__all__ = ["MESH_SUFFIXES", "SurfaceMesh", "read_meshes"]

MESH_SUFFIXES = (".ply", ".obj", ".stl", ".off", ".xml")
"""What `read_meshes` reads; `.xml` is a scene file of Mitsuba."""

MERGE_M = 1e-3
"""Vertices closer than this are one: files without shared vertices repeat them for each face."""


@dataclass(frozen=True, eq=False)
class SurfaceMesh:
    """One object of a scene as triangles, z up.

    Attributes:
        name: Its name in the file.
        vertices_m: (n, 3) float64, x right, y up (north), z above the datum [m].
        faces: (m, 3) int64, indices of vertices.

    Raises:
        SceneError: The arrays have other shapes, a vertex is not finite, or a face names none.
    """

    name: str
    vertices_m: NDArray[np.float64] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        vertices_m, faces = self.vertices_m, self.faces
        is_table = vertices_m.ndim == 2 and vertices_m.shape[1] == 3 and faces.ndim == 2 and faces.shape[1] == 3
        if not (is_table and np.isfinite(vertices_m).all()):
            raise SceneError(
                "A mesh must have finite vertices (n, 3) and triangles (m, 3)",
                value=f"vertices {vertices_m.shape}, faces {faces.shape} in {self.name!r}",
                remedy="Export the mesh again, as triangles.",
            )
        if faces.size and not (faces.min() >= 0 and faces.max() < len(vertices_m)):
            raise SceneError(
                f"The faces of a mesh must name its vertices, 0..{len(vertices_m) - 1}",
                value=f"{int(faces.min())}..{int(faces.max())} in {self.name!r}",
                remedy="Export the mesh again.",
            )

    @property
    def corners_m(self) -> NDArray[np.float64]:
        """Corners of the triangles, (m, 3, 3) [m]."""
        corners: NDArray[np.float64] = self.vertices_m[self.faces]
        return corners

    def merged(self) -> "SurfaceMesh":
        """The same surface with each position once."""
        lattice = np.rint(self.vertices_m / MERGE_M).astype(np.int64)
        _, first, index = np.unique(lattice, axis=0, return_index=True, return_inverse=True)
        return SurfaceMesh(self.name, self.vertices_m[first], index.reshape(-1)[self.faces])

    def parts(self) -> "list[SurfaceMesh]":
        """The pieces of the surface that share no vertex, in the order of their first faces."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        mesh = self.merged()
        links = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
        size = len(mesh.vertices_m)
        graph = coo_matrix((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(size, size))
        _, labels = connected_components(graph, directed=False)
        labels = labels[mesh.faces[:, 0]]
        order = np.argsort(labels, kind="stable")
        blocks = np.split(mesh.faces[order], np.flatnonzero(np.diff(labels[order])) + 1)
        return [_compact(f"{self.name}.{number}", mesh.vertices_m, faces) for number, faces in enumerate(blocks)]


def read_meshes(path: str | Path) -> list[SurfaceMesh]:
    """Objects of a mesh file, z up.

    The parts of one building in a Mitsuba scene, `NAME-wall` and `NAME-roof`, become one object. A file that holds a
    single object is split where its surfaces share no vertex.

    Args:
        path: A file that ends in one of `MESH_SUFFIXES`; in metres.

    Raises:
        FormatError: The file, or one it names, is not readable, or holds no triangle; trimesh is not installed.
        SceneError: A mesh is damaged.
    """
    file = check_file(path)
    suffix = file.suffix.lower()
    if suffix not in MESH_SUFFIXES:
        raise FormatError(
            f"A mesh file must end in {', '.join(MESH_SUFFIXES)}", value=file, remedy="Convert it to one of these."
        )
    meshes = _read_mitsuba(file) if suffix == ".xml" else _read_with_trimesh(file)
    meshes = [mesh for mesh in meshes if len(mesh.faces)]
    if not meshes:
        raise FormatError(
            "A mesh file must hold triangles",
            value=f"{file} without one",
            remedy="Export the surfaces of the buildings.",
        )
    return meshes[0].parts() if len(meshes) == 1 else meshes


def _read_mitsuba(file: Path) -> list[SurfaceMesh]:
    """Objects of a Mitsuba scene file; the parts of one building come together."""
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise FormatError(
            "A scene file of Mitsuba must be XML", value=f"{file} ({error})", remedy="It is damaged: copy it again."
        ) from error
    buildings: dict[str, list[SurfaceMesh]] = {}
    for shape in root.iter("shape"):
        named = shape.find("string[@name='filename']")
        if shape.get("type") not in ("ply", "obj") or named is None or shape.find("transform") is not None:
            raise FormatError(
                "The shapes of a Mitsuba scene must be mesh files (ply, obj) without a transform",
                value=f"{shape.get('id')!r} of type {shape.get('type')!r} in {file}",
                remedy="Export the scene with its meshes in place.",
            )
        mesh_file = check_file(file.parent / str(named.get("value")))
        # Walls and roof of a building: NAME-wall.ply and NAME-roof.ply, or NAME-itu_marble.ply and so on.
        buildings.setdefault(mesh_file.stem.rpartition("-")[0] or mesh_file.stem, []).extend(
            _read_with_trimesh(mesh_file)
        )
    return [_joined(name, parts) for name, parts in buildings.items()]


def _read_with_trimesh(file: Path) -> list[SurfaceMesh]:
    try:
        import trimesh
    except ImportError as error:
        raise FormatError(
            "Meshes need the package trimesh",
            value="not installed",
            remedy="Install it: pip install 'radiodiff[raytrace]'.",
        ) from error
    try:
        # Without processing: vertices keep their places, whatever the format shares among faces.
        loaded: Any = trimesh.load(str(file), process=False, maintain_order=True, skip_materials=True)
        found = list(loaded.geometry.items()) if hasattr(loaded, "geometry") else [(file.stem, loaded)]
        meshes = [(str(name), mesh.vertices, mesh.faces) for name, mesh in found if hasattr(mesh, "faces")]
    except Exception as error:  # trimesh has no error of its own: what a damaged file raises depends on the damage.
        raise FormatError(
            f"A file that ends in {file.suffix} must be a mesh that trimesh reads",
            value=f"{file} ({type(error).__name__}: {error})",
            remedy="It is damaged or of another format: export it again.",
        ) from error
    return [
        SurfaceMesh(name, np.asarray(vertices, dtype=np.float64), np.asarray(faces, dtype=np.int64))
        for name, vertices, faces in meshes
    ]


def _joined(name: str, parts: list[SurfaceMesh]) -> SurfaceMesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(part.vertices_m) for part in parts[:-1])])
    return SurfaceMesh(
        name,
        np.concatenate([part.vertices_m for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
    )


def _compact(name: str, vertices_m: NDArray[np.float64], faces: NDArray[np.int64]) -> SurfaceMesh:
    """A mesh of some faces, without the vertices that none of them uses."""
    used, index = np.unique(faces, return_inverse=True)
    return SurfaceMesh(name, vertices_m[used], index.reshape(-1, 3))
