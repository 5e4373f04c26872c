"""A carp that leaps from the waves, before the sun."""

from pen import *

SPINE = [(196, 566), (190, 500), (206, 420), (256, 330), (340, 268), (436, 250), (528, 276), (596, 334)]
STEPS = 40


def girth(t):
    """Thin at the tail, heaviest before the middle, blunt at the head."""
    return 46 + 128 * math.sin(math.pi * min(1, 0.01 + t * 0.82)) ** 1.1 - 4 * t


def fan(s, root, tips, colour, waist=0.55, width=4.5):
    """A fin: rays from its root, the web between them scalloped."""
    rim = Path().move(root[0])
    rim.line(tips[0])
    for p, q in zip(tips, tips[1:]):
        rim.quad(mix(mix(p, q, 0.5), mix(root[0], root[1], 0.5), 0.14), q)
    rim.line(root[1]).close()
    s.shape(rim.d, colour, width)
    rays = []
    for i, tip in enumerate(tips[1:-1], 1):
        base = mix(root[0], root[1], i / (len(tips) - 1))
        rays.append(whip(mix(base, tip, 0.04), mix(base, tip, 0.94), 7))
        rays.append(whip(mix(base, mix(tip, tips[i - 1], 0.5), 0.1), mix(base, mix(tip, tips[i - 1], 0.5), waist), 6))
    s.fill(rays)


def curl(s):
    """The crest of a wave that breaks to the right, with its claws of foam."""
    s.shape("M-150 190C-130 60-70-20 20-34 76-42 120-10 122 34 122 66 98 88 70 86 48 84 36 66 44 50 16 54-6 84-4 122 0 160 30 186 70 200z", SKY, 6)
    s.fill("M-118 190C-96 80-44 14 24 4-16 34-46 84-44 134-42 160-30 180-16 192z")
    s.ink("M-84 190C-72 110-40 56 0 34M-60 190C-58 140-36 96-14 74", 4, SKY)
    s.shape("M20-34C76-42 120-10 122 34 122 66 98 88 70 86 48 84 36 66 44 50 52 62 66 64 76 56 88 46 84 26 66 18 44 8 8 14-20 32-10-4 4-26 20-34z", PAPER, 5)
    s.shape([circle(c, r) for c, r in (((124, 60), 12), ((98, 92), 11), ((66, 96), 9), ((134, 20), 9), ((148, 46), 6), ((128, 92), 6))], PAPER, 4)


