"""A sleeping crescent moon, held by ferns and anemones."""

from pen import *

OUTER, R = (412, 344), 262
INNER, Q = (500, 292), 214


def crossing():
    """Where the two circles of the crescent meet."""
    v = sub(INNER, OUTER)
    d = length(v)
    a = (R * R - Q * Q + d * d) / (2 * d)
    h = math.sqrt(R * R - a * a)
    foot = add(OUTER, unit(v), a)
    return add(foot, left(unit(v)), h), add(foot, left(unit(v)), -h)


def frond(s, spine, size, count):
    """A fern: pinnae in pairs that shorten to the curled tip."""
    stem = sample(spine, count)
    s.ink(line(spine), 5)
    blades = []
    for i in range(2, count):
        ahead = unit(sub(stem[i], stem[i - 1]))
        reach = size * math.sin(math.pi * (0.16 + 0.84 * i / count)) ** 0.75 * (1 if i % 2 else 0.93)
        for k in (-1, 1):
            tip = add(add(stem[i], left(ahead), k * reach), ahead, reach * 0.55)
            blades.append(leaf(stem[i], tip, 17 * reach / size + 5, -k * 3))
    s.shape(blades, GREEN, 3.5)
    s.ink(line(spine), 3.5)


def anemone(s):
    """A flower with a dark heart, around the origin."""
    for i in range(6):
        a = 60 * i
        rim = [polar((0, 0), a + k * 26, 62 * f) for k, f in ((-1, 0.86), (-0.4, 1.03), (0.3, 0.97), (1, 0.86))]
        s.shape(smooth([polar((0, 0), a, 8), polar((0, 0), a - 26, 38), *rim, polar((0, 0), a + 26, 38)], True), PAPER, 4)
        s.fill([whip(polar((0, 0), a + 9 * k, 18), polar((0, 0), a + 8 * k, 46 - 7 * abs(k)), 5) for k in (-2, -1, 0, 1, 2)])
    s.ink(dots([polar((0, 0), 24 * i, 23) for i in range(15)]), 6)
    s.shape(circle((0, 0), 14), RED, 5)


def sheet():
    s = Sheet("Croissant et fougères")
    one, two = crossing()
    s.transform("translate(-14)")
    s.group("g")
    frond(s, [(470, 640), (566, 628), (664, 574), (720, 490), (732, 410), (706, 366)], 78, 18)
    s.end()
    s.use("g", "matrix(-.98 .16 .16 .98 808 -50)")
    s.end()
    s.shape(
        f"M{numbers(one)}A{R} {R} 0 1 0 {numbers(two)}A{Q} {Q} 0 1 1 {numbers(one)}z", PAPER, 6
    )
    # Engraving: short strokes from the outer rim, long ones where the moon is widest.
    strokes = []
    for a in range(-118, 128, 3):
        p = polar(OUTER, 149 + a, R - 3)
        depth = 62 * math.cos(math.radians(a * 0.72)) ** 1.5 * (1 if a % 2 else 0.62)
        strokes.append(whip(p, polar(OUTER, 149 + a, R - 3 - depth), 6))
    s.fill(strokes)

    def place(chance):
        t, a = chance.random() ** 1.7, chance.uniform(-98, 98)
        inner = polar(INNER, 149 + a, Q + 5)
        outer = polar(OUTER, 149 + a * 0.93, R - 60)
        p = mix(inner, outer, t * 0.75)
        return (p, 6 + 7 * t) if length(sub(p, INNER)) > Q + 6 and not (206 < p[0] < 290 and 262 < p[1] < 366) else None

    s.ink(dots(stipple(3, 290, place)), 4.5)
    # The sleeping eye, brow and lips, on the concave side.
    s.fill([arc((216, 318), (274, 326), -0.34, 9), arc((212, 284), (276, 286), 0.22, 8)])
    s.ink([line([p, q]) for p, q in (((222, 331), (213, 342)), ((235, 340), (229, 354)), ((249, 343), (248, 357)), ((263, 338), (268, 351)))], 3.5)
    # Stars hang from the upper horn.
    top = add(one, (4, 6))
    for x, drop, size in ((top[0] - 4, 96, 24), (top[0] - 58, 170, 17), (top[0] - 108, 84, 13)):
        y = top[1] if x > top[0] - 10 else INNER[1] - math.sqrt(Q * Q - (x - INNER[0]) ** 2)
        s.ink(line([(x, y), (x, y + drop)]), 2)
        s.fill(star((x, y + drop + size * 0.6), size))
    s.parts.append("<defs>")
    s.group("n")
    anemone(s)
    s.end()
    s.parts.append("</defs>")
    for how in ("translate(330 640)scale(1.05)", "translate(452 652)rotate(20)scale(1.25)", "translate(232 590)rotate(40)scale(.8)", "translate(560 622)rotate(10)scale(.78)"):
        s.use("n", how)
    s.fill([star((120, 110), 20), star((672, 250), 13), star((690, 120), 22)])
    s.ink(dots([(90, 170), (164, 76), (640, 80), (734, 160), (400, 762), (350, 744), (450, 748)]), 8)
    return s
