"""Draws charts as SVG, with the standard library alone, readable on light and on dark ground alike."""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 46, 92
BAR_HEIGHT, BAR_LEFT = 26, 440
COLOURS = 5

STYLE = """
  svg { background: #ffffff; font: 13px system-ui, sans-serif; }
  text { fill: #24292f; } .title { font-size: 16px; font-weight: 600; }
  .grid { stroke: #d0d7de; stroke-width: 1; } .line { fill: none; stroke-width: 2.5; }
  .c0 { stroke: #0969da; fill: #0969da; } .c1 { stroke: #bc4c00; fill: #bc4c00; }
  .c2 { stroke: #1a7f37; fill: #1a7f37; } .c3 { stroke: #8250df; fill: #8250df; }
  .c4 { stroke: #6e7781; fill: #6e7781; } .line { fill: none; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; }
    .c0 { stroke: #58a6ff; fill: #58a6ff; } .c1 { stroke: #f0883e; fill: #f0883e; }
    .c2 { stroke: #3fb950; fill: #3fb950; } .c3 { stroke: #bc8cff; fill: #bc8cff; }
    .c4 { stroke: #8b949e; fill: #8b949e; } .line { fill: none; }
  }
"""


def text(x, y, content, anchor="middle", attributes=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {attributes}>{html.escape(content)}</text>'


def document(width, height, title, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img">\n<title>{html.escape(title)}</title>\n<style>{STYLE}</style>')
    return "\n".join([head, text(width / 2, 26, title, attributes='class="title"'), *parts, "</svg>\n"])


def short(value):
    """1500 is 1.5 k; never more digits than the ticks of an axis need."""
    for limit, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:g}{suffix}"
    return f"{value:g}"


class LogAxis:
    """Maps the values of one axis, by their logarithms, onto pixels from `low` to `high`."""

    def __init__(self, values, low, high, whole_decades):
        self.first, self.last = math.log10(min(values)), math.log10(max(values))
        if whole_decades:
            self.first, self.last = math.floor(self.first), math.ceil(self.last)
        if self.last - self.first < 0.3:
            self.first, self.last = self.first - 0.15, self.last + 0.15
        self.low, self.high = low, high

    def __call__(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.low + share * (self.high - self.low)

    def ticks(self):
        span = self.last - self.first
        steps = (1,) if span > 2.5 else (1, 2, 5) if span > 0.7 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
        decades = range(math.floor(self.first), math.ceil(self.last) + 1)
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        slack = 1e-9
        return [tick for tick in ticks if self.first - slack <= math.log10(tick) <= self.last + slack]


def line_chart(title, x_label, y_label, series):
    """`series` is a list of (name, [(x, y), ...]), all of them positive; both axes are logarithmic."""
    points = [point for _, line in series for point in line]
    x_axis = LogAxis([x for x, _ in points], LEFT, WIDTH - RIGHT, whole_decades=False)
    y_axis = LogAxis([y for _, y in points], HEIGHT - BOTTOM, TOP, whole_decades=False)
    parts = []
    for tick in y_axis.ticks():
        y = y_axis(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(text(LEFT - 8, y + 4, short(tick), "end"))
    for tick in x_axis.ticks():
        x = x_axis(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 18, short(tick)))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, x_label))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(20, middle, y_label, attributes=f'transform="rotate(-90 20 {middle:.1f})"'))
    for i, (name, line) in enumerate(series):
        parts += draw_line(i, name, [(x_axis(x), y_axis(y)) for x, y in line], len(series))
    return document(WIDTH, HEIGHT, title, parts)


def draw_line(index, name, points, count):
    colour = f"c{index % COLOURS}"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    columns = min(count, 3)
    x = LEFT + index % columns * (WIDTH - LEFT - RIGHT) / columns
    y = HEIGHT - 32 + 20 * (index // columns)
    return [f'<polyline class="line {colour}" points="{path}"/>',
            *(f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points),
            f'<rect class="{colour}" x="{x:.1f}" y="{y - 9}" width="16" height="6"/>',
            text(x + 22, y, name, "start")]


def bar_chart(title, bars):
    """`bars` is a list of (name, value), all of them positive; lengths are logarithmic, from 1 on."""
    height = TOP + len(bars) * BAR_HEIGHT + 20
    axis = LogAxis([1, *(value for _, value in bars)], BAR_LEFT, WIDTH - 70, whole_decades=True)
    parts = []
    for tick in axis.ticks():
        parts.append(f'<line class="grid" x1="{axis(tick):.1f}" y1="{TOP - 6}" x2="{axis(tick):.1f}" y2="{height - 14}"/>')
    for i, (name, value) in enumerate(bars):
        y = TOP + i * BAR_HEIGHT
        begin, end = sorted((axis(1), axis(value)))
        parts.append(text(BAR_LEFT - 8, y + 13, name, "end"))
        parts.append(f'<rect class="c0" x="{begin:.1f}" y="{y}" width="{max(1.0, end - begin):.1f}" height="18"/>')
        parts.append(text(end + 6, y + 13, f"{value:.3g}", "start"))
    return document(WIDTH, height, title, parts)
