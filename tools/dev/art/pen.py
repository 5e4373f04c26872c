"""The pen: brush strokes, petals, dots and paper as compact SVG. It knows shapes, not subjects."""

import math
import random

PAPER, PAPER_EDGE, INK = "#f2e9d8", "#e4d6bb", "#1c1815"
RED, OCHRE, GREEN, SKY = "#b5432f", "#cf9a45", "#5d7360", "#7d98a1"


def number(value, digits=1):
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text.startswith("0."):
        text = text[1:]
    elif text.startswith("-0."):
        text = "-" + text[2:]
    return text if text not in ("", "-0", "-") else "0"


def numbers(values, digits=1):
    """Numbers as SVG writes them shortest: no space before a minus."""
    out = ""
    for value in values:
        text = number(value, digits)
        out += text if not out or text.startswith("-") else " " + text
    return out


class Path:
    """A path in relative commands; rounding errors do not add up."""

    def __init__(self, digits=1):
        self.d, self.x, self.y, self.digits = "", 0.0, 0.0, digits

    def _round(self, value):
        return round(value, self.digits)

    def move(self, p):
        self.x, self.y = self._round(p[0]), self._round(p[1])
        self.d += "M" + numbers((self.x, self.y), self.digits)
        return self

    def _relative(self, command, points):
        flat = []
        for px, py in points:
            flat += [self._round(px - self.x), self._round(py - self.y)]
        self.d += command + numbers(flat, self.digits)
        self.x += flat[-2]
        self.y += flat[-1]
        return self

    def line(self, p):
        return self._relative("l", [p])

    def cubic(self, a, b, p):
        return self._relative("c", [a, b, p])

    def quad(self, a, p):
        return self._relative("q", [a, p])

    def close(self):
        self.d += "z"
        return self


def add(p, q, k=1.0):
    return (p[0] + q[0] * k, p[1] + q[1] * k)


def sub(p, q):
    return (p[0] - q[0], p[1] - q[1])


def mix(p, q, t):
    return (p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t)


def length(v):
    return math.hypot(*v)


def unit(v):
    n = length(v) or 1.0
    return (v[0] / n, v[1] / n)


def left(v):
    return (v[1], -v[0])


def polar(centre, degrees, radius):
    a = math.radians(degrees)
    return (centre[0] + math.cos(a) * radius, centre[1] + math.sin(a) * radius)


def turn(p, degrees, about=(0, 0)):
    a = math.radians(degrees)
    x, y = sub(p, about)
    return add(about, (x * math.cos(a) - y * math.sin(a), x * math.sin(a) + y * math.cos(a)))


def bezier(p0, a, b, p1, t):
    u = 1 - t
    return tuple(
        u**3 * w + 3 * u * u * t * x + 3 * u * t * t * y + t**3 * z for w, x, y, z in zip(p0, a, b, p1)
    )


def through(points, closed=False):
    """Control points of a smooth curve through `points` (Catmull-Rom), as cubic segments."""
    n = len(points)
    at = (lambda i: points[i % n]) if closed else (lambda i: points[min(max(i, 0), n - 1)])
    segments = []
    for i in range(n if closed else n - 1):
        p0, p1, p2, p3 = at(i - 1), at(i), at(i + 1), at(i + 2)
        segments.append((add(p1, sub(p2, p0), 1 / 6), add(p2, sub(p3, p1), -1 / 6), p2))
    return segments


def smooth(points, closed=False, digits=1):
    path = Path(digits).move(points[0])
    for a, b, p in through(points, closed):
        path.cubic(a, b, p)
    return path.close().d if closed else path.d


