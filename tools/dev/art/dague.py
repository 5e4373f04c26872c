"""A dagger through a ribbon, in the American tradition."""

from pen import *

DEEP = "#8c2f22"


def band(s, top, height, colour, hatch, fork=0):
    """A stretch of ribbon hung from `top`; `hatch` lists where its folds are in shadow
    (from, to, direction), `fork` how deep the right end is cut, or the left one when negative.
    """
    upper = sample(top, 7)
    lower = [add(p, (0, height)) for p in upper]
    path = Path().move(upper[0])
    for a, b, p in through(upper):
        path.cubic(a, b, p)
    if fork > 0:
        path.line(add(upper[-1], (-fork, height * 0.3)))
    path.line(lower[-1])
    for a, b, p in through(lower[::-1]):
        path.cubic(a, b, p)
    if fork < 0:
        path.line(add(upper[0], (-fork, height * 0.45)))
    s.shape(path.close().d, colour, 5.5)
    fine = sample(top, 60)
    strokes = []
    for start, stop, direction in hatch:
        for i in range(start, stop, 3):
            p = fine[i]
            deep = 1 - abs(i - (start if direction > 0 else stop)) / (stop - start)
            strokes.append(whip(add(p, (0, 2)), add(p, (direction * 6, height * (0.25 + 0.55 * deep))), 9))
            strokes.append(whip(add(p, (3, height - 2)), add(p, (direction * 6, height * (0.85 - 0.3 * deep))), 8))
    s.fill(strokes)


def sprig(s):
    """Three leaves on a stem, to the right of the grip."""
    s.fill(swell([(426, 288), (520, 232), (574, 168), (600, 96)], 8, 8, lambda t: 1 - 0.8 * t))
    for base, tip, width, bend in (((498, 246), (606, 262), 56, 8), ((544, 208), (662, 184), 58, 10), ((534, 214), (512, 118), 50, 8), ((584, 144), (640, 52), 46, 8), ((520, 232), (470, 172), 34, 4)):
        s.shape(leaf(base, tip, width, bend), GREEN, 4.5)
        n = left(unit(sub(tip, base)))
        s.fill(arc(base, mix(base, tip, 0.86), bend / 150, 6, 4))
        s.fill([whip(mix(base, tip, 0.14 + 0.17 * i), add(mix(base, tip, 0.3 + 0.17 * i), n, k * width * (0.24 - 0.035 * i)), 4) for i in range(4) for k in (-1, 1)])


def sheet():
    s = Sheet("Dague et ruban")
    s.group("h")
    sprig(s)
    s.end()
    s.mirror("h")
    # The far turn of the ribbon goes behind the blade.
    band(s, [(624, 424), (560, 486), (400, 496), (250, 512), (182, 566)], 58, DEEP, ((0, 26, 1), (36, 54, -1)))
    # Blade: the left half in the light, the right one black with a bright edge.
    s.shape("M354 330L348 470 356 600 400 748 444 600 452 470 446 330z", PAPER, 6)
    s.fill("M400 336L400 742 438 598 444 470 439 336z")
    s.fill([whip((353, 350 + 12 * i), (353 + 24 - 0.35 * i, 354 + 12 * i), 5) for i in range(21)])
    s.fill("M392 350h16l-4 190h-8z", PAPER)
    s.ink("M393 352l5 190M407 352l-5 190", 3.5)
    # Grip, wound with cord, and pommel with a stone.
    s.shape("M376 168Q368 240 378 296h44Q432 240 424 168z", OCHRE, 5.5)
    for i in range(7):
        y = 172 + 17 * i
        s.fill(smooth([(374, y + 10), (400, y + 2), (426, y - 6), (427, y + 1), (400, y + 10), (374, y + 17)], True))
    s.shape(smooth([(400, 84), (424, 94), (434, 120), (424, 146), (432, 160), (424, 172), (376, 172), (368, 160), (376, 146), (366, 120), (376, 94)], True), PAPER, 5.5)
    s.shape(circle((400, 120), 17), RED, 4.5)
    s.ink("M391 116q3-7 10-7", 3, PAPER)
    s.fill([star((400, 64), 15)])
    # Guard: two quillons that roll down at their ends.
    s.group("q")
    s.shape(smooth([(400, 290), (450, 292), (500, 284), (548, 282), (578, 304), (574, 338), (546, 350), (526, 332), (536, 314), (552, 318), (546, 308), (520, 312), (470, 330), (400, 336)], True), OCHRE, 5.5)
    s.fill([whip((416 + 12 * i, 333 - 1.2 * i), (414 + 12 * i, 314 - 1.0 * i), 5) for i in range(9)] + [whip((572, 300 + 9 * i), (556 - 2 * i, 302 + 7 * i), 5) for i in range(4)])
    s.end()
    s.mirror("q")
    s.shape(circle((400, 312), 17), RED, 5)
    s.ink("M391 308q3-6 9-7", 3, PAPER)
    # The near turns.
    band(s, [(120, 404), (200, 372), (290, 388), (400, 420), (520, 450), (624, 424)], 58, RED, ((24, 36, 1), (46, 57, -1)), -34)
    band(s, [(182, 566), (270, 604), (400, 590), (520, 570), (610, 588), (690, 634)], 58, RED, ((0, 14, 1), (25, 36, 1)), 36)
    # What the point has let go.
    s.shape("M400 756q-11 16 0 26q11-10 0-26z", RED, 3.5)
    s.fill([star((112, 640), 22), star((690, 470), 18), star((112, 250), 12), star((688, 250), 12)])
    s.ink(dots([(70, 590), (154, 690), (96, 560), (724, 420), (650, 500), (700, 560), (320, 730), (480, 730), (290, 690), (510, 690)]), 8)
    return s
