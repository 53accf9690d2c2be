"""A deployment as nodes and edges: what every picture of it shows.

Services are nodes; so is each host outside, each loopback address of a container, and, one for a service, all that is
not known. Connections between the same two nodes in the same kind of line are one edge.

Where many services are deployed together, most of them lead to the same few (a cache, a broker, a collector of traces),
and one may ask all others how they are: lines for all of that would hide the rest. They are left out, except where
something is wrong, and said in words where they begin.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import Literal

from msgspec import Struct, field

from connlint.model.map import Connection, Deployment, Service
from connlint.reporters.map.wording import troubled

Shape = Literal["service", "store", "job", "external", "loopback", "machine", "unknown"]
Line = Literal["set", "default", "browser", "wait"]
"""How sure an edge is: set by the deployment (or written in code or command), a default of the code, used by a browser,
only an order of start."""


CROWDED = 12
"""From how many services on a picture is thinned out."""
MANY = 6
"""From how many lines on a service has too many."""


class Node(Struct):
    """``key`` is unique; ``title`` the first line, ``lines`` more of them; ``service`` is set for services.

    ``beside`` names the services that it leads to without a line.
    """

    key: str
    title: str
    shape: Shape
    service: Service | None = None
    lines: list[str] = field(default_factory=list)
    troubled: bool = False
    beside: list[str] = field(default_factory=list)


class Edge(Struct):
    """From ``source`` to ``target`` (keys): ``labels`` say by which variable, ``connections`` what it stands for."""

    source: str
    target: str
    line: Line
    labels: list[str] = field(default_factory=list)
    troubled: bool = False
    connections: list[Connection] = field(default_factory=list)


class Graph(Struct):
    """What a picture of one deployment shows."""

    nodes: list[Node]
    edges: list[Edge]


def graph(deployment: Deployment) -> Graph:
    """Nodes and edges of ``deployment``, in the order of its services."""
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str, bool], Edge] = {}
    for service in deployment.services:
        shape: Shape = "store" if service.store else "job" if service.job else "service"
        nodes[f"service {service.name}"] = Node(f"service {service.name}", service.name, shape, service,
                                                troubled=any(t.level != "note" for t in service.troubles))
    for service in deployment.services:
        for connection in service.connects:
            if connection.browser and connection.target != "service":
                continue
            node = _target(service, connection, nodes)
            line: Line = "browser" if connection.browser else "default" if connection.source in ("default", "unset") \
                else "set"
            bad = troubled(service, connection)
            key = (f"service {service.name}", node.key, line, bad)
            edge = edges.setdefault(key, Edge(key[0], key[1], line, troubled=bad))
            edge.connections.append(connection)
            label = connection.variable or _where(connection)
            if label not in edge.labels and node.shape != "unknown":
                edge.labels.append(label)
    linked = {(edge.source, edge.target) for edge in edges.values()}
    for service in deployment.services:
        for wait in service.waits:
            ends = (f"service {service.name}", f"service {wait.service}")
            if ends[1] in nodes and ends not in linked:
                edges[(*ends, "wait", False)] = Edge(*ends, "wait", ["starts after"])
    return Graph(list(nodes.values()), _thinned(list(edges.values()), nodes, len(deployment.services)))


def _where(connection: Connection) -> str:
    """Where an address without a variable is written."""
    if connection.source == "file" and connection.spot is not None:
        return posixpath.basename(connection.spot.path)
    return "in the code" if connection.source == "code" else "start command"


def _thinned(edges: list[Edge], nodes: dict[str, Node], services: int) -> list[Edge]:
    """The edges without those to services that most lead to, and without those of services that lead to most."""
    if services < CROWDED:
        return edges
    plain = [edge for edge in edges if not edge.troubled and nodes[edge.target].service is not None]
    entered = Counter(target for _, target in {(edge.source, edge.target) for edge in plain})
    asking = Counter(edge.source for edge in plain if all(c.source == "file" for c in edge.connections)
                     and edge.connections)
    found = []
    for edge in edges:
        hidden = edge in plain and (entered[edge.target] >= MANY or asking[edge.source] >= MANY)
        if not hidden:
            found.append(edge)
        elif edge.line != "wait" and nodes[edge.target].title not in nodes[edge.source].beside:
            nodes[edge.source].beside.append(nodes[edge.target].title)
    return found


def _target(service: Service, connection: Connection, nodes: dict[str, Node]) -> Node:
    if connection.target == "service" and f"service {connection.service}" in nodes:
        return nodes[f"service {connection.service}"]
    bad = troubled(service, connection)
    if connection.target in ("itself", "machine"):
        shape: Shape = "loopback" if connection.target == "itself" else "machine"
        key = f"{shape} {service.name} {connection.address}" if shape == "loopback" else f"machine {connection.address}"
        node = nodes.setdefault(key, Node(key, connection.address, shape))
        node.troubled = node.troubled or bad
        return node
    if connection.target == "external":
        key = f"external {connection.address}"
        return nodes.setdefault(key, Node(key, connection.address, "external"))
    key = f"unknown {service.name}"
    node = nodes.setdefault(key, Node(key, "not known", "unknown"))
    text = connection.variable or connection.address
    if connection.address and connection.variable:
        text = f"{connection.variable} → {connection.address}"
    if text not in node.lines:
        node.lines.append(text)
    node.troubled = node.troubled or bad
    return node
