#!/usr/bin/env python3
"""Draws an SVG from a short text of boxes and arrows; see assets/architecture.txt for its lines.

The same text always gives the same bytes, so that a test can tell whether the picture is current.
Usage: draw_diagram.py [--check] SOURCE.txt...     writes SOURCE.svg, or compares with --check
"""
import html
import pathlib
import shlex
import sys

STYLES = {  # fill, border
    "outside": ("#ffffff", "#57606a"),
    "store": ("#ddf4ff", "#0969da"),
    "code": ("#dafbe1", "#1a7f37"),
    "guard": ("#ffebe9", "#cf222e"),
}
TEXT, FAINT = "#1f2328", "#57606a"
FONT = "font-family='system-ui, sans-serif'"


def text_line(x, y, content, size=13, weight="normal", fill=TEXT, anchor="middle"):
    return (f"<text x='{x:g}' y='{y:g}' font-size='{size}' font-weight='{weight}' fill='{fill}' "
            f"text-anchor='{anchor}'>{html.escape(content)}</text>")


def draw_box(words, boxes):
    name, x, y, width, height, style, title, *lines = words
    x, y, width, height = map(float, (x, y, width, height))
    boxes[name] = (x, y, width, height)
    fill, border = STYLES[style]
    yield (f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='8' fill='{fill}' "
           f"stroke='{border}' stroke-width='1.5'/>")
    top = y + height / 2 - len(lines) * 8 + 5
    yield text_line(x + width / 2, top, title, 15, "bold")
    for number, line in enumerate(lines, 1):
        yield text_line(x + width / 2, top + 4 + number * 15, line, 12, fill=FAINT)


def draw_frame(words):
    x, y, width, height, title = words
    x, y, width, height = map(float, (x, y, width, height))
    yield (f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='12' fill='none' "
           f"stroke='{FAINT}' stroke-dasharray='6 5'/>")
    yield text_line(x + 14, y + 22, title, 13, fill=FAINT, anchor="start")


def point(box, side):
    x, y, width, height = box
    return {"l": (x, y + height / 2), "r": (x + width, y + height / 2),
            "t": (x + width / 2, y), "b": (x + width / 2, y + height)}[side]


def draw_arrow(words, boxes):
    start, start_side, end, end_side, *rest = words
    label = rest[0] if rest else ""
    shift = rest[1] if len(rest) > 1 else "0,0"
    (x1, y1), (x2, y2) = point(boxes[start], start_side), point(boxes[end], end_side)
    bend = 40 if start_side in "lr" else 26
    move = {"l": (-bend, 0), "r": (bend, 0), "t": (0, -bend), "b": (0, bend)}
    (ax, ay), (bx, by) = move[start_side], move[end_side]
    yield (f"<path d='M{x1:g},{y1:g} C{x1 + ax:g},{y1 + ay:g} "
           f"{x2 + bx:g},{y2 + by:g} {x2:g},{y2:g}' fill='none' stroke='{TEXT}' "
           f"stroke-width='1.5' marker-end='url(#head)'/>")
    if label:
        dx, dy = map(float, shift.split(","))
        yield (f"<g stroke='#ffffff' stroke-width='4' paint-order='stroke'>"
               + text_line((x1 + x2) / 2 + dx, (y1 + y2) / 2 - 7 + dy, label, 12, fill=FAINT)
               + "</g>")


def draw(text):
    boxes, shapes, arrows, size = {}, [], [], ("800", "600")
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        kind, *words = words
        if kind == "size":
            size = tuple(words)
        elif kind == "box":
            shapes += draw_box(words, boxes)
        elif kind == "frame":
            shapes += draw_frame(words)
        elif kind == "arrow":
            arrows += draw_arrow(words, boxes)
        else:
            raise SystemExit(f"draw_diagram: unknown line: {line}")
    head = (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {size[0]} {size[1]}' {FONT}>\n"
            "<defs><marker id='head' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='8' "
            f"markerHeight='8' orient='auto'><path d='M0,0 L10,5 L0,10 z' fill='{TEXT}'/></marker>"
            f"</defs>\n<rect width='{size[0]}' height='{size[1]}' fill='#ffffff'/>\n")
    return head + "\n".join(shapes + arrows) + "\n</svg>\n"


def main():
    check = sys.argv[1:2] == ["--check"]
    status = 0
    for name in sys.argv[2 if check else 1:]:
        source = pathlib.Path(name)
        picture = source.with_suffix(".svg")
        drawn = draw(source.read_text("utf-8"))
        if not check:
            picture.write_text(drawn, "utf-8")
        elif not picture.is_file() or picture.read_text("utf-8") != drawn:
            print(f"{picture} is not what {source} says: run tools/draw_diagram.py {source}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
