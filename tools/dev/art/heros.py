"""The two pictures at the top of the artists' pages: light lines on the page's own black."""

import carpe
import lune
import pivoine
from pen import *

NIGHT, CREAM, BRASS = "#12100e", "#eadbbf", "#d9a766"
AT_NIGHT = {PAPER: NIGHT, INK: CREAM, GREEN: "#26302a", OCHRE: BRASS, SKY: "#22343a", RED: "#a63d2a"}


class Night(Sheet):
    """A sheet whose inks are swapped for those that show on black."""

    def __init__(self, title):
        super().__init__(title, f'<path fill="{NIGHT}" d="M0 0h800v800H0z"/>')

    def svg(self):
        text = super().svg()
        for ink, light in AT_NIGHT.items():
            text = text.replace(ink, light)
        return text


def lea():
    s, chance = Night("Pivoine et fougères"), random.Random(5)
    c = pivoine.CENTRE
    s.ink(circle(c, 300), 2.5, OCHRE)
    s.ink(circle(c, 312), 1.2, OCHRE)
    s.fill([whip(polar(c, a, 322), polar(c, a, 352 if a % 15 == 0 else 336), 4) for a in range(0, 360, 5)], OCHRE)
    s.parts.append("<defs>")
    for name, reach, spread, lobes, shade, colour in (
        ("a", 206, 66, 4, 0.95, "#2a1c17"), ("c", 158, 78, 4, 0.9, "#4a251c"), ("e", 108, 90, 3, 0.8, "#7d3325"),
    ):
        s.group(name)
        pivoine.petal(s, chance, reach, spread, lobes, shade, colour)
        s.end()
    s.group("g")
    lune.frond(s, [(0, 0), (90, -34), (186, -50), (270, -30), (330, 14), (344, 66)], 84, 17)
    s.end()
    s.parts.append("</defs>")
    for how in (
        "translate(480 450)rotate(20)scale(.8)", "translate(328 450)rotate(160)scale(.8 -.8)", "translate(450 250)rotate(-46)scale(.8)", "translate(358 250)rotate(-134)scale(.8 -.8)",
        "translate(420 520)rotate(62)scale(.7)", "translate(388 520)rotate(118)scale(.7 -.7)", "translate(500 336)rotate(-10)scale(.8)", "translate(308 336)rotate(190)scale(.8 -.8)",
    ):
        s.use("g", how)
    for ring, first, step in (("aaaaaaa", 12, 51.4), ("cccccc", 40, 60), ("eeeee", 6, 72)):
        for i, name in enumerate(ring):
            s.use(name, f"rotate({number(first + step * i)} {c[0]} {c[1]})")
    s.fill(circle(c, 46), NIGHT)
    rays = [(polar(c, a, 15), polar(c, a + 4, 38 if a % 40 else 31)) for a in range(0, 360, 20)]
    s.ink([line(r) for r in rays], 2, OCHRE)
    s.ink(dots([q for _, q in rays]), 7, OCHRE)
    s.fill(circle(c, 13), RED)
    s.fill([star((80, 90), 20), star((728, 90), 20), star((404, 740), 22), star((70, 690), 14), star((738, 690), 14)], OCHRE)
    s.ink(dots([(48, 150), (130, 50), (678, 50), (760, 150), (364, 758), (444, 758), (110, 650), (698, 650)]), 6, OCHRE)
    return s


def noa():
    s = Night("Soleil et vagues")
    s.fill(circle((400, 330), 236), RED)
    # The sun is engraved: bands that thin towards its top.
    for i in range(9):
        y, h = 560 - 34 * i, 17 - 1.7 * i
        half = math.sqrt(max(0, 236**2 - (y - 330) ** 2)) + 8
        s.fill(f"M{numbers((400 - half, y))}h{number(2 * half)}v{number(-h)}h{number(-2 * half)}z", NIGHT)
    s.ink(circle((400, 330), 252), 2.5)
    s.fill([whip(polar((400, 330), a, 264), polar((400, 330), a, 296 if a % 12 == 0 else 278), 4) for a in range(150, 391, 6)])
    s.parts.append("<defs>")
    s.group("c")
    carpe.curl(s)
    s.end()
    s.group("o")
    for r, colour in ((58, PAPER), (43, SKY), (28, PAPER), (13, INK)):
        s.shape(circle((0, 0), r), colour, 3.5)
    s.end()
    s.group("r")
    for i in range(8):
        s.use("o", f"translate({-10 + 116 * i})")
    s.end()
    s.parts.append("</defs>")
    for how in (
        "translate(250 470)scale(1.5)", "translate(620 520)scale(-1.15 1.15)", "translate(80 600)scale(1.05)", "translate(730 600)scale(-1.05 1.05)",
        "translate(480 600)scale(1.1)", "translate(300 640)scale(-.85 .85)", "translate(640 660)scale(.8)", "translate(140 680)scale(-.7 .7)",
    ):
        s.use("c", how)
    for x, y in ((0, 742), (-58, 772), (0, 802)):
        s.use("r", f"translate({x} {y})")
    s.fill([star((680, 120), 16), star((730, 220), 10)])
    s.ink(dots([(640, 80), (740, 150), (90, 110), (60, 320), (744, 330)]), 6)
    return s
