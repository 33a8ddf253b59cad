"""Make a data set of cities and radio maps in RadioMapSeer's layout on disk.

```
dataset.json                            settings: what makes two runs the same data set
split.json                              train, validation and test maps, 70/15/15; from three maps on
dataset.csv                             one row per radio map, written last
manifest.jsonl                          one line per map: checksums, seconds, noise, versions (see `manifest`)
antenna/<map>.json                      transmitters
polygon/{buildings_complete,cars}/<map>.json
png/{buildings_complete,cars}/<map>.png
png/antennas/<map>_<tx>.png
{polygon,png}/buildings_missing{1..4}/<variant>/<map>.{json,png}   where asked for (see `radiodiff.data.missing_layers`)
gain/{DPM,RL,RT,carsDPM}/<map>_<tx>.png raw grey
polygon/heights/<map>.json, png/heights/<map>.png, antenna_heights/<map>.json   with the scenarios street and rooftop
```

Every file is written under another name and moved into place, so a file that is there is whole (one of 0 bytes, which
a power cut can leave, counts as absent). A map is done when all its files are there; what is missing is made again,
from seeds that depend on the data set's seed and the map's number alone. The result therefore does not depend on the
workers nor on interruptions; the manifest alone holds times. One run at a time may work on a folder.
"""

from radiodiff.data.create.manifest import MANIFEST, read_manifest
from radiodiff.data.create.run import CreateReport, RunOptions, create_data_set
from radiodiff.data.create.scenarios import SCENARIOS, Scenario, draw_transmitters
from radiodiff.data.create.settings import RECORD, SIMULATIONS, CreateSettings, check_count, check_variants

__all__ = [
    "MANIFEST",
    "RECORD",
    "SCENARIOS",
    "SIMULATIONS",
    "CreateReport",
    "CreateSettings",
    "RunOptions",
    "Scenario",
    "check_count",
    "check_variants",
    "create_data_set",
    "draw_transmitters",
    "read_manifest",
]
