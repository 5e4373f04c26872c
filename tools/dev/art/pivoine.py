"""A peony wide open, on its leaves."""

from pen import *

CENTRE = (404, 352)


def petal(s, chance, reach, spread, lobes, shade, colour):
    """A petal that points up from the heart: a narrow foot, a ruffled rim, lines along its hollow."""
    foot = polar(CENTRE, -90, reach * 0.12)
    rim = []
    for i in range(lobes * 2 + 1):
        swing = i / lobes - 1
        out = reach * (1 - 0.15 * swing * swing) * (1 + (0.04 if i % 2 else -0.05) + chance.uniform(-0.02, 0.02))
        rim.append(polar(CENTRE, -90 + swing * spread * 0.5, out))
    side = [polar(CENTRE, -90 + k * spread * f, reach * r) for k in (-1, 1) for f, r in ((0.22, 0.34), (0.47, 0.66))]
    s.shape(smooth([foot, side[0], side[1], *rim, side[3], side[2]], True), colour, 4.5)
    strokes = []
    for i in range(-5, 6):
        start = polar(CENTRE, -90 + i * spread * 0.055, reach * 0.3)
        end = polar(CENTRE, -90 + i * spread * 0.085, reach * (shade - 0.03 * abs(i) + chance.uniform(-0.05, 0.05)))
        strokes.append(whip(start, end, 9, 0.03 * i / 5))
    s.fill(strokes)
    for k, f in ((-0.3, 0.8), (-0.1, 0.86), (0.12, 0.84), (0.3, 0.8)):
        s.fill(whip(polar(CENTRE, -90 + k * spread, reach * (f + 0.08)), polar(CENTRE, -90 + k * spread * 0.95, reach * (f - 0.1)), 4))


def foliage(s):
    """A leaf that points right: one half in shadow, veins cut out of it."""
    s.shape(smooth([(0, 0), (60, -40), (140, -56), (220, -36), (300, 14), (210, 34), (130, 42), (56, 30)], True), GREEN, 4.5)
    s.fill(smooth([(0, 0), (90, -6), (190, -8), (300, 14), (210, 34), (130, 42), (56, 30)], True))
    s.fill([whip((30 + 44 * i, -4), (74 + 46 * i, -33 + abs(i - 1.6) * 8), 5, 0.1) for i in range(5)])
    s.fill([whip((30 + 44 * i, 0), (76 + 45 * i, 26 - abs(i - 2) * 4), 5, -0.1) for i in range(5)], GREEN)


def sheet():
    s, chance = Sheet("Pivoine ouverte"), random.Random(11)
    s.parts.append("<defs>")
    for name, reach, spread, lobes, shade, colour in (
        ("a", 272, 66, 4, 0.95, "#efd9c4"), ("b", 254, 62, 3, 0.95, "#efd9c4"), ("c", 208, 78, 4, 0.9, "#e2ab98"),
        ("d", 196, 74, 3, 0.9, "#e2ab98"), ("e", 142, 90, 3, 0.8, "#cc705e"),
    ):
        s.group(name)
        petal(s, chance, reach, spread, lobes, shade, colour)
        s.end()
    s.group("l")
    foliage(s)
    s.end()
    s.parts.append("</defs>")
    s.fill(swell([(410, 560), (424, 640), (404, 706), (380, 770)], 15, profile=lambda t: 1 - 0.5 * t))
    for how in (
        "translate(470 540)rotate(28)", "translate(330 540)rotate(152)scale(1 -1)",
        "translate(424 590)rotate(56)scale(.72)", "translate(400 600)rotate(130)scale(.72 -.72)",
        "translate(560 290)rotate(-28)scale(.72)", "translate(250 290)rotate(-152)scale(.72 -.72)",
    ):
        s.use("l", how)
    for ring, first, step in (("abababa", 12, 51.4), ("cdccdc", 40, 60), ("eeeee", 6, 72)):
        for i, name in enumerate(ring):
            s.use(name, f"rotate({number(first + step * i)} {CENTRE[0]} {CENTRE[1]})")
    # The heart: a ring of stamens around three carpels.
    s.fill(circle(CENTRE, 58))
    rays = [(polar(CENTRE, a, 18), polar(CENTRE, a + 4, 48 if a % 40 else 40)) for a in range(0, 360, 20)]
    s.ink([line(r) for r in rays], 2.5, OCHRE)
    s.ink(dots([q for _, q in rays]), 9, OCHRE)
    s.shape(circle(CENTRE, 19), RED, 4)
    s.ink([line([polar(CENTRE, a, 4), polar(CENTRE, a, 14)]) for a in (30, 150, 270)], 3)
    s.fill([star((116, 110), 22), star((690, 106), 16)])
    s.ink(dots([(156, 70), (80, 160), (650, 70), (730, 146)]), 8)
    return s
