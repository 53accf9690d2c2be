"""A deployment as a picture in SVG, for a page that brings the colours: classes only, no script, no request."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from msgspec import Struct

from connlint.model.map import Deployment
from connlint.reporters.map import wording
from connlint.reporters.map.graph import Edge, Graph, Node, graph
from connlint.reporters.map.layout import LANE, Box, Link, arrange

_TITLE, _PLAIN, _LABEL = 8.1, 6.4, 6.1
"""Pixels that a character takes at most on average: bold 14, plain 12, and 11 of the typewriter kind."""
_NARROW, _WIDE = 132.0, 268.0
_MARGIN = 26.0
_LEGIBLE = 0.7
"""The part of its size to which a wide picture is shrunk; beyond that it is scrolled."""
_PILL = 10
"""Pixels that what is published takes of a box."""
_MOST_LABEL = 34
_MOST_BESIDE = 3
"""Lines of names that a service leads to without a line in the picture."""
_MOST_UNKNOWN = 6
_SUBTITLES = {"loopback": "the container itself", "machine": "the machine around", "external": "outside", "unknown": ""}


class _Drawn(Struct):
    node: Node
    box: Box
    lines: list[str]
    ports: list[str]
    outside: str


def picture(deployment: Deployment, prefix: str) -> str:
    """The picture of ``deployment``; nodes of services link to ``#PREFIX-NUMBER``, counted as the services are."""
    drawn = graph(deployment)
    nodes = [_measured(node, drawn) for node in drawn.nodes]
    links = [Link(edge.source, edge.target, _label_room(edge)) for edge in drawn.edges]
    width, height = arrange([row.box for row in nodes], links)
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    parts = [f'<svg class="map" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
             f'style="max-width:{width:.0f}px;min-width:{width * _LEGIBLE:.0f}px" role="img" '
             f'aria-label="{_text(deployment.name)}">']
    parts += _markers(prefix)
    parts.append(f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">')
    for edge, link in zip(drawn.edges, links):
        parts += _edge(edge, link, prefix)
    for at, row in enumerate(nodes):
        parts += _node(row, f"{prefix}-{at}" if row.node.service is not None else "")
    parts.append("</g></svg>")
    return "\n".join(parts)


def _markers(prefix: str) -> Iterator[str]:
    for name in ("set", "bad", "weak"):
        yield (f'<marker id="{prefix}-{name}" class="head {name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
               f'markerHeight="8" orient="auto-start-reverse"><path d="M0 .6 7.4 4 0 7.4z"/></marker>')


# -- nodes ------------------------------------------------------------------------------------------------------------


def _measured(node: Node, drawn: Graph) -> _Drawn:
    service = node.service
    lines, ports, outside = [], [], ""
    if service is not None:
        if service.origin:
            lines.append(_cut(service.origin, 38))
        ports = [f":{wording.port(listen)}" for listen in service.listens]
        published = sorted({number for listen in service.listens for number in listen.published})
        outside = _cut(", ".join(map(str, published)), 24)
        lines += _beside(node.beside)
    elif node.shape == "unknown":
        lines = [_cut(line, 36) for line in node.lines[:_MOST_UNKNOWN]]
        if len(node.lines) > _MOST_UNKNOWN:
            lines.append(f"and {len(node.lines) - _MOST_UNKNOWN} more")
    else:
        lines = [_SUBTITLES[node.shape]]
    title = _cut(node.title, 30)
    shown = [*lines, *([_cut(" ".join(ports), 36)] if ports else [])]
    widths = [len(title) * _TITLE, *(len(line) * _PLAIN for line in shown)]
    wide = max(widths + ([len(outside) * _PLAIN + 80] if outside else []))
    lanes = max(sum(1 for edge in drawn.edges if getattr(edge, end) == node.key) for end in ("source", "target"))
    tall = 30 + 17 * len(shown) + (10 if node.shape == "store" else 0) + (_PILL if outside else 0)
    box = Box(node.key, min(_WIDE, max(_NARROW, wide + 32)), max(tall, 12 + LANE * lanes))
    return _Drawn(node, box, shown[: len(lines)], shown[len(lines):], outside)


def _beside(names: list[str]) -> list[str]:
    """Names in lines, as far as there is room for them."""
    rows: list[str] = []
    for at, name in enumerate(names):
        text = name + ("," if at + 1 < len(names) else "")
        if rows and len(rows[-1]) + 1 + len(text) <= 34:
            rows[-1] += f" {text}"
        elif len(rows) < _MOST_BESIDE:
            rows.append(f"{'→' if not rows else ' '} {_cut(text, 32)}")
        else:
            tail = f" and {len(names) - at} more"
            rows[-1] = _cut(rows[-1].rstrip(","), 37 - len(tail)) + tail
            break
    return rows


def _node(row: _Drawn, anchor: str) -> Iterator[str]:
    box, node = row.box, row.node
    name = f"node {node.shape}{' bad' if node.troubled else ''}"
    if anchor:
        yield f'<a href="#{anchor}" class="{name}">'
    else:
        yield f'<g class="{name}">'
    yield f"<title>{_text(_told(row))}</title>"
    yield _outline(row)
    lines = [("title", _cut(node.title, 30)), *(("plain", line) for line in row.lines),
             *(("ports", line) for line in row.ports)]
    high = 18 + 17 * (len(lines) - 1)
    at = box.y + (box.height - high) / 2 + 14 + (4 if node.shape == "store" else 0) + (_PILL / 2 if row.outside else 0)
    for style, text in lines:
        yield f'<text class="{style}" x="{box.x + 16:.1f}" y="{at:.1f}">{_text(text)}</text>'
        at += 17
    if row.outside:
        yield from _pill(box.x + 12, box.y, f"published {row.outside}")
    count = len(node.service.troubles) if node.service is not None else 0
    if count and node.service is not None:
        worst = next(level for level in ("error", "warning", "note")
                     if any(trouble.level == level for trouble in node.service.troubles))
        yield (f'<g class="badge {worst}"><circle cx="{box.x + box.width - 4:.1f}" cy="{box.y + 4:.1f}" r="10"/>'
               f'<text x="{box.x + box.width - 4:.1f}" y="{box.y + 8:.1f}">{count}</text></g>')
    yield "</a>" if anchor else "</g>"


def _pill(x: float, y: float, text: str) -> Iterator[str]:
    wide = len(text) * 5.9 + 16
    yield f'<rect class="pill" x="{x:.1f}" y="{y - 9:.1f}" width="{wide:.1f}" height="18" rx="9"/>'
    yield f'<text class="pill" x="{x + 8:.1f}" y="{y + 4:.1f}">{_text(text)}</text>'


def _outline(row: _Drawn) -> str:
    box = row.box
    x, y, w, h = box.x, box.y, box.width, box.height
    if row.node.shape == "store":
        r = 7
        return (f'<path class="box" d="M{x:.1f} {y + r:.1f}a{w / 2:.1f} {r} 0 0 1 {w:.1f} 0v{h - 2 * r:.1f}'
                f'a{w / 2:.1f} {r} 0 0 1 {-w:.1f} 0z"/>'
                f'<path class="rim" d="M{x:.1f} {y + r:.1f}a{w / 2:.1f} {r} 0 0 0 {w:.1f} 0"/>')
    round_ = {"service": 8, "job": h / 2 if h < 60 else 24}.get(row.node.shape, 14)
    return f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_:.0f}"/>'


