"""The map as a Mermaid flowchart, for a README: one graph with a frame for every deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connlint.model.map import Deployment, Map, Service
from connlint.reporters import Options
from connlint.reporters.map import wording
from connlint.reporters.map.graph import Edge, Node, graph

_SHAPES = {"store": '[("{}")]', "service": '["{}"]', "job": '(["{}"])', "external": '(["{}"])',
           "loopback": '{{{{"{}"}}}}', "machine": '(["{}"])', "unknown": '(["{}"])'}
_LINES = {"set": "-->", "default": "-.->", "wait": "-.-", "browser": "-.->"}
_STYLES = (
    "classDef trouble stroke:#d1242f,stroke-width:2px",
    "classDef unknown stroke-dasharray:4 3",
    "classDef outside stroke-dasharray:2 2",
)


def render(map_: Map, options: Options) -> str:
    """The whole map as one flowchart."""
    lines = ["flowchart LR"]
    links: list[str] = []
    red: list[int] = []
    for number, deployment in enumerate(map_.deployments):
        lines += _deployment(deployment, f"d{number}", links, red, framed=len(map_.deployments) > 1)
    if not map_.deployments:
        lines.append('  none["no services were found"]')
    lines += links
    if map_.deployments:
        lines += [f"  {style}" for style in _STYLES]
    if red:
        lines.append(f"  linkStyle {','.join(map(str, red))} stroke:#d1242f")
    return "\n".join(lines) + "\n"


def _deployment(deployment: Deployment, prefix: str, links: list[str], red: list[int], *,
                framed: bool) -> Iterator[str]:
    """Lines for the nodes; edges are added to ``links``, the numbers of the red ones to ``red``."""
    drawn = graph(deployment)
    ids = {node.key: f"{prefix}n{at}" for at, node in enumerate(drawn.nodes)}
    indent = "    " if framed else "  "
    if framed:
        yield f'  subgraph {prefix}["{_text(deployment.name)}"]'
    for node in drawn.nodes:
        yield f"{indent}{ids[node.key]}{_SHAPES[node.shape].format(_label(node))}{_class(node)}"
    if framed:
        yield "  end"
    for edge in drawn.edges:
        label = _edge_label(edge)
        if edge.troubled:
            red.append(len(links))
        arrow = _LINES[edge.line]
        links.append(f"  {ids[edge.source]} {arrow}{f'|{label}|' if label else ''} {ids[edge.target]}")


def _label(node: Node) -> str:
    parts = [f"<b>{_text(node.title)}</b>" if node.service else _text(node.title)]
    if node.service is not None:
        parts += _made(node.service)
    beside = [f"→ {_text(', '.join(node.beside))}"] if node.beside else []
    return "<br/>".join([*parts, *(_text(line) for line in node.lines), *beside])


def _made(service: Service) -> list[str]:
    ports = []
    for listen in service.listens:
        outside = f" ← {', '.join(map(str, listen.published))}" if listen.published else ""
        ports.append(f":{wording.port(listen)}{outside}")
    return [_text(text) for text in (service.origin, " ".join(ports)) if text]


def _class(node: Node) -> str:
    if node.troubled:
        return ":::trouble"
    return {"unknown": ":::unknown", "external": ":::outside", "machine": ":::outside"}.get(node.shape, "")


def _edge_label(edge: Edge) -> str:
    names = [_text(name) for name in edge.labels]
    if not names:
        return ""
    return f'"{"<br/>".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more"}"'


def _text(text: str) -> str:
    """``text`` inside of quotes; what has a meaning to Mermaid becomes an entity."""
    text = re.sub(r"[\x00-\x1f]", " ", text)
    text = text.replace("&", "#amp;").replace('"', "#quot;").replace("`", "#96;")
    return re.sub(r"<(?!/?b>|br/>)", "#lt;", text)
