"""The map for the terminal: deployments, their services, and under each what was understood."""

from __future__ import annotations

from collections.abc import Iterator

from connlint.model.map import Connection, Deployment, Map, Service, Spot, Trouble
from connlint.reporters import Options
from connlint.reporters.map import wording
from connlint.reporters.terminal import paint, visible, wrap

_LABEL = 12
_MOST_READS = 3
_NARROWEST = 30


def render(map_: Map, options: Options) -> str:
    """The whole map; rows that are longer than ``options.width`` go on below."""
    return "".join(_lines(map_, options))


def _lines(map_: Map, options: Options) -> Iterator[str]:
    if not map_.deployments:
        yield "No services: there is no compose file, manifest, Dockerfile or Procfile here, nor one that builds it.\n"
    for number, deployment in enumerate(map_.deployments):
        if number:
            yield "\n"
        yield from _deployment(deployment, options)
    if map_.unread:
        yield "\nNot read:\n"
        for path, why in map_.unread:
            yield f"  {visible(path)}: {visible(why)}\n"


def _deployment(deployment: Deployment, options: Options) -> Iterator[str]:
    color = options.color
    head = paint(visible(deployment.name), "path", color)
    yield f"{head}  {wording.kind(deployment.kind)}, {wording.count(len(deployment.services), 'service')}\n"
    if len(deployment.files) > 1:
        yield f"  from {visible(', '.join(deployment.files))}\n"
    for note in deployment.notes:
        yield f"  {paint('?', 'warning', color)} {visible(note)}\n"
    for service in deployment.services:
        yield "\n"
        yield from _service(service, deployment, options)


def _service(service: Service, deployment: Deployment, options: Options) -> Iterator[str]:
    color = options.color
    marks = [*(f"profile {p}" for p in service.profiles), *(["ends by itself"] if service.job else []),
             *(["health check"] if service.health else [])]
    tail = f"  {paint('(' + ', '.join(marks) + ')', 'faint', color)}" if marks else ""
    yield f"  {paint(visible(service.name), 'strong', color)}  {paint(str(service.spot), 'faint', color)}{tail}\n"
    rows: list[tuple[str, str]] = [("made from", wording.origin(service))]
    if service.code and service.code != (service.build,):
        rows.append(("code", ", ".join(service.code)))
    elif service.build and not service.code:
        rows.append(("code", wording.UNREAD))
    if service.shared:
        rows.append(("", f"shares code with {', '.join(service.shared)}"))
    for at, program in enumerate(service.runs):
        label = "arguments" if program.command.startswith("-") else "starts"
        rows.append((label if not at else "", wording.program(program)))
    rows += _listens(service)
    rows += _connects(service)
    rows += [("waits for" if not at else "", wording.waits(w)) for at, w in enumerate(service.waits)]
    rows += [("open", f"more variables may be set: {why}") for why in service.open[:1]]
    for label, text in rows:
        head = f"    {paint(f'{label:<{_LABEL}}', 'faint', color)} "
        yield from _folded(head, visible(text), options.width)
    for trouble, others in _told_once(service.troubles):
        lead = f"{trouble.level} {trouble.rule}"
        room = None if options.width is None else options.width - 6
        more = f" and in {wording.count(others, 'more place')}" if others else ""
        for at, line in enumerate(wrap(f"{lead}  {visible(trouble.message)} ({trouble.spot}{more})", room)):
            if at == 0 and line.startswith(lead):
                line = paint(lead, trouble.level, color) + line[len(lead):]
            yield f"    {'  ' if at else '- ' if trouble.level == 'note' else '! '}{line}\n"


def _folded(head: str, text: str, width: int | None) -> Iterator[str]:
    """A row below its label; what does not fit goes on below itself, a little further in."""
    inner = text.lstrip(" ")
    margin = " " * (_LABEL + 5) + text[:len(text) - len(inner)]
    room = None if width is None else max(width - len(margin) - 4, _NARROWEST)
    for at, line in enumerate(wrap(inner, room) if room is not None and len(inner) > room + 4 else [inner]):
        yield f"{head}{text[:len(text) - len(inner)]}{line.rstrip()}\n" if not at else f"{margin}    {line.rstrip()}\n"


def _told_once(troubles: tuple[Trouble, ...]) -> list[tuple[Trouble, int]]:
    """Every trouble once, with the number of further places in the code that have the same."""
    rows: dict[tuple[str, str, str], list[Trouble]] = {}
    for trouble in troubles:
        rows.setdefault((trouble.rule, trouble.level, trouble.about or trouble.message), []).append(trouble)
    return [(those[0], len(those) - 1) for those in rows.values()]


def _listens(service: Service) -> Iterator[tuple[str, str]]:
    if not service.listens:
        yield "listens on", "nothing that is known"
    for at, listen in enumerate(service.listens):
        how = ", ".join(dict.fromkeys(learnt.how for learnt in listen.learnt))
        outside = wording.published(listen, service.kind)
        yield "listens on" if not at else "", "  ".join(x for x in (wording.port(listen), outside, f"[{how}]") if x)


def _connects(service: Service) -> Iterator[tuple[str, str]]:
    wide = max((len(_arrow(c)) for c in service.connects), default=0)
    troubled = any(wording.troubled(service, c) for c in service.connects)
    for at, connection in enumerate(service.connects):
        text = f"{_arrow(connection):<{min(wide, 44)}}  {wording.story(connection)}"
        if connection.spot is not None:
            text += f"  {connection.spot}"
        places = [spot for spot in connection.read if spot != connection.spot]
        if places:
            text += f"; read in {_places(places)}"
        mark = "! " if wording.troubled(service, connection) else "  "
        yield "connects to" if not at else "", (mark if troubled else "") + text


def _arrow(connection: Connection) -> str:
    if connection.target == "service":
        address = f"  ({connection.address})" if "://" in connection.address else ""
        return f"{wording.target(connection)}{address}"
    return connection.address or "?"


def _places(spots: list[Spot]) -> str:
    listed = ", ".join(str(spot) for spot in spots[:_MOST_READS])
    return f"{listed} and {len(spots) - _MOST_READS} more" if len(spots) > _MOST_READS else listed
