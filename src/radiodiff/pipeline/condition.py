"""Conditions of scenes: what a data set gives for its examples, for any buildings and transmitter.

Images of buildings and cars in RadioMapSeer's layout stand half a cell beside the gains (docs/decisions/002), and a
network has learnt them so: here they are drawn by the rule of the images, everything else in the frame of the gains.
Geometry channels are those of the data sets: without cars, and for the carrier that a transmitter has by default.
"""

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radiodiff.encoding import HEIGHT_CHANNELS, Encoding, encode_geometry
from radiodiff.errors import ConfigError, InputError, RadiodiffWarning, SceneError
from radiodiff.formats import CAR_PNG_SAMPLE_OFFSET, PNG_SAMPLE_OFFSET
from radiodiff.formats.radiomapseer_heights import roof_heights_grey
from radiodiff.grey_scale import RADIOMAPSEER_GREY
from radiodiff.pipeline.measurements import Measurements
from radiodiff.propagation import GEOMETRY_CHANNELS, RADIOMAPSEER_LAW, GeometrySolver
from radiodiff.scene import Footprint, Grid, Scene, Transmitter, rasterize

__all__ = ["MEASURED_CHANNELS", "SceneEncoder", "scene_condition"]

MEASURED_CHANNELS = ("measured_path_loss_db", "measurement_mask")
SCENE_CHANNELS = (
    *("buildings", "transmitter", "cars", *MEASURED_CHANNELS),
    *(*GEOMETRY_CHANNELS, "k2", *HEIGHT_CHANNELS),
)
"""Channels that follow from a scene, a transmitter and measurements."""

IMAGE_KINDS = ("radiomapseer", "edges")
"""Data sets whose masks are images in RadioMapSeer's layout."""

GeometryChannels = Mapping[str, NDArray[np.float32]]


class SceneEncoder:
    """Makes conditions for one model; transmitters on one scene, one after another, share its corner graph.

    Args:
        encoding: Channels of the model.
        data: Settings of the data set that it was trained on, as its record has them: what the channels `cars` and `k2`
            show.

    Raises:
        ConfigError: The model needs a channel that does not follow from a scene.
    """

    def __init__(self, encoding: Encoding, data: Mapping[str, Any]) -> None:
        self.encoding = encoding
        self._k2 = data.get("k2")
        self._third = data.get("cars_channel") or ("cars" if data.get("cars") else "empty")
        self._from_images = data.get("kind") in IMAGE_KINDS
        self._knows_unknown = bool(data.get("unknown_heights"))
        self._prepared: _Prepared | None = None
        self._warned: set[str] = set()
        missing = [name for name in encoding.names if name not in SCENE_CHANNELS]
        if missing:
            raise ConfigError(
                f"A scene gives the channels {', '.join(SCENE_CHANNELS)}",
                value=f"a model that needs {', '.join(missing)} of the data set {data.get('kind', '?')!r}",
                remedy="Encode its condition yourself and use pipeline.predict, or radiodiff sample on a data set.",
            )
        if "k2" in encoding.names and self._k2 not in ("log-distance", "dominant-path"):
            raise ConfigError(
                "The channel k2 of a scene is the curvature of the prediction 'log-distance' or 'dominant-path'",
                value=f"a model whose k2 was read from images ({self._k2})",
                remedy="Encode its condition yourself and use pipeline.predict, or radiodiff sample on a data set.",
            )

    @property
    def needs_measurements(self) -> bool:
        """Whether the model has a channel for measured points."""
        return bool(set(self.encoding.names) & set(MEASURED_CHANNELS))

    def check(self, scene: Scene, tx: Transmitter, measurements: Measurements | None) -> None:
        """Make sure that a condition can be made.

        Raises:
            SceneError: No cell of the scene is outside buildings.
            TransmitterError: The transmitter stands off the grid or inside a building.
            InputError: The model needs measurements and there are none, or a point is off the map or in a building.
        """
        if scene.buildings.all():
            raise SceneError(
                "A scene must have cells outside buildings",
                value=f"none of {scene.grid.rows} x {scene.grid.cols} cells",
                remedy="If free cells read as buildings, invert the layer (--invert).",
            )
        scene.check_transmitter(tx)
        if "building_height_m" in self.encoding.names and np.isnan(scene.roof_height_m).any():
            seen = "it was trained with such" if self._knows_unknown else "it has seen none in its training"
            self._warn("heights", f"Some buildings have no height: the model takes them for unknown, {seen}.")
        if measurements is not None:
            measurements.check_on(scene.buildings)
            self._warn("range", measurements.far_from(self.encoding.target))
        elif self.needs_measurements:
            raise InputError(
                "This model must be given measurements: it was trained with measured points",
                value="none",
                remedy="Pass measurements=Measurements(cells, path_loss_db).",
            )
        has_channel = "cars" in self.encoding.names
        if scene.cars is not None and scene.cars.any() and not (has_channel and self._third == "cars"):
            why = f"its third channel is {self._third!r}" if has_channel else "it has no channel for them"
            self._warn("cars", f"The model does not see cars ({why}): those of the scene are left out.")

    def _warn(self, kind: str, text: str | None) -> None:
        """Warn the caller of who checks, of each kind once."""
        if text is not None and kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(text, RadiodiffWarning, stacklevel=4)

    def condition(self, scene: Scene, tx: Transmitter, measurements: Measurements | None = None) -> NDArray[np.float32]:
        """Condition (C, rows, cols) in [-1, 1] of a scene and a transmitter on it, in which `check` finds no fault."""
        if self._prepared is None or self._prepared.scene is not scene:
            self._prepared = _Prepared(scene, is_image=self._from_images)
        geometry = self._geometry(self._prepared, tx)
        names = self.encoding.names
        return np.stack([self._channel(name, self._prepared, tx, geometry, measurements) for name in names])

    def _channel(
        self,
        name: str,
        prepared: "_Prepared",
        tx: Transmitter,
        geometry: GeometryChannels,
        measurements: Measurements | None,
    ) -> NDArray[np.float32]:
        """An encoded channel (rows, cols)."""
        # Ranges are those that the model was trained with.
        channel = self.encoding.condition[self.encoding.names.index(name)]
        scene = prepared.scene
        empty = np.full(scene.grid.shape, -1.0, dtype=np.float32)
        if name == "buildings" or (name == "cars" and self._third == "buildings"):
            return channel.encode(prepared.buildings)
        if name == "cars":
            return channel.encode(prepared.cars) if self._third == "cars" else empty
        if name == "building_height_m":
            # In whole metres, as the images of the data sets hold them; what is not known is 0.
            return channel.encode(roof_heights_grey(np.nan_to_num(scene.roof_height_m)))
        if name == "transmitter_height_m":
            return channel.encode(np.full(scene.grid.shape, tx.height_m))
        if name == "transmitter":
            empty[tx.cell(scene.grid)] = 1.0
        elif name == "k2":
            return channel.encode(self._curvature(prepared, tx, geometry))
        elif name in geometry:
            outdoors = ~scene.buildings
            empty[outdoors] = channel.encode(geometry[name][outdoors])
        elif measurements is not None:
            row, col = measurements.cells.T
            empty[row, col] = channel.encode(measurements.path_loss_db) if name == "measured_path_loss_db" else 1.0
        return empty

    def _geometry(self, prepared: "_Prepared", tx: Transmitter) -> GeometryChannels:
        """Geometry channels by name; none where none is needed."""
        of_k2 = "dominant_path_gain_db" if "k2" in self.encoding.names and self._k2 == "dominant-path" else None
        names = [name for name in GEOMETRY_CHANNELS if name in self.encoding.names or name == of_k2]
        if not names:
            return {}
        # The height decides whether it may stand above a roof, and what goes over the roofs.
        plain = Transmitter(tx.x_m, tx.y_m, height_m=tx.height_m)
        return dict(zip(names, prepared.solver.channels(plain, names), strict=True))

    def _curvature(self, prepared: "_Prepared", tx: Transmitter, geometry: GeometryChannels) -> NDArray[np.float32]:
        # Here, not above: most models have no such channel, and need nothing of the data sets.
        from radiodiff.data.curvature import curvature_map
        from radiodiff.data.radiomapseer.geometry_cache import STEPS

        scene = prepared.scene
        cell = tx.cell(scene.grid)
        excluded = prepared.buildings.copy()
        excluded[cell] = True
        if self._k2 == "dominant-path":
            gain_db = geometry["dominant_path_gain_db"][None]
            encoded = encode_geometry(("dominant_path_gain_db",), gain_db, scene.buildings)[0]
            # In the steps of the data sets' cache, which the curvature is large enough to show.
            return curvature_map(np.rint((encoded + 1.0) * (STEPS / 2)) / STEPS, excluded)
        row, col = np.ogrid[: scene.grid.rows, : scene.grid.cols]
        distance_m = np.hypot(row - cell[0], col - cell[1]) * scene.grid.cell_size_m
        loss_db = RADIOMAPSEER_LAW.line_of_sight_loss_db(distance_m)
        return curvature_map(RADIOMAPSEER_GREY.to_level(loss_db, thresholded=False), excluded)