def _told(row: _Drawn) -> str:
    service = row.node.service
    if service is None:
        return "\n".join([row.node.title, _SUBTITLES.get(row.node.shape, ""), *row.node.lines]).strip()
    return "\n".join([service.name, wording.origin(service), *service.command,
                      *(f"{trouble.level}: {trouble.message}" for trouble in service.troubles)])


# -- edges ------------------------------------------------------------------------------------------------------------


def _label(edge: Edge) -> str:
    if not edge.labels:
        return ""
    more = f" +{len(edge.labels) - 1}" if len(edge.labels) > 1 else ""
    return _cut(edge.labels[0], _MOST_LABEL - len(more)) + more


def _label_room(edge: Edge) -> float:
    text = _label(edge)
    return len(text) * _LABEL + 18 if text else 10.0


def _edge(edge: Edge, link: Link, prefix: str) -> Iterator[str]:
    style = "bad" if edge.troubled else "weak" if edge.line in ("wait", "browser") else "set"
    yield f'<g class="edge {edge.line} {style}">'
    told = [f"{c.variable or c.address}: {wording.story(c)}" for c in edge.connections]
    told = told or [f"{edge.source.partition(' ')[2]} is started after {edge.target.partition(' ')[2]}"]
    yield f"<title>{_text(chr(10).join(told))}</title>"
    yield f'<path d="{_path(link.points)}" marker-end="url(#{prefix}-{style})"/>'
    if text := _label(edge):
        start, _, level = link.straight
        yield f'<text x="{start + 8:.1f}" y="{level - 5:.1f}">{_text(text)}</text>'
    yield "</g>"


def _path(points: list[tuple[float, float]]) -> str:
    """Level where a layer is passed and a curve between layers; the points come in pairs of where it is level."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to, down) in pairwise(points):
        if abs(y - down) < 0.5:
            path.append(f"H{to:.1f}")
        else:
            bend = (to - x) / 2
            path.append(f"C{x + bend:.1f} {y:.1f} {to - bend:.1f} {down:.1f} {to:.1f} {down:.1f}")
    return "".join(path)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _text(text: str) -> str:
    """``text`` for SVG and HTML; control characters, which neither may hold, are left out."""
    return escape("".join(c for c in text if c.isprintable() or c == "\n"), quote=True)
