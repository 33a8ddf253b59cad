"""Scenes and transmitters of the maps of a data set: what engines need, and what conditions are made of."""

from dataclasses import replace

from radiodiff.data.loader import Batch
from radiodiff.data.radiomapseer.dataset import RadioMapSeer
from radiodiff.data.radiomapseer.store import COMPLETE, RecentlyUsed
from radiodiff.scene import Grid, Scene, Transmitter

__all__ = ["MapScenes"]


class MapScenes:
    """Scenes with the buildings of a layer, cars where the targets have them, and transmitters as high as they stand.

    Scenes come from the outlines where the data set keeps them, with their heights, else from the images. Transmitters
    above the roof of a building that is left out stay where they are.

    Args:
        source: A data set in RadioMapSeer's layout, in the size of its files.
        layer: Its layer, such as "buildings_missing2/1".
    """

    def __init__(self, source: RadioMapSeer, layer: str = COMPLETE) -> None:
        self._source = source
        self._layer = layer
        self._scenes: RecentlyUsed[int, Scene] = RecentlyUsed(1)

    def scene(self, map_id: int) -> Scene:
        """Scene of a map; kept for the next transmitter on it.

        Raises:
            FormatError: Outlines are damaged.
        """
        return self._scenes.get(map_id, lambda: self._read(map_id))

    def transmitter(self, batch: Batch, i: int) -> Transmitter:
        """Transmitter of a map of a batch.

        Raises:
            TransmitterError: It stands inside a building.
        """
        store, map_id = self._source.store, int(batch.map_id[i])
        scene = self.scene(map_id)
        height_m = float(store.tx_heights_m(map_id)[int(batch.tx_id[i])])
        row, col = batch.tx[i].tolist()
        tx = Transmitter.at_cell(scene.grid, col, row, height_m=height_m, frequency_hz=store.frequency_hz)
        scene.check_transmitter(tx)
        return tx

    def _read(self, map_id: int) -> Scene:
        store = self._source.store
        scene = store.scene(self._layer, map_id)
        if scene is None:
            mask = store.mask(self._layer, map_id)
            scene = Scene(Grid(*store.shape, store.cell_size_m), mask, source=f"map {map_id}")
        if not self._source.config.cars:
            return scene
        return replace(scene, cars=store.mask("cars", map_id))
