"""What deployment files and start commands say about where a service connects.

A variable's value is an address where it is written as one (a scheme, a port), or where the variable's name says so and
the value is the name of a service, loopback or a domain. All else is no address, whatever it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from connlint.checks.containers import Tables
from connlint.checks.wording import Wording
from connlint.map.neighbours import Lead, Neighbours
from connlint.map.places import Lines
from connlint.model.deployment import Known
from connlint.model.map import Connection
from connlint.patterns import regex
from connlint.project.address import HOLE, Host, hosts, is_loopback
from connlint.project.services import Running
from connlint.project.stage import words_of

_HOLES = regex(r"\$(?:\$|\{(\w+)(?:(:?[-?+])((?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+))?\}|\((\w+)\)|(\w+))")
_HOSTS = ("host", "hostname", "hosts", "server", "servers", "addr", "address", "broker", "brokers", "endpoint",
          "endpoints", "upstream", "url", "uri")
_PRIVATE = ("host", "hostname", "server", "addr", "address")
"""Last words of variables whose bare value is the name of a machine."""
_OF_ITSELF = (*_PRIVATE, "base", "root", "url", "uri", "public", "external", "domain", "webhook")
"""Words of variables that, with the name of a program, say where that is to be found."""
_LISTENERS = regex(r"_LISTENERS?$")
"""Variables of brokers that say where these listen."""
_VAGUE = ("base", "api")
"""Words of variables that browsers and servers use alike."""
_LABELLED = regex(r"(?:^|[,; ])[\w-]+:([A-Za-z][\w.-]*):(\d{2,5})(?=[:,; ]|$)")
_NAME = regex(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?$", re.I)
_DOMAIN = regex(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$|\d+(?:\.\d+){3}$", re.I)


_NO_MACHINE = regex(r"0x[0-9a-f]{8,}$")
"""An address on a chain of blocks."""


class Told(Struct, frozen=True):
    """One address that a text holds, and where it leads."""

    host: Host
    lead: Lead
    browser: bool


class Addresses:
    """Answers which addresses the variables and commands of services hold."""

    def __init__(self, tables: Tables, wording: Wording, lines: Lines) -> None:
        self.tables = tables
        self.wording = wording
        self.lines = lines

    def of(self, one: Running, neighbours: Neighbours, supervised: Mapping[str, Known]) -> Iterator[Connection]:
        """What the service's variables and commands connect to, in the order in which they stand; ``supervised`` are
        those that a supervisor gives to its programs."""
        for name, known in {**one.environment, **supervised}.items():
            text = readable(known, one.environment)
            spot = self.lines.spot(known.place)
            found = list(self.told(name, text, one, neighbours))
            for row in found:
                port = row.host.port or self._port_beside(name, row.host, one.environment)
                yield Connection(name, shown(row.host, port), row.lead.target, "deployment", spot, row.lead.service,
                                 row.lead.port or port, row.browser, why=row.lead.why)
            if not found and HOLE in text and self.says_where(name):
                yield Connection(name, "", "unknown", "deployment", spot, why=_unseen(known))
        yield from self._commanded(one, neighbours)

    def built_with(self, one: Running, neighbours: Neighbours) -> Iterator[Connection]:
        """What browsers are told to connect to by variables that the build of the image of ``one`` is given."""
        given = dict(one.service.build_arguments)
        final = one.stage
        for stage in one.image.stages if one.image is not None else ():
            for name, known in (*stage.arguments.items(), *stage.environment.items()):
                if stage is not final and known.value:
                    given.setdefault(name, known)
        for name, known in given.items():
            text = readable(known, {})
            if not name.startswith(self.tables.browser_prefixes) or not text.strip(HOLE):
                continue
            same = one.environment.get(name)
            if same is not None and readable(same, one.environment) == text:
                continue
            for row in self.told(name, text, one, neighbours):
                yield Connection(name, shown(row.host, row.host.port), row.lead.target, "build",
                                 self.lines.spot(known.place), row.lead.service, row.lead.port or row.host.port,
                                 True, why=row.lead.why)

    def says_where(self, name: str) -> bool:
        """Whether a variable of this name says where the service itself connects."""
        others = self.wording.says("bind", name) or self.wording.allows(name, None) or _is_advertised(name)
        return self.tables.says_where(name) and not others

    def told(self, name: str, text: str, one: Running, neighbours: Neighbours, *,
             by_server: bool = False) -> Iterator[Told]:
        """The addresses that ``text``, the value of the variable ``name``, holds.

        ``by_server``: the code of the service is known to use them itself.
        """
        words = words_of(name)
        browsers = self.tables.for_browsers(name)
        if browsers and self._names_a_server(name):
            browsers, by_server = False, True
        for host in self._held(text, neighbours):
            if self.wording.listens(name, host, text) or self.wording.allows(name, host) or host.name == "0.0.0.0":
                continue
            if not by_server and host.scheme in ("", "http", "https") and self.wording.sends(words):
                continue  # people are sent there, and nothing of it is asked
            service = neighbours.named(host.name)
            if service is not None and service == neighbours.names[id(one)]:
                continue
            if host.name.isdigit() or _NO_MACHINE.match(host.name) or _LISTENERS.search(name) or _is_advertised(name):
                continue
            if service is None and _is_its_own(name, one):
                continue
            written = bool(host.scheme) or (host.port is not None and not host.name.isdigit())
            if service is None and not is_loopback(host.name) and not written and not self._names_a_host(host, name):
                continue
            if not written and not (words and set(words) & set(_HOSTS)):
                continue
            if written and not host.scheme and service is None and not set(words) & set(_HOSTS):
                continue
            by_browser = (service is None and browsers and host.scheme in ("", "http", "https", "ws", "wss")
                          and not host.name.endswith(".internal"))
            lead = neighbours.lead(host, one, browser=by_browser, server=by_server)
            yield Told(host, lead, by_browser or lead.browser)

    @staticmethod
    def _held(text: str, neighbours: Neighbours) -> Iterator[Host]:
        """The hosts of a text; of ``label:service:port`` the service."""
        labelled = _LABELLED.findall(text)
        known = [(name, port) for name, port in labelled if neighbours.named(name) is not None]
        if known and len(known) == len(labelled):
            yield from (Host(name, int(port)) for name, port in known)
        else:
            yield from hosts(text)

    def _names_a_server(self, name: str) -> bool:
        """Whether a variable that may be for browsers is called after what it leads to: ``BASE`` and the like say how
        an address is used, and not by whom."""
        if name.startswith(self.tables.browser_prefixes):
            return False
        words = {word for word in words_of(name) if word not in _HOSTS and word not in _VAGUE}
        return bool(words) and not words & self.tables.browser_names.words

    def _names_a_host(self, host: Host, name: str) -> bool:
        """Whether a bare word that names no service is a machine all the same."""
        if _DOMAIN.match(host.name):
            return self.tables.says_where(name)
        return words_of(name)[-1:] != () and words_of(name)[-1] in _PRIVATE and bool(_NAME.match(host.name)) \
            and self.tables.says_where(name)

    def _port_beside(self, name: str, host: Host, environment: Mapping[str, Known]) -> int | None:
        """The port that stands in a variable of its own: ``DB_PORT`` beside ``DB_HOST``."""
        if host.scheme:
            return None
        stem = re.sub(r"(?:HOST(?:NAME)?|SERVER|ADDR(?:ESS)?)$", "", name)
        known = environment.get(f"{stem}PORT") if stem != name else None
        return int(known.value) if known is not None and known.value and known.value.isdigit() else None

    def _commanded(self, one: Running, neighbours: Neighbours) -> Iterator[Connection]:
        seen: set[str] = set()
        for command in one.commands:
            for word in command.words[1:]:
                text = word.value if word.value is not None else word.written
                if text.startswith("-") and "=" in text:
                    text = text.partition("=")[2]
                for host in hosts(text):
                    service = neighbours.named(host.name)
                    if service is None or service == neighbours.names[id(one)] or not (host.scheme or host.port):
                        continue
                    if (address := shown(host, host.port)) not in seen:
                        seen.add(address)
                        spot = self.lines.spot(command.place)
                        yield Connection("", address, "service", "command", spot, service, host.port)


def _is_advertised(name: str) -> bool:
    """Whether a variable says what others are told of the service itself: ``KAFKA_ADVERTISED_HOST_NAME``."""
    return not {"advertise", "advertised"}.isdisjoint(words_of(name))


def _is_its_own(name: str, one: Running) -> bool:
    """Whether a variable says under which name ``one`` itself is to be reached: ``N8N_HOST`` of an image ``n8n``, or
    ``VIRTUAL_HOST``, by which a proxy is told."""
    words = words_of(name)
    if words == ("virtual", "host"):
        return True
    image = one.service.image.value or "" if one.service.image is not None and one.service.build is None else ""
    own = set(words_of(image.rpartition("/")[2].partition(":")[0])) if image else set()
    rest = set(words) - set(_OF_ITSELF)
    return bool(rest) and len(rest) < len(words) and rest <= own


def shown(host: Host, port: int | None) -> str:
    """An address without user, password and path."""
    name = f"[{host.name}]" if ":" in host.name else host.name
    address = name if port is None else f"{name}:{port}"
    return f"{host.scheme}://{address}" if host.scheme else address


def readable(known: Known, environment: Mapping[str, Known], depth: int = 0) -> str:
    """The text of a value, with `HOLE` for what is not known; ``$(OTHER)`` of a manifest is looked up."""
    if known.value is not None:
        return known.value
    if not known.written:
        return HOLE

    def put(hole: re.Match[str]) -> str:
        if hole[4] is not None and depth < 4 and (other := environment.get(hole[4])) is not None:
            return readable(other, environment, depth + 1)
        if (hole[2] or "").lstrip(":") == "-":
            return _HOLES.sub(put, hole[3])
        return HOLE if hole[0] != "$$" else "$"

    text = _HOLES.sub(put, known.written)
    return text if text != known.written else HOLE


def _unseen(known: Known) -> str:
    """Why the value of a variable is not known."""
    names = [hole[1] or hole[4] or hole[5] for hole in _HOLES.finditer(known.written) if hole[0] != "$$"]
    names = [name for name in names if name]
    if names:
        return f"from {' and '.join(dict.fromkeys(names))}, set where it is deployed"
    return "set where it is deployed"
