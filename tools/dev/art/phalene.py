"""A night moth with open wings; one half is drawn, the other is its mirror."""

from pen import *

FORE = [(414, 318), (470, 246), (548, 180), (650, 132), (752, 122), (738, 176), (700, 232), (676, 300), (668, 372), (600, 398), (520, 400), (424, 392)]
HIND = [(416, 384), (500, 392), (590, 400), (658, 430), (676, 490), (650, 548), (610, 574), (586, 640), (560, 660), (536, 612), (486, 584), (440, 520), (414, 450)]


def wing(s, name, outline, root, tint, bands):
    """The wing and, drawn in towards its root, the bands of its pattern."""
    s.parts.append(f'<defs><path id="{name}" stroke="{INK}" stroke-width="5" d="{smooth(outline, True, 0)}"/></defs>')
    s.parts.append(f'<use href="#{name}" fill="{tint}"/>')
    for scale, colour in bands:
        x, y = (number(c * (1 - scale)) for c in root)
        k = number(scale, 2)
        s.parts.append(f'<use href="#{name}" fill="{colour}" transform="matrix({k} 0 0 {k} {x} {y})"/>')


def eyespot(s, c, r, lid):
    s.shape(circle(c, r), INK, 3)
    s.fill(circle(c, r * 0.76), lid)
    s.fill(circle(c, r * 0.5))
    s.fill(f"M{numbers(add(c, (-r * 0.1, -r * 0.38)))}a{number(r * 0.4)} {number(r * 0.4)} 0 0 1 0 {number(r * 0.76)}a{number(r * 0.62)} {number(r * 0.62)} 0 0 0 0 {number(-r * 0.76)}z", PAPER)


def sheet():
    s = Sheet("Phalène de nuit")
    s.group("h")
    # Hind wing under the fore wing.
    root = (416, 400)
    wing(s, "k", HIND, root, OCHRE, ((0.9, INK), (0.84, PAPER), (0.52, RED)))
    edge = sample(HIND[3:11], 15)
    s.ink(dots([mix(root, p, 0.95) for p in edge]), 7)
    s.fill([whip(mix(root, p, 0.84), mix(root, p, 0.6), 9) for p in edge])
    s.fill([whip(mix(root, p, 0.1), mix(root, p, 0.5), 8) for p in sample(HIND[1:12], 11)])
    eyespot(s, (562, 500), 38, OCHRE)
    root = (414, 330)
    wing(s, "f", FORE, root, PAPER, ((0.9, INK), (0.85, OCHRE), (0.72, INK), (0.69, PAPER), (0.3, RED)))
    edge = sample(FORE[4:11], 19)
    s.fill([whip(mix(root, p, 0.995), mix(root, p, 0.915), 9) for p in edge])
    s.fill([whip(mix(root, p, 0.85), mix(root, p, 0.74), 8) for p in edge])
    s.fill([whip(mix(root, p, 0.69), mix(root, p, 0.5), 8) for p in edge[::2]])
    s.fill([whip(mix(root, p, 0.08), mix(root, p, 0.52), 8) for p in sample(FORE[1:11], 10)])
    # The leading edge, dark and barred.
    lead = sample(FORE[:5], 24)
    inner = [add(p, (8 * math.sin(math.pi * i / 24), 30 * math.sin(math.pi * i / 24) ** 0.7)) for i, p in enumerate(lead)]
    s.fill(smooth(lead[::4] + inner[::-4][1:-1], True))
    s.ink([line([mix(lead[i], inner[i], 0.25), mix(lead[i], inner[i], 0.8)]) for i in range(5, 22, 2)], 3.5, PAPER)
    eyespot(s, (588, 288), 48, RED)
    s.ink([line([polar((588, 288), a, 54), polar((588, 288), a, 62)]) for a in range(0, 360, 20)], 3)
    # Feathered antenna.
    stem = sample([(408, 226), (424, 176), (466, 118), (536, 82)], 16)
    s.fill(swell([(408, 226), (424, 176), (466, 118), (536, 82)], 6, 6, lambda t: 1 - 0.7 * t))
    combs = []
    for i in range(2, 17):
        direction = unit(sub(stem[i], stem[i - 1]))
        size = 34 * math.sin(math.pi * (i - 1) / 16.5) ** 0.8 + 3
        for k in (-1, 1):
            combs.append(line([stem[i], add(add(stem[i], left(direction), k * size), direction, size * 0.7)]))
    s.ink(combs, 3)
    s.end()
    s.mirror("h")
    # Abdomen, furred thorax, head.
    s.shape(smooth([(400, 372), (430, 396), (436, 450), (428, 510), (414, 566), (400, 596), (386, 566), (372, 510), (364, 450), (370, 396)], True), OCHRE, 5)
    for i in range(6):
        y, w = 424 + i * 26, 35 - i * 4.2
        s.fill(smooth([(400 - w, y - 4), (400, y + 9), (400 + w, y - 4), (400 + w * 0.94, y + 5), (400, y + 20), (400 - w * 0.94, y + 5)], True))
    s.shape(smooth([(400, 252), (436, 270), (452, 318), (446, 370), (424, 404), (400, 412), (376, 404), (354, 370), (348, 318), (364, 270)], True), INK, 5)
    fur = []
    for ring, (radius, count, size) in enumerate(((20, 12, 24), (36, 18, 22), (50, 22, 16))):
        for i in range(count):
            a = 360 / count * (i + 0.5 * (ring % 2))
            p = polar((400, 332), a, radius)
            fur.append(whip((p[0] * 0.82 + 72, p[1] + 8), ((polar((400, 332), a, radius + size)[0]) * 0.82 + 72, polar((400, 332), a, radius + size)[1] + 8), 5))
    s.fill(fur, PAPER)
    s.shape(smooth([(400, 216), (422, 226), (428, 248), (414, 268), (400, 272), (386, 268), (372, 248), (378, 226)], True), INK, 4)
    s.fill([circle((417, 240), 5), circle((383, 240), 5)], RED)
    # A moon that waxes over it and wanes under it.
    s.fill("M430 40a34 34 0 1 1-60 0a40 40 0 0 0 60 0z")
    s.fill([star((210, 60), 15), star((590, 60), 15), star((400, 716), 26), star((150, 636), 15), star((650, 636), 15)])
    s.ink(dots([(150, 90), (650, 90), (352, 690), (448, 690), (330, 728), (470, 728), (112, 600), (688, 600), (190, 690), (610, 690)]), 8)
    return s
