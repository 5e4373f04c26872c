"""Draws the demo's flash sheets and hero pictures: `python3 tools/dev/art/draw.py` rewrites them in place.

Standard library only and seeded, so that a second run changes nothing.
"""

import pathlib
import sys

import carpe
import dague
import heros
import hirondelle
import lune
import paume
import phalene
import pivoine
import serpent

SITE = pathlib.Path(__file__).resolve().parents[3] / "frontend" / "public"
LIMIT = 12_000
SHEETS = {
    "flash/hirondelle": hirondelle.sheet,
    "flash/pivoine": pivoine.sheet,
    "flash/phalene": phalene.sheet,
    "flash/lune": lune.sheet,
    "flash/main": paume.sheet,
    "flash/dague": dague.sheet,
    "flash/serpent": serpent.sheet,
    "flash/carpe": carpe.sheet,
    "hero/lea-marchetti": heros.lea,
    "hero/noa-keller": heros.noa,
}


def main():
    wanted = sys.argv[1:]
    for target, draw in SHEETS.items():
        if wanted and not any(w in target for w in wanted):
            continue
        svg = draw().svg()
        size = len(svg.encode())
        file = SITE / f"{target}.svg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(svg, encoding="utf-8")
        print(f"{target}.svg {size}")
        if size > LIMIT:
            raise SystemExit(f"{target}.svg is larger than {LIMIT} bytes")


if __name__ == "__main__":
    main()