def scene_condition(
    encoding: Encoding,
    data: Mapping[str, Any],
    scene: Scene,
    tx: Transmitter,
    measurements: Measurements | None = None,
) -> NDArray[np.float32]:
    """Condition (C, rows, cols) in [-1, 1] of one scene and transmitter, see `SceneEncoder`.

    It is that of the data set's example in its own size, whatever `size` and `fit` of the settings.

    Raises:
        ConfigError: See `SceneEncoder`.
        InputError: See `SceneEncoder.check`; errors of scenes and transmitters are such errors.
    """
    encoder = SceneEncoder(encoding, data)
    encoder.check(scene, tx, measurements)
    return encoder.condition(scene, tx, measurements)


class _Prepared:
    """What transmitters on one scene share, made when it is asked for.

    Args:
        scene: The scene.
        is_image: Masks are drawn by the rules of RadioMapSeer's images.
    """

    def __init__(self, scene: Scene, *, is_image: bool) -> None:
        self.scene = scene
        self._is_image = is_image

    @cached_property
    def solver(self) -> GeometrySolver:
        return GeometrySolver(self.scene.without_cars())

    @cached_property
    def buildings(self) -> NDArray[np.bool_]:
        scene = self.scene
        if not self._is_image:
            return scene.buildings
        return _drawn(scene.grid, scene.outlines, PNG_SAMPLE_OFFSET)

    @cached_property
    def cars(self) -> NDArray[np.bool_]:
        scene = self.scene
        if scene.cars is None or not self._is_image:
            return np.zeros(scene.grid.shape, dtype=np.bool_) if scene.cars is None else scene.cars
        return _drawn(scene.grid, scene.car_outlines, CAR_PNG_SAMPLE_OFFSET)


def _drawn(grid: Grid, outlines: tuple[Footprint, ...], offset: tuple[float, float]) -> NDArray[np.bool_]:
    """Outlines as an image shows them."""
    return rasterize(grid, [outline.polygon for outline in outlines], sample_offset=offset)
