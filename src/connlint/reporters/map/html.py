"""The map as one page: a picture of every deployment, and below it what is known of each service.

The page holds all it shows: no script, no font, no image, no request. Light and dark follow the reader's settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from connlint.model.map import Connection, Deployment, Map, Service, Spot, Trouble
from connlint.reporters import Options
from connlint.reporters.map import wording
from connlint.reporters.map.style import STYLE
from connlint.reporters.map.svg import picture

_OPENED = 15
"""Up to so many services of a deployment are shown in full at once."""
_OPEN = ' open="open"'
_LEGEND = (
    "<span>set by the deployment, or written in code</span>"
    '<span class="default">the default of the code, or not set</span>'
    '<span class="browser">from a browser, or only started after</span>'
    '<span class="bad">something is wrong</span><span class="unknown">not known</span>'
    '<span class="beside">leads there, too, as most do: without a line</span>'
)

def render(map_: Map, options: Options) -> str:
    """The page."""
    return "".join(_page(map_))


def _page(map_: Map) -> Iterator[str]:
    title = f"{map_.name}: what is deployed"
    yield ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
           '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
           f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
           f"<h1>{_text(map_.name)}</h1>\n")
    services = sum(len(deployment.services) for deployment in map_.deployments)
    counted = f"{wording.count(services, 'service')} in {wording.count(len(map_.deployments), 'deployment')}"
    yield (f"<p>{counted}, as far as the files of the project show. What is not known is drawn as not known.</p>\n")
    if len(map_.deployments) > 1:
        yield "<nav>\n"
        for number, deployment in enumerate(map_.deployments):
            yield f'<a href="#d{number}">{_text(deployment.name)}</a>{_counts(deployment.troubles)}\n'
        yield "</nav>\n"
    yield f'<div class="legend">{_LEGEND}</div>\n</header>\n<main>\n'
    for number, deployment in enumerate(map_.deployments):
        yield from _deployment(deployment, f"d{number}")
    if not map_.deployments:
        yield "<p>No compose file, manifest, Dockerfile or Procfile was found.</p>\n"
    if map_.unread:
        yield "<h2>Not read</h2>\n<ul>\n"
        for path, why in map_.unread:
            yield f"<li><code>{_text(path)}</code> {_text(why)}</li>\n"
        yield "</ul>\n"
    yield f"</main>\n<footer>Drawn by connlint {_text(map_.version)}.</footer>\n</body>\n</html>\n"


def _deployment(deployment: Deployment, prefix: str) -> Iterator[str]:
    yield f'<section>\n<h2 id="{prefix}">{_text(deployment.name)}</h2>\n'
    about = f"{wording.kind(deployment.kind)}, {wording.count(len(deployment.services), 'service')}"
    if len(deployment.files) > 1:
        about += f", from {', '.join(deployment.files)}"
    yield f"<p>{_text(about)}</p>\n"
    for note in deployment.notes:
        yield f'<p class="q">{_text(note)}</p>\n'
    yield f'<div class="frame">{picture(deployment, prefix)}</div>\n<div class="services">\n'
    for number, service in enumerate(deployment.services):
        opened = len(deployment.services) <= _OPENED or any(t.level != "note" for t in service.troubles)
        yield from _service(service, f"{prefix}-{number}", opened)
    yield "</div>\n</section>\n"


def _service(service: Service, anchor: str, opened: bool) -> Iterator[str]:
    tags = [*(f"profile {p}" for p in service.profiles), *(["ends by itself"] if service.job else []),
            *(["health check"] if service.health else [])]
    yield f"<details{_OPEN if opened else ''}>\n<summary>{_text(service.name)}{_counts(service.troubles)}"
    yield "".join(f'<span class="tag">{_text(tag)}</span>' for tag in tags)
    yield f'</summary>\n<div id="{anchor}">\n<dl>\n'
    yield from _rows("made from", [f"{_text(wording.origin(service))} {_place(service.spot)}"])
    if service.code and service.code != (service.build,):
        yield from _rows("code", [_text(", ".join(service.code))])
    elif service.build and not service.code:
        yield from _rows("code", [f'<span class="q">{wording.UNREAD}</span>'])
    if service.shared:
        yield from _rows("shares", [f"code with {_text(', '.join(service.shared))}"])
    label = "arguments" if service.command and service.command[0].startswith("-") else "starts"
    yield from _rows(label, [f"<code>{_text(wording.program(run))}</code>" for run in service.runs])
    yield from _rows("listens on", list(_listens(service)) or ['<span class="soft">nothing that is known</span>'])
    yield from _rows("connects to", [_connection(connection, service) for connection in service.connects])
    yield from _rows("waits for", [f"{_text(wording.waits(wait))} {_place(wait.spot)}" for wait in service.waits])
    yield from _rows("open", [f'<span class="q">more variables may be set: {_text(why)}</span>'
                              for why in service.open])
    yield "</dl>\n"
    if service.troubles:
        yield "<ul>\n"
        for trouble in service.troubles:
            yield (f'<li class="trouble {trouble.level}"><b>{trouble.level} {_text(trouble.rule)}</b> '
                   f"{_text(trouble.message)} {_place(trouble.spot)}</li>\n")
        yield "</ul>\n"
    yield "</div>\n</details>\n"


def _rows(label: str, texts: list[str]) -> Iterator[str]:
    if texts:
        yield f"<dt>{label}</dt>" + "".join(f"<dd>{text}</dd>" for text in texts) + "\n"


def _listens(service: Service) -> Iterator[str]:
    for listen in service.listens:
        how = ", ".join(f"{_text(learnt.how)} {_place(learnt.spot)}" for learnt in listen.learnt)
        outside = wording.published(listen, service.kind)
        yield f'<b>{_text(wording.port(listen))}</b> {_text(outside)} <span class="soft">by {how}</span>'


def _connection(connection: Connection, service: Service) -> str:
    known = connection.address or connection.service
    where = _text(wording.target(connection)) if known else '<span class="q">?</span>'
    address = f" <code>{_text(connection.address)}</code>" if "://" in connection.address and connection.service else ""
    spots = [spot for spot in dict.fromkeys((connection.spot, *connection.read)) if spot is not None]
    places = [_place(spot) for spot in spots]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    mark = '<span class="tag error">wrong</span>' if wording.troubled(service, connection) else ""
    return (f"<b>{where}</b>{address}{mark} <span class=\"soft\">{_text(wording.story(connection))}</span> "
            f"{' '.join(places[:3])}{more}")


def _counts(troubles: tuple[Trouble, ...]) -> str:
    return "".join(f'<span class="tag {level}">{_text(wording.count(number, level))}</span>'
                   for level in ("error", "warning", "note")
                   if (number := sum(trouble.level == level for trouble in troubles)))


def _place(spot: Spot | None) -> str:
    return f'<code class="soft">{_text(str(spot))}</code>' if spot is not None else ""


def _text(text: str) -> str:
    return escape("".join(c for c in text if c.isprintable()), quote=True)
