"""What training sees: windows of all packs in fixed shares, at scales of their own, changed at random."""

import json
from pathlib import Path

import numpy as np

from segmenter.data.augment import augmented
from segmenter.data.compose import bordered, pasted
from segmenter.data.windows import DUBAI_CLASSES, Labelled, Scenes, Source, Window, montage
from segmenter.language.bank import ISAID_OBJECTS

#: Packs whose labels are of pixels, and those whose labels are of whole scenes.
SCENE_PACKS = ("rsscn7", "aid")
#: Share of the windows from each source.
SHARES = {
    "isaid": 0.54, "dubai": 0.12, "epfl": 0.05, "eth": 0.045, "massachusetts": 0.04, "places": 0.05, "village": 0.03,
    "landsat": 0.03, "solar": 0.015, "green": 0.01, "scenes": 0.07,
}  # fmt: skip
#: Source pixels a window pixel (log-uniform range).
SCALES = {
    "isaid": (0.6, 1.25), "dubai": (0.45, 2.2), "epfl": (0.5, 1.04), "eth": (0.5, 1.04), "massachusetts": (0.45, 1.04),
    "places": (0.4, 1.3), "village": (0.8, 3.5), "landsat": (0.2, 0.33), "solar": (0.6, 1.6), "green": (0.4, 0.66),
}  # fmt: skip
#: Objects that no pixel of 30 m shows.
UNSEEN_AT_30_M = (
    "small_vehicle", "large_vehicle", "plane", "helicopter", "storage_tank", "swimming_pool", "tennis_court",
    "basketball_court", "baseball_diamond", "soccer_field", "running_track", "roundabout",
)  # fmt: skip
#: What the labels of each source speak of.
DECIDED: dict[str, tuple[str, ...]] = {
    "isaid": ISAID_OBJECTS, "dubai": DUBAI_CLASSES, "epfl": ("road",), "eth": ("road",), "massachusetts": ("road",),
    "places": ("building", "vegetation"), "village": ("building",),
    "landsat": ("water", "forest", "vegetation", "field", *UNSEEN_AT_30_M),
    "solar": ("solar_panel",), "green": ("vegetation",),
}  # fmt: skip
#: Share of the windows of a source that lie anywhere, not around a labelled pixel; what is not here has a twentieth.
ANYWHERE = {"isaid": 0.1, "massachusetts": 0.2, "village": 0.4, "landsat": 0.3, "solar": 0.2}
#: Share of a source's windows that are montages of four: more of the ground than one of its images shows, at half the size.
MONTAGES = {
    "isaid": 0.12, "dubai": 0.1, "epfl": 0.15, "eth": 0.15, "massachusetts": 0.1, "places": 0.2, "village": 0.0, "landsat": 0.0,
    "solar": 0.2, "green": 0.0, "scenes": 0.3,
}  # fmt: skip
#: Share of the windows of iSAID with a rare object laid in, and of all windows with a part without a picture.
PASTED_SHARE, BORDERED_SHARE = 0.3, 0.03
#: Places of false alarms that `segmenter mine` wrote beside the packs, and the share of a source's windows drawn around them.
FALSE_ALARMS_FILE, FALSE_ALARM_SHARE = "false_alarms.json", 0.12
#: By source and picture, (row, column) in px.
Places = dict[str, dict[str, list[tuple[int, int]]]]


class Mixture:
    """Random augmented windows of one split of the packs under `data`; of training also around mined false alarms."""

    def __init__(self, data: Path, side: int, split: str = "train") -> None:
        self.labelled = {
            name: Labelled(
                Source(data / name, split, keep=name != "isaid"), decided, SCALES[name], side, ANYWHERE.get(name, 0.05)
            )
            for name, decided in DECIDED.items()
        }
        self.alarms = _alarms(data) if split == "train" else {}
        self.scenes = Scenes([Source(data / name, split) for name in SCENE_PACKS], side)

    def draw(self, rng: np.random.Generator) -> Window:
        """One window."""
        name = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        source = self.scenes if name == "scenes" else self.labelled[name]
        if name in self.alarms and rng.random() < FALSE_ALARM_SHARE:
            window = self.labelled[name].draw_at(rng, self.alarms[name])
        elif rng.random() < MONTAGES[name]:
            window = montage([source.draw(rng) for _ in range(4)])
        else:
            window = source.draw(rng)
        if name == "isaid" and rng.random() < PASTED_SHARE:
            window = pasted(window, self.labelled[name], rng)
        window = augmented(window, rng)
        return bordered(window, rng) if rng.random() < BORDERED_SHARE else window


def _alarms(data: Path) -> Places:
    """The mined places of the sources that have some; none where nothing was mined."""
    path = data / FALSE_ALARMS_FILE
    if not path.is_file():
        return {}
    found: Places = json.loads(path.read_text(encoding="utf-8"))
    return {name: places for name, places in found.items() if places}
