"""A swallow, seen from above as it banks."""

from pen import *


def feather(sheet, base, tip, width, bend, dark):
    """One feather: its vane, its shaft, and the shade that runs out of its root."""
    sheet.shape(vane(base, tip, width, bend), PAPER, 3.5)
    n = left(unit(sub(tip, base)))
    sheet.fill(brush(base, add(mix(base, tip, 0.3), n, bend), add(mix(base, tip, 0.5), n, bend), mix(base, tip, dark), width * 0.9, width * 0.6))
    sheet.ink(Path().move(mix(base, tip, dark - 0.1)).quad(add(mix(base, tip, 0.75), n, bend), mix(base, tip, 0.93)).d, 2)


def sheet():
    s = Sheet("Hirondelle")
    s.transform("rotate(-38 400 400)translate(396 392)")
    s.group("w")
    for i in range(3, 0, -1):
        feather(s, (4 + i * 3, 100), (14 + i * 14, 196 + i * 14), 20, -3, 0.62)
    s.shape(smooth([(6, 104), (32, 200), (78, 296), (122, 380), (64, 300), (30, 210), (16, 150)], True), INK, 3)
    wrist, first, last = (150, -172), (394, 40), (148, 104)
    for i in range(9):
        t = i / 8
        base = mix(add(wrist, (22, 12)), (112, -90), t)
        tip = mix(mix(first, (256, 158), t), mix((256, 158), last, t), t)
        feather(s, base, tip, 36 - 6 * t, 13 - 12 * t, 0.56)
    for i in range(6):
        t = i / 5
        feather(s, mix((112, -92), (30, -60), t), mix((134, 86), (34, 70), t), 30, -2, 0.5)
    # The black arm first, the coverts on it.
    s.fill(smooth([(10, -118), (60, -140), (110, -178), (152, -196), (196, -176), (262, -120), (336, -40), (262, -78), (200, -60), (120, -54), (60, -40), (12, -64)], True))
    for count, size, drop, lift in ((8, 30, 40, 22), (6, 24, 26, 2)):
        for i in range(count):
            t = i / (count - 1)
            p = bezier((190 + lift * 1.6, -106), (160, -120), (92, -96), (36, -66), t)
            p = add(p, (0, lift - 22))
            q = add(p, (15 - 12 * t, drop))
            s.shape(vane(p, q, size), PAPER, 3)
            s.ink(line([p, mix(p, q, 0.6)]), 2.5)
    s.ink([line([(62, -118), (112, -150), (152, -166), (190, -150)]), line([(236, -130), (278, -92)])], 3, PAPER)
    s.end()
    s.parts.append('<use href="#w" transform="scale(-1 1)"/>')
    # Body and head over the roots of both wings.
    body = [(0, -190), (26, -160), (46, -96), (42, -20), (27, 60), (9, 124), (0, 136), (-9, 124), (-27, 60), (-42, -20), (-46, -96), (-26, -160)]
    s.shape(smooth(body, True), INK, 4)
    s.fill(smooth([(0, -262), (5, -236), (20, -218), (29, -190), (22, -160), (0, -148), (-22, -160), (-29, -190), (-20, -218), (-5, -236)], True))
    s.fill(smooth([(0, -236), (12, -216), (16, -202), (8, -190), (0, -187), (-8, -190), (-16, -202), (-12, -216)], True), RED)
    s.ink(line([(0, -250), (0, -236)]), 2, PAPER)
    s.ink([circle((21, -190), 3), circle((-21, -190), 3)], 3.5, PAPER)
    s.ink([line([(0, -132), (0, 96)]), line([(15, -126), (19, -50), (10, 60)]), line([(-15, -126), (-19, -50), (-10, 60)]), line([(30, -96), (31, -50), (25, 0)]), line([(-30, -96), (-31, -50), (-25, 0)])], 2.5, PAPER)
    s.end()
    s.fill([star((150, 200), 24), star((664, 690), 20), star((212, 132), 10)])
    s.ink(dots([(120, 256), (188, 172), (184, 244), (694, 648), (632, 716)]), 8)
    return s