def sample(points, count, closed=False):
    """`count` + 1 points on the smooth curve, evenly spaced in length."""
    fine, here = [points[0]], points[0]
    for a, b, p in through(points, closed):
        fine += [bezier(here, a, b, p, t / 16) for t in range(1, 17)]
        here = p
    lengths = [0.0]
    for p, q in zip(fine, fine[1:]):
        lengths.append(lengths[-1] + length(sub(q, p)))
    out, j = [], 0
    for i in range(count + 1):
        want = lengths[-1] * i / count
        while j < len(fine) - 2 and lengths[j + 1] < want:
            j += 1
        gap = lengths[j + 1] - lengths[j] or 1
        out.append(mix(fine[j], fine[j + 1], (want - lengths[j]) / gap))
    return out


def normals(points):
    out = []
    for i in range(len(points)):
        out.append(left(unit(sub(points[min(i + 1, len(points) - 1)], points[max(i - 1, 0)]))))
    return out


def ribbon(points, widths):
    """The two sides of a line of varying width."""
    sides = [(add(p, n, w / 2), add(p, n, -w / 2)) for p, n, w in zip(points, normals(points), widths)]
    return [a for a, _ in sides], [b for _, b in sides]


def brush(p0, a, b, p1, width, start=0.0, end=0.0):
    """One stroke of the brush: a cubic that swells to `width` and thins towards both ends."""
    n0, n1 = left(unit(sub(a, p0))), left(unit(sub(p1, b)))
    w = width / 2 / 0.75
    path = Path().move(add(p0, n0, start / 2))
    path.cubic(add(a, n0, w), add(b, n1, w), add(p1, n1, end / 2))
    if end:
        path.line(add(p1, n1, -end / 2))
    path.cubic(add(b, n1, -w), add(a, n0, -w), add(p0, n0, -start / 2))
    return path.close().d


def arc(p0, p1, bulge, width, start=0.0, end=0.0):
    """A brush stroke between two points that leans out by `bulge` of their distance."""
    v = sub(p1, p0)
    out = left(v)
    return brush(p0, add(mix(p0, p1, 0.33), out, bulge), add(mix(p0, p1, 0.67), out, bulge), p1, width, start, end)


def whip(start, end, width, bulge=0.0):
    """A short shading stroke: a wedge that is flicked off the paper."""
    n = left(unit(sub(end, start)))
    if not bulge:
        return Path(0).move(add(start, n, width / 2)).line(end).line(add(start, n, -width / 2)).close().d
    mid = add(mix(start, end, 0.5), n, bulge * length(sub(end, start)))
    path = Path(0).move(add(start, n, width / 2)).quad(add(mid, n, width / 4), end)
    return path.quad(add(mid, n, -width / 4), add(start, n, -width / 2)).close().d


def swell(points, width, steps=None, profile=lambda t: math.sin(math.pi * t) ** 0.6):
    """A long brush stroke through `points`."""
    line = sample(points, steps or max(4, len(points) * 2))
    count = len(line) - 1
    one, other = ribbon(line, [width * profile(i / count) for i in range(count + 1)])
    path = Path().move(one[0])
    for a, b, p in through(one):
        path.cubic(a, b, p)
    back = other[::-1]
    path.line(back[0])
    for a, b, p in through(back):
        path.cubic(a, b, p)
    return path.close().d


def leaf(base, tip, width, bend=0.0, belly=0.45):
    """A leaf or feather: two curves from base to tip."""
    v = sub(tip, base)
    n = left(unit(v))
    mid = add(mix(base, tip, belly), n, bend)
    path = Path().move(base)
    lead = mix(base, tip, 0.12)
    path.cubic(add(lead, n, width * 0.55 + bend * 0.4), add(mid, n, width * 0.75), tip)
    path.cubic(add(mid, n, -width * 0.75), add(lead, n, -width * 0.55 + bend * 0.4), base)
    return path.close().d


def vane(base, tip, width, bend=0.0):
    """A flight feather: narrow at the quill, widest late, with a rounded end."""
    v = sub(tip, base)
    n = left(unit(v))
    path = Path().move(base)
    path.cubic(
        add(mix(base, tip, 0.35), n, width * 0.5 + bend), add(mix(base, tip, 0.86), n, width * 0.62 + bend), tip
    )
    path.cubic(
        add(mix(base, tip, 0.97), n, -width * 0.42 + bend), add(mix(base, tip, 0.4), n, -width * 0.6 + bend), base
    )
    return path.close().d


