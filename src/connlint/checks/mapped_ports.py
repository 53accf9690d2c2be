"""Ports that lead into a container where nothing listens: the right side of ``ports:``, a Service's ``targetPort``.

Only where one port is mapped, and where it is known that what runs there listens on another and on no more: the tool's
option or default, the one call that serves in the file that is started, the image of a well-known server. A number
that stands anywhere else in what the service is made of may be listened on after all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connlint.checks.binding import port_of
from connlint.checks.coded_ports import CodedPorts, Opened
from connlint.model.deployment import Port
from connlint.model.finding import Draft, Step
from connlint.model.rule import Rules
from connlint.project.command_ports import mentioned_ports
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.start import Start
from connlint.project.written_ports import asks_for, is_said, spoken_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables

_KINDS = ("compose", "kubernetes", "fly", "docker-run")
_ASKING = ("cloud-run",)
"""Platforms that ask a container on one port, which they tell it in the variable ``PORT``. Where a file says none, the
one stays that was set before."""


def mapped(running: list[Running], tables: Tables, project: Project, rules: Rules) -> Iterator[Draft]:
    """Outcome "mapped"; slots: ``service``, ``port`` (where the mapping leads), ``ports`` (where it listens)."""
    coded = CodedPorts(project, rules, tables)
    for one in running:
        port = _mapped(one)
        ports = _heard(one, coded, tables) if port is not None else None
        if port is None or ports is None:
            continue
        starts = _programs(one, coded)
        opened = coded.opened(starts[0]) if starts and starts[0].entry.get("host") is None else None
        if _may_listen(port, ports, one, opened, project, tables):
            continue
        place = opened.place if opened is not None else starts[0].command.place if starts else one.service.place
        listed = ", ".join(str(number) for number in sorted(ports)[:4])
        yield Draft("mapped", port.place, {"service": one.name, "port": str(port.container), "ports": listed},
                    f"{one.name}:{port.container}", related=(Step(place, f"`{one.name}` listens on {listed}"),))


def _mapped(one: Running) -> Port | None:
    """The one port to which all that asks from outside is led."""
    service = one.service
    if service.kind in _ASKING and one.image is not None and not service.mates and not service.one_shot:
        return next((port for port in service.ports if port.container), None)
    if service.kind not in _KINDS or service.host_network or service.mates:
        return None
    led = [port for port in service.ports if port.host is not None or port.somewhere]
    numbers = {port.container for port in led}
    known = len(numbers) == 1 and led[0].container is not None and all(port.protocol == "tcp" for port in led)
    return led[0] if known else None


def _heard(one: Running, coded: CodedPorts, tables: Tables) -> frozenset[int] | None:
    """The ports on which it listens, where these are all."""
    starts = _programs(one, coded)
    if one.service.build is None and not one.commands:
        # a file that is mounted may be its configuration
        service = one.service
        plain = not service.mounts if service.kind == "compose" else (
            service.kind == "kubernetes" and not service.configured and not service.open)
        return tables.ports_of(one.service.image) or None if plain else None
    # an image that is not seen, or a script, may start more than it is told
    if len(starts) != 1 or len(one.commands) != 1 or len(starts[0].beside) > 1:
        return None
    if one.image is None and not _says_so_itself(one, starts[0]):
        return None
    if starts[0].entry.get("host") is not None:
        number = _told(starts[0], one)
    else:
        opened = coded.opened(starts[0])
        if one.service.kind in _ASKING and (opened is None or opened.by_default):
            return None
        number = coded.surely(one)
    return frozenset((number,)) if number is not None else None


def _programs(one: Running, coded: CodedPorts) -> list[Start]:
    """What the service starts, without the scripts of packages that start something else in their turn."""
    return [start for start in coded.starts_of(one) if start.entry["form"] != "script"]


def _says_so_itself(one: Running, start: Start) -> bool:
    """Whether a manifest alone tells where the container listens, whatever the image: by the command that it puts in
    the place of the image's, and once more by the one port that it declares."""
    told = any(start.options.has(start.listed(key)) for key in ("port_flags", "bind_flags"))
    declared = {port.container for port in one.service.ports if port.host is None and not port.somewhere}
    return one.service.kind == "kubernetes" and one.service.entrypoint == () and told and declared == {port_of(start)}


def _told(start: Start, one: Running) -> int | None:
    """The port of a server that takes it as an option, or has one of its own."""
    if start.configured or start.options.has(start.listed("socket_flags")):
        return None
    told = any(start.options.has(start.listed(key)) for key in ("port_flags", "bind_flags"))
    if not told and (one.open or one.service.kind in _ASKING) and start.listed("port_env"):
        return None  # who sets more variables than can be seen may set this one
    return port_of(start)


def _may_listen(port: Port, ports: frozenset[int], one: Running, opened: Opened | None, project: Project,
                tables: Tables) -> bool:
    """Whether it listens there, or may for all that is known; ``opened`` is what its code opens by itself."""
    number = port.container
    assert number is not None
    exposed = {p.container for p in one.stage.exposed} if one.stage is not None else set()
    mentioned = {n for command in one.commands for n in mentioned_ports([word.value for word in command.words])}
    # code that opens the same port whatever it is told takes no variable for it
    fixed = opened is not None and opened.fixed
    said = any(spoken_of(number, known.value or known.written)
               and not (fixed and name == tables.given_port and not asks_for(name, one, project.tree))
               for name, known in one.environment.items())
    if number in ports or number in mentioned or said:
        return True
    # one port that an image declares does nothing: it may have been forgotten; of several each has its reason
    if number in exposed and len(exposed) > 1:
        return True
    # what the image declares as well is all
    return (one.service.build is not None and exposed != ports
            and is_said(number, one, opened.overruled if opened is not None else (), project.tree,
                    tables.given_port))
