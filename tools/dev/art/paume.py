"""An open hand with an eye in its palm; the right half is drawn and mirrored."""

from pen import *


def sheet():
    s = Sheet("La main qui voit")
    # Rays behind the hand.
    rays = [whip(polar((400, 392), a, 318), polar((400, 392), a, 378 if k % 2 == 0 else 348), 9 if k % 2 == 0 else 6) for k, a in ((k, 7.5 * k) for k in range(48)) if not 58 < a < 122]
    s.fill(rays)
    s.ink(dots([polar((400, 392), 7.5 * k + 3.75, 322) for k in range(48) if not 56 < 7.5 * k + 3.75 < 124]), 5)
    # The hand: wrist, thumbs that curl out, three fingers.
    half = [
        (400, 752), (462, 748), (468, 700), (482, 646), (522, 600), (574, 556), (630, 496), (664, 440), (664, 398), (634, 388),
        (606, 424), (574, 470), (548, 478), (536, 448), (536, 380), (542, 280), (538, 196), (522, 150), (494, 142), (470, 170),
        (462, 250), (456, 330), (448, 352), (441, 330), (440, 250), (440, 150), (430, 102), (400, 80),
    ]
    whole = half + [(800 - x, y) for x, y in half[-2:0:-1]]
    s.shape(smooth(whole, True), PAPER, 6.5)
    s.group("h")
    # Shadow on the outer edge of fingers, thumb and wrist.
    def shade(edge, inward, size):
        points = sample(edge, max(6, int(size)))
        s.fill([whip(p, add(p, inward, 1 - 0.25 * (i % 2)), 6) for i, p in enumerate(points)])
    shade([(540, 220), (540, 290), (534, 380), (536, 450)], (-22, 2), 20)
    shade([(436, 150), (437, 250), (438, 330)], (-17, 2), 16)
    shade([(622, 498), (570, 552), (520, 596), (480, 642), (468, 694)], (-20, -14), 24)
    # Nails.
    s.shape(smooth([(500, 156), (514, 162), (521, 184), (516, 204), (502, 206), (490, 196), (488, 172)], True), RED, 3.5)
    s.shape(smooth([(646, 400), (656, 410), (652, 432), (636, 446), (626, 438), (628, 416)], True), RED, 3.5)
    # Joints.
    s.ink([line([(474, 248), (502, 255), (528, 248)]), line([(478, 258), (502, 265), (526, 258)]), line([(472, 330), (502, 338), (530, 330)]), line([(592, 470), (606, 480), (608, 496)])], 3)
    # A bracelet of beads and lace.
    s.ink([line([(400, 690), (440, 686), (470, 678)]), line([(400, 712), (438, 709), (466, 702)])], 4.5)
    s.ink(dots([(414, 700), (430, 699), (446, 697), (460, 694)]), 8)
    s.fill([whip((404 + 16 * i, 716 - i * 1.6), (404 + 16 * i, 738 - i * 1.6), 11) for i in range(4)])
    s.end()
    s.mirror("h")
    # The middle finger and what is drawn on it.
    s.shape(smooth([(400, 94), (414, 102), (419, 124), (413, 142), (400, 146), (387, 142), (381, 124), (386, 102)], True), RED, 3.5)
    s.ink([line([(370, 196), (400, 204), (430, 196)]), line([(374, 206), (400, 214), (426, 206)]), line([(370, 300), (400, 308), (430, 300)])], 3)
    s.fill("M402 232a18 18 0 1 1-15 28a20 20 0 0 0 15-28z")
    s.fill([star((298, 292), 13), star((502, 292), 13)])
    # The eye, with its lashes and its tear.
    c = (400, 462)
    lid = f"M302 462Q400 374 498 462Q400 540 302 462z"
    s.fill([whip(bezier((302, 462), (352, 410), (448, 410), (498, 462), t), add(bezier((302, 462), (352, 410), (448, 410), (498, 462), t), ((t - 0.5) * 70, -40 + 40 * abs(t - 0.5))), 7) for t in (i / 14 for i in range(1, 14))])
    s.shape(lid, PAPER, 6)
    s.shape(circle(c, 39), OCHRE, 5)
    s.fill([whip(polar(c, a, 37), polar(c, a, 24), 5) for a in range(0, 360, 15)])
    s.fill(circle(c, 19))
    s.fill([circle((408, 454), 6), circle((393, 470), 2.5)], PAPER)
    s.fill([whip((316 + 8 * i, 461 - 6 * i), (326 + 8 * i, 470 - 3 * i), 4) for i in range(5)] + [whip((484 - 8 * i, 461 - 6 * i), (474 - 8 * i, 470 - 3 * i), 4) for i in range(5)])
    s.fill([arc((318, 494), (482, 494), -0.27, 7), arc((338, 520), (462, 520), -0.24, 5)])
    s.shape("M400 560q-20 34 0 50q20-16 0-50z", SKY, 4)
    s.ink(dots([(400, 630), (400, 646), (380, 640), (420, 640), (362, 628), (438, 628)]), 6)
    s.fill([star((112, 690), 20), star((688, 690), 20)])
    s.ink(dots([(150, 730), (80, 640), (650, 730), (720, 640)]), 8)
    return s