def sheet():
    s = Sheet("Carpe et vague")
    s.fill(circle((424, 346), 268), RED)
    spine = sample(SPINE, STEPS)
    out = normals(spine)
    at = lambda i, k: add(spine[i], out[i], k * girth(i / STEPS))
    # Fins behind the body: tail, back, belly.
    fan(s, ((182, 560), (212, 560)), [(96, 470), (70, 540), (76, 612), (112, 668), (160, 640), (196, 606), (240, 640), (290, 652), (304, 600), (286, 552)], OCHRE)
    back = [at(i, 0.5) for i in (11, 29)]
    tips = [add(at(i, 0.5), turn(out[i], -24), h) for i, h in ((10, 40), (12, 74), (15, 96), (18, 104), (21, 98), (24, 84), (27, 60), (30, 24))]
    rim = Path().move(at(9, 0.4)).line(tips[0])
    for p, q in zip(tips, tips[1:]):
        rim.quad(add(mix(p, q, 0.5), out[18], -12), q)
    for i in (30, 24, 18, 12):
        rim.line(at(i, 0.4))
    s.shape(rim.close().d, OCHRE, 4.5)
    s.fill([whip(at(i, 0.48), mix(at(i, 0.48), tip, 0.92), 8) for i, tip in zip((11, 13, 16, 19, 22, 25, 28), tips)])
    fan(s, (at(14, -0.46), at(17, -0.46)), [(318, 486), (338, 512), (370, 508), (388, 482), (372, 444)], OCHRE)
    # Body.
    ids = list(range(0, STEPS + 1, 4))
    one, other = [at(i, 0.5) for i in ids], [at(i, -0.5) for i in ids][::-1]
    nose = [add(spine[-1], unit(sub(spine[-1], spine[-2])), 42)]
    body = smooth(one + [add(at(STEPS, 0.33), unit(sub(spine[-1], spine[-2])), 30)] + nose + [add(at(STEPS, -0.36), unit(sub(spine[-1], spine[-2])), 28)] + other, True)
    s.shape(body, PAPER, 6)
    # Saddles of colour, then scales over them.
    for i, k, size in ((9, 0.12, 40), (19, 0.16, 62), (28, 0.1, 44)):
        c = at(i, k)
        s.fill(smooth([polar(c, a, size * f) for a, f in ((0, 1), (50, 0.86), (100, 1.05), (150, 0.9), (200, 1.1), (255, 0.84), (310, 1))], True), "#d2622f")
    scales, marks = [], []
    for i in range(2, 31):
        for row in range(-3, 4):
            if (row + i) % 2:
                continue
            k = row * 0.122
            p, q = at(i, k + 0.114), at(i, k - 0.114)
            ahead = at(max(i - 2, 0), k)
            scales.append(Path(0).move(p).quad(add(ahead, sub(ahead, spine[i]), 0.0), q).d)
            marks.append(whip(at(i + 1, k), mix(at(i, k), at(i - 1, k), 0.35), 6))
    s.ink(scales, 2.5)
    s.fill(marks)
    # Head: gill, cheek, eye, barbels.
    gill = [at(32, 0.47), at(30, 0.2), at(30, -0.12), at(32, -0.46)]
    ahead = unit(sub(spine[-1], spine[-2]))
    side = left(ahead)
    s.shape(smooth(gill + [add(at(STEPS, -0.36), ahead, 26), add(nose[0], ahead, -4), add(at(STEPS, 0.33), ahead, 34), at(37, 0.47)], True), PAPER, 4)
    s.fill([whip(mix(gill[1], gill[2], t), add(mix(gill[1], gill[2], t), ahead, 26 - 14 * abs(t - 0.5)), 6) for t in (-0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)])
    c = at(35, 0.27)
    s.fill(smooth([polar(c, a, 30 * f) for a, f in ((0, 1.2), (60, 0.8), (120, 0.7), (180, 1), (240, 0.7), (300, 0.9))], True), "#d2622f")
    s.ink(smooth([at(36, -0.1), at(35, -0.3), at(36, -0.44)]), 3.5)
    eye = at(38, 0.1)
    s.shape(circle(eye, 15), OCHRE, 4.5)
    s.fill(circle(eye, 8))
    s.fill(circle(add(eye, (3, -3)), 2.5), PAPER)
    s.ink(smooth([add(nose[0], side, -6), add(add(nose[0], ahead, -16), side, -10), add(add(nose[0], ahead, -34), side, -4)]), 4)
    s.fill(circle(add(add(nose[0], ahead, -14), side, 12), 3))
    for k, far in ((-10, (700, 452)), (-20, (648, 484))):
        p = add(add(nose[0], ahead, -10), side, k)
        s.fill(brush(p, add(p, ahead, 40), add(far, (30, -20)), far, 7, 6))
    fan(s, (at(27, -0.3), at(30, -0.36)), [(430, 420), (424, 462), (446, 494), (482, 496), (512, 474), (526, 436)], OCHRE)
    # Waves.
    s.parts.append("<defs>")
    s.group("c")
    curl(s)
    s.end()
    s.group("o")
    for r, colour in ((58, PAPER), (43, SKY), (28, PAPER), (13, INK)):
        s.shape(circle((0, 0), r), colour, 4)
    s.end()
    s.group("r")
    for i in range(8):
        s.use("o", f"translate({-10 + 116 * i})")
    s.end()
    s.parts.append("</defs>")
    for how in ("translate(600 540)scale(.9)", "translate(190 640)scale(-.72 .72)", "translate(390 610)scale(.8)", "translate(720 640)scale(.7)", "translate(60 660)scale(.7)"):
        s.use("c", how)
    for x, y in ((0, 742), (-58, 772), (0, 802)):
        s.use("r", f"translate({x} {y})")
    s.fill([star((96, 110), 20), star((720, 110), 16)])
    s.ink(dots([(140, 80), (80, 170), (740, 170), (680, 76)]), 8)
    s.ink(dots([(300, 560), (330, 590), (250, 700), (470, 560), (560, 520)]), 12, PAPER)
    return s
