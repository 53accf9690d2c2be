"""Where the nodes and edges of a picture lie: layers from left to right, few crossings, no two boxes over each other.

After Sugiyama's method: cycles are opened, every node gets a layer, edges that span several layers are led through
them, the order within a layer follows the neighbours' middle, and so do the heights. Everything is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct, field

SPACE = 34.0
"""Pixels between two boxes of one layer."""
LANE = 22.0
"""Pixels between two edges that leave or enter one box."""
TURN = 64.0
"""Pixels that an edge has for its curve, behind its label."""
ACROSS = 4
"""How many boxes without edges stand side by side."""


class Box(Struct):
    """Something with a size; ``x`` and ``y`` are its upper left corner."""

    key: str
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Link(Struct):
    """An edge between two boxes. ``label`` is the room that its text needs.

    ``points`` are where it passes, from ``source`` to ``target``; ``straight`` is where its label begins and ends:
    there it is level. ``turned`` says that it runs from right to left.
    """

    source: str
    target: str
    label: float
    points: list[tuple[float, float]] = field(default_factory=list)
    straight: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turned: bool = False


class _Part(Struct):
    """A box, or a place where a long edge passes a layer."""

    box: Box
    before: list[_Part] = field(default_factory=list)
    after: list[_Part] = field(default_factory=list)
    real: bool = True


def arrange(boxes: Sequence[Box], links: Sequence[Link]) -> tuple[float, float]:
    """Give every box its place and every link its points; the width and height of the whole."""
    linked = {end for link in links for end in (link.source, link.target)}
    lonely = [box for box in boxes if box.key not in linked]
    width = height = 0.0
    if linked:
        width, height = _arrange_linked([box for box in boxes if box.key in linked], links)
    if lonely:
        below, width = _in_rows(lonely, height + (SPACE if linked else 0.0), width)
        height = below
    return width, height


def _in_rows(boxes: list[Box], top: float, width: float) -> tuple[float, float]:
    """Boxes without edges, side by side below the rest; where they end, and the width of the whole."""
    step = max(box.width for box in boxes) + SPACE
    for first in range(0, len(boxes), ACROSS):
        row = boxes[first : first + ACROSS]
        for at, box in enumerate(row):
            box.x, box.y = at * step, top
            width = max(width, box.x + box.width)
        top += max(box.height for box in row) + SPACE
    return top - SPACE, width


def _arrange_linked(boxes: list[Box], links: Sequence[Link]) -> tuple[float, float]:
    turned = _turned([box.key for box in boxes], links)
    forward = []
    for link in links:
        link.turned = (link.source, link.target) in turned
        forward.append((link.target, link.source) if link.turned else (link.source, link.target))
    level = _levels([box.key for box in boxes], forward)
    layers: list[list[_Part]] = [[] for _ in range(max(level.values()) + 1)]
    parts = {box.key: _Part(box) for box in boxes}
    for box in boxes:
        layers[level[box.key]].append(parts[box.key])
    ways: list[list[_Part]] = []
    for start, end in forward:
        way = [parts[start]]
        for passed in range(level[start] + 1, level[end]):
            passing = _Part(Box("", 0.0, LANE), real=False)
            layers[passed].append(passing)
            way.append(passing)
        way.append(parts[end])
        for left, right in pairwise(way):
            left.after.append(right)
            right.before.append(left)
        ways.append(way)
    _order(layers)
    _heights(layers)
    width = _columns(layers, ways, links)
    _route(ways, links)
    top = min(part.box.y for layer in layers for part in layer)
    for layer in layers:
        for part in layer:
            part.box.y -= top
    for link in links:
        link.points = [(x, y - top) for x, y in link.points]
        link.straight = (link.straight[0], link.straight[1], link.straight[2] - top)
    return width, max(part.box.y + part.box.height for layer in layers for part in layer)


def _turned(keys: list[str], links: Sequence[Link]) -> set[tuple[str, str]]:
    """Edges that close a cycle on a walk from the nodes that nothing leads to."""
    after: dict[str, list[str]] = {key: [] for key in keys}
    entered = {link.target for link in links if link.target != link.source}
    for link in links:
        after[link.source].append(link.target)
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in [key for key in keys if key not in entered] + keys:
        if start in done:
            continue
        path = [start]
        pending = [iter(after[start])]
        done.add(start)
        while pending:
            here = next(pending[-1], None)
            if here is None:
                pending.pop()
                path.pop()
            elif here in path:
                found.add((path[-1], here))
            elif here not in done:
                done.add(here)
                path.append(here)
                pending.append(iter(after[here]))
    return found


def _levels(keys: list[str], forward: list[tuple[str, str]]) -> dict[str, int]:
    """The longest way to every node; a node that nothing leads to stands just before what it leads to."""
    level = dict.fromkeys(keys, 0)
    for _ in keys:
        changed = False
        for start, end in forward:
            if start != end and level[end] <= level[start]:
                level[end] = level[start] + 1
                changed = True
        if not changed:
            break
    entered = {end for _, end in forward}
    for key in keys:
        following = [level[end] for start, end in forward if start == key and end != key]
        if key not in entered and following:
            level[key] = min(following) - 1
    return level


def _order(layers: list[list[_Part]]) -> None:
    """Sort every layer by the middle of its neighbours, a few times there and back."""
    for sweep in range(12):
        downward = sweep % 2 == 0
        place = {id(part): at / max(1, len(layer)) for layer in layers for at, part in enumerate(layer)}
        for layer in layers if downward else layers[::-1]:
            wanted = {}
            for part in layer:
                near = part.before if downward else part.after
                wanted[id(part)] = sum(place[id(n)] for n in near) / len(near) if near else place[id(part)]
            layer.sort(key=lambda part: wanted[id(part)])
            for at, part in enumerate(layer):
                place[id(part)] = at / max(1, len(layer))


def _heights(layers: list[list[_Part]]) -> None:
    """Pull every part to the middle of its neighbours as far as those above and below it leave room."""
    for layer in layers:
        top = 0.0
        for part in layer:
            part.box.y = top
            top += part.box.height + SPACE
        for part in layer:
            part.box.y -= top / 2
    for sweep in range(16):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wanted = []
            for part in layer:
                near = (part.before if sweep % 2 == 0 else part.after) or [*part.before, *part.after]
                middle = sum(n.box.middle for n in near) / len(near) if near else part.box.middle
                wanted.append(middle - part.box.height / 2)
            _settle(layer, wanted)


def _settle(layer: list[_Part], wanted: list[float]) -> None:
    """The places nearest to the ``wanted`` ones (in sum of squares) that keep order and distance."""
    above: list[float] = []
    offset = 0.0
    for part in layer:
        above.append(offset)
        offset += part.box.height + (SPACE if part.real else LANE / 2)
    blocks: list[tuple[float, int]] = []
    for want, lead in zip(wanted, above):
        total, number = want - lead, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / number:
            before = blocks.pop()
            total, number = total + before[0], number + before[1]
        blocks.append((total, number))
    places = [total / number for total, number in blocks for _ in range(number)]
    for part, place, lead in zip(layer, places, above):
        part.box.y = place + lead


def _columns(layers: list[list[_Part]], ways: list[list[_Part]], links: Sequence[Link]) -> float:
    """Place the layers side by side; between two there is room for the labels of what leaves the left one."""
    home = {id(part): at for at, layer in enumerate(layers) for part in layer}
    room = [0.0] * len(layers)
    for way, link in zip(ways, links):
        room[home[id(way[0])]] = max(room[home[id(way[0])]], link.label)
    left = 0.0
    for at, layer in enumerate(layers):
        wide = max((part.box.width for part in layer), default=0.0)
        for part in layer:
            part.box.x = left
            if not part.real:
                part.box.width = wide
        left += wide + (room[at] + TURN if at + 1 < len(layers) else 0.0)
    return left


def _route(ways: list[list[_Part]], links: Sequence[Link]) -> None:
    """Where edges leave and enter their boxes, and the points between."""
    leaving: dict[int, list[int]] = {}
    entering: dict[int, list[int]] = {}
    for number, way in enumerate(ways):
        leaving.setdefault(id(way[0]), []).append(number)
        entering.setdefault(id(way[-1]), []).append(number)
    out = _spread(leaving, ways, 0, 1)
    into = _spread(entering, ways, -1, -2)
    # edges of one box turn together, or one would cut through the label of the next
    room = {box: max(links[number].label for number in numbers) for box, numbers in leaving.items()}
    for number, (way, link) in enumerate(zip(ways, links)):
        start, end = way[0].box, way[-1].box
        right = start.x + start.width
        turn = right + room[id(way[0])]
        points = [(right, out[number]), (turn, out[number])]
        for part in way[1:-1]:
            points += [(part.box.x, part.box.middle), (part.box.x + part.box.width, part.box.middle)]
        points.append((end.x, into[number]))
        link.straight = (right, turn, out[number])
        link.points = points[::-1] if link.turned else points


def _spread(groups: dict[int, list[int]], ways: list[list[_Part]], own: int, next_: int) -> dict[int, float]:
    """The height at which each edge of a box meets its side: in the order of where they go."""
    found: dict[int, float] = {}
    for numbers in groups.values():
        numbers.sort(key=lambda number: (ways[number][next_].box.middle, number))
        box = ways[numbers[0]][own].box
        step = min(LANE, (box.height - 12) / max(1, len(numbers)))
        first = box.middle - step * (len(numbers) - 1) / 2
        for at, number in enumerate(numbers):
            found[number] = first + at * step
    return found