def line(points, digits=1):
    """A plain line of one width, through `points`."""
    if len(points) == 2:
        return Path(digits).move(points[0]).line(points[1]).d
    return smooth(points, digits=digits)


def dots(points):
    """Stipple: round caps of lines without length."""
    path, x, y = "", None, None
    for px, py in points:
        px, py = round(px), round(py)
        path += f"M{px} {py}h0" if x is None else "m" + numbers((px - x, py - y), 0) + "h0"
        x, y = px, py
    return path


def stipple(seed, count, place):
    """`count` points from `place(random)`, none closer than its own spacing; None means try again."""
    chance, out = random.Random(seed), []
    tries = 0
    while len(out) < count and tries < count * 60:
        tries += 1
        spot = place(chance)
        if spot is None:
            continue
        p, gap = spot
        if all(abs(p[0] - q[0]) > gap or abs(p[1] - q[1]) > gap or length(sub(p, q)) > gap for q in out):
            out.append(p)
    out.sort(key=lambda p: (int(p[1] // 24), p[0] if int(p[1] // 24) % 2 else -p[0]))
    return out


def circle(c, r):
    return (
        "M" + numbers((c[0] - r, c[1])) + f"a{number(r)} {number(r)} 0 1 0 {number(2 * r)} 0"
        f"a{number(r)} {number(r)} 0 1 0 {number(-2 * r)} 0z"
    )


def star(c, r, points=4, waist=0.16, tilt=-90):
    """A star with hollow sides."""
    path = Path().move(polar(c, tilt, r))
    for i in range(points):
        step = 360 / points
        inner = polar(c, tilt + step * (i + 0.5), r * waist)
        path.quad(inner, polar(c, tilt + step * (i + 1), r))
    return path.close().d


class Sheet:
    """One sheet of flash: paper first, then layers in the order they are drawn."""

    def __init__(self, title, ground=None):
        self.title, self.parts, self.ground = title, [], ground

    def fill(self, d, colour=INK, extra=""):
        d = d if isinstance(d, str) else "".join(d)
        self.parts.append(f'<path fill="{colour}"{extra} d="{d}"/>')

    def ink(self, d, width=4, colour=INK, extra=""):
        d = d if isinstance(d, str) else "".join(d)
        self.parts.append(f'<path fill="none" stroke="{colour}" stroke-width="{number(width)}"{extra} d="{d}"/>')

    def shape(self, d, colour=PAPER, width=5, line_colour=INK):
        d = d if isinstance(d, str) else "".join(d)
        self.parts.append(
            f'<path fill="{colour}" stroke="{line_colour}" stroke-width="{number(width)}" d="{d}"/>'
        )

    def group(self, name):
        self.parts.append(f'<g id="{name}">')

    def transform(self, how):
        self.parts.append(f'<g transform="{how}">')

    def end(self):
        self.parts.append("</g>")

    def mirror(self, name, axis=800):
        self.parts.append(f'<use href="#{name}" transform="matrix(-1 0 0 1 {axis} 0)"/>')

    def use(self, name, how):
        self.parts.append(f'<use href="#{name}" transform="{how}"/>')

    def svg(self):
        ground = self.ground or (
            f'<radialGradient id="p" r=".75"><stop offset=".35" stop-color="{PAPER}"/>'
            f'<stop offset="1" stop-color="{PAPER_EDGE}"/></radialGradient>'
            '<path fill="url(#p)" d="M0 0h800v800H0z"/>'
        )
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" role="img"'
            f' stroke-linecap="round" stroke-linejoin="round"><title>{self.title}</title>{ground}{"".join(self.parts)}</svg>\n'
        )
