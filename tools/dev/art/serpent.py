"""A snake that crosses over itself, tongue out."""

import lune
from pen import *

SPINE = [
    (506, 132), (420, 92), (310, 116), (206, 204), (176, 330), (262, 432), (420, 466), (574, 516), (644, 616),
    (572, 712), (412, 734), (292, 668), (284, 552), (376, 446), (486, 356), (588, 290),
]
STEPS = 132


def girth(t):
    """The snake's width along its length: a whip of a tail, a heavy middle, a neck."""
    return 5 + 84 * min(1, (t / 0.42)) ** 0.8 - 30 * max(0, (t - 0.72) / 0.28) ** 1.4


def across(line, out, i, k):
    return add(line[i], out[i], k * girth(i / STEPS))


def stretch(s, line, out, first, last, halo=()):
    """The body between two cross sections; `halo` names those where it passes over itself."""
    ids = list(range(first, last + 1, 5))
    if ids[-1] != last:
        ids.append(last)
    edge = lambda k: [across(line, out, i, k) for i in ids]

    def strip(k, j):
        one, other = edge(k), edge(j)[::-1]
        path = Path(0).move(one[0])
        for a, b, p in through(one):
            path.cubic(a, b, p)
        path.line(other[0])
        for a, b, p in through(other):
            path.cubic(a, b, p)
        return path.close().d

    if halo:
        ids, body = halo, ids
        s.fill(strip(0.64, -0.64), PAPER)
        ids = body
    s.shape(strip(-0.5, 0.5), GREEN, 6)
    s.shape(strip(0.2, 0.47), PAPER, 2.5)
    scutes, blotches, sparks, shade = [], [], [], []
    for i in range(first, last):
        t = i / STEPS
        if i % 2 == 0 and t > 0.05:
            scutes.append(Path(0).move(across(line, out, i, 0.2)).quad(across(line, out, min(i + 2, last), 0.36), across(line, out, i, 0.47)).d)
        if i % 6 == 3 and t > 0.04 and first + 2 <= i <= last - 2:
            size = min(3, i, STEPS - i)
            blotches.append(
                Path(0).move(across(line, out, i - size, -0.15)).quad(across(line, out, i - 1, -0.2), across(line, out, i, -0.46))
                .quad(across(line, out, i + 1, -0.2), across(line, out, i + size, -0.15))
                .quad(across(line, out, i + 1, 0.0), across(line, out, i, 0.17)).quad(across(line, out, i - 1, 0.0), across(line, out, i - size, -0.15)).close().d
            )
            if t > 0.16:
                sparks.append(across(line, out, i, -0.14))
        if i % 6 in (0, 1, 5) and t > 0.1:
            shade.append(whip(across(line, out, i, -0.49), across(line, out, i, -0.26), 5))
    s.ink(scutes, 2.5)
    s.fill(blotches + shade)
    s.ink(dots(sparks), 11, OCHRE)


def head(s):
    """The head, pointing right from the origin."""
    s.ink("M96 2Q130-6 148-2M146-2Q164-18 182-20M146-2Q166 4 178 18", 5, RED)
    s.shape(smooth([(-16, -26), (10, -38), (40, -44), (72, -30), (98, -12), (104, 2), (94, 14), (66, 28), (36, 38), (8, 34), (-16, 25)], True), GREEN, 6)
    s.fill(smooth([(-12, 20), (20, 22), (58, 14), (100, 4), (94, 14), (66, 28), (36, 36), (8, 33), (-10, 25)], True), PAPER)
    s.ink("M104 3Q70 8 52 16T14 22", 4)
    s.fill([whip((16 + 11 * i, 33 - 1.2 * i), (18 + 11 * i, 24 - 1.6 * i), 4) for i in range(6)])
    s.fill(smooth([(-18, -12), (6, -20), (26, -12), (10, -4), (-18, 0)], True))
    s.fill([whip((4 + 12 * i, -37 + abs(i - 2.6) * 1.6), (8 + 12 * i, -26), 5) for i in range(6)])
    s.shape(circle((50, -14), 11), OCHRE, 4)
    s.fill("M50-24q5 10 0 20q-5-10 0-20z")
    s.fill(arc((34, -24), (66, -24), 0.3, 6))
    s.fill(circle((90, -6), 2.5))


def sheet():
    s = Sheet("Serpent lové")
    line = sample(SPINE, STEPS)
    out = [(-x, -y) for x, y in normals(line)]
    s.parts.append("<defs>")
    s.group("n")
    lune.anemone(s)
    s.end()
    s.parts.append("</defs>")
    stretch(s, line, out, 0, 101)
    stretch(s, line, out, 97, STEPS, range(106, 127, 4))
    angle = math.degrees(math.atan2(line[-1][1] - line[-3][1], line[-1][0] - line[-3][0]))
    s.transform(f"translate({number(line[-1][0])} {number(line[-1][1])})rotate({number(angle)})scale(1.12)")
    head(s)
    s.end()
    for how in ("translate(610 446)scale(1.02)", "translate(282 652)rotate(24)scale(1.1)", "translate(196 606)rotate(12)scale(.7)"):
        s.use("n", how)
    s.fill([star((120, 120), 22), star((690, 130), 18), star((130, 690), 20), star((330, 280), 14), star((462, 604), 14)])
    s.ink(dots([(84, 180), (164, 76), (640, 100), (84, 640), (180, 730), (372, 250), (300, 330), (420, 560), (500, 640), (700, 720)]), 8)
    return s
