"""Two kinds of plot as SVG: bars side by side, and lines through points."""
import html

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 60, 60
COLOURS = ("#1f6feb", "#8c959f", "#d4a72c", "#cf6a4a")
TICKS = 5


def _text(x, y, text, anchor="middle", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
            f"{html.escape(text)}</text>")


def _number(value):
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


def _round_up(value):
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value)


def _frame(title, unit, names, top):
    """Background, title, legend and the scale at the left."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" fill="#24292f">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             _text(LEFT, 22, f"{title} ({unit})", "start", 15)]
    for i, name in enumerate(names):
        x = LEFT + i * 160
        parts.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{COLOURS[i]}"/>')
        parts.append(_text(x + 18, 45, name, "start"))
    for tick in range(TICKS + 1):
        y = _y(top * tick / TICKS, top)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                     'stroke="#d0d7de"/>')
        parts.append(_text(LEFT - 8, y + 4, _number(top * tick / TICKS), "end"))
    return parts


def _y(value, top):
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def bars(title, unit, groups, series):
    """series: name -> one value (or None) for each of `groups`."""
    top = _round_up(max(v for values in series.values() for v in values if v is not None))
    parts = _frame(title, unit, list(series), top)
    slot = (WIDTH - LEFT - RIGHT) / len(groups)
    width = slot * 0.8 / len(series)
    for g, group in enumerate(groups):
        parts.append(_text(LEFT + slot * (g + 0.5), HEIGHT - BOTTOM + 20, group))
        for s, values in enumerate(series.values()):
            if values[g] is None:
                continue
            x, y = LEFT + slot * (g + 0.1) + width * s, _y(values[g], top)
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width * 0.92:.1f}" '
                         f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{COLOURS[s]}"/>')
            parts.append(_text(x + width / 2, y - 4, _number(values[g]), size=10))
    return "\n".join([*parts, "</svg>", ""])


def lines(title, unit, x_title, series):
    """series: name -> points (x, y)."""
    points = [point for values in series.values() for point in values]
    top, right = _round_up(max(y for _, y in points)), max(x for x, _ in points)
    parts = _frame(title, unit, list(series), top)

    def x_of(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / right
    for tick in range(TICKS + 1):
        value = right * tick / TICKS
        parts.append(_text(x_of(value), HEIGHT - BOTTOM + 20, _number(value)))
    parts.append(_text(WIDTH / 2, HEIGHT - 14, x_title))
    for s, values in enumerate(series.values()):
        path = " ".join(f"{x_of(x):.1f},{_y(y, top):.1f}" for x, y in values)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[s]}" '
                     'stroke-width="2"/>')
        parts += [f'<circle cx="{x_of(x):.1f}" cy="{_y(y, top):.1f}" r="3.5" '
                  f'fill="{COLOURS[s]}"/>' for x, y in values]
    return "\n".join([*parts, "</svg>", ""])
