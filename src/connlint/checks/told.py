"""Containers that are told to reach another service at loopback, which is the container itself.

Told by a variable, or by a word of the command. What a browser on the same machine may use is left alone unless the
service's own code is seen to connect there; so is what somebody would have to switch on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from connlint.checks.deployed import CONTAINERS
from connlint.checks.dialing import Dialing
from connlint.checks.neighbours import Groups, Neighbours, listens, may_listen
from connlint.checks.redirections import to_the_service
from connlint.checks.switches import is_switched_off
from connlint.checks.wording import Wording
from connlint.model.deployment import Known
from connlint.model.finding import Draft, Fix, Place, Step
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.address import Host, hosts, is_loopback
from connlint.project.companions import Companions
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.stage import glued_port, words_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables

_ISOLATED = (*CONTAINERS, "fly", "heroku", "render", "app-engine", "app-runner", "vercel", "serverless",
             "workflow", "app-platform", "nixpacks", "beanstalk")
_DEVELOPED = ("serverless",)
"""Platforms whose files are used on a developer's machine just as well."""
_ON_A_MACHINE = ("compose", "docker-run", "dockerfile", "workflow")
_HOST_WORDS = ("host", "hostname", "addr", "address", "server")
_HOST_NAMES = ("host.docker.internal", "gateway.docker.internal", "docker.for.mac.host.internal")
_ANY = "0.0.0.0"
"""Where a server listens, as a rule; who connects there comes to itself."""
_WEB = ("http", "https", "ws", "wss")
_PUT_ASIDE = regex(rb"\b(?:unused|not used|never used|placeholders?|dummy|dummies)\b", re.I)
_NEAR = 8
"""Lines above a variable in which a remark may stand that speaks of it and of those around it."""


class Told:
    """Asks the services of one project what they are told."""

    def __init__(self, groups: Groups, tables: Tables, wording: Wording, project: Project, rules: Rules) -> None:
        self.groups, self.tables, self.wording, self.project = groups, tables, wording, project
        self.companions = Companions.of(project, rules.apis)
        self.dialing = Dialing.of(project, rules)

    def drafts(self) -> Iterator[Draft]:
        """Outcomes: "loopback", and "baked" where only the image says so and whoever runs it may say otherwise."""
        for beside in self.groups.all:
            for one in beside.members:
                service = one.service
                if service.host_network or service.mates:
                    continue
                if service.kind in _ISOLATED:
                    yield from self._by_variables(one, beside)
                    yield from self._by_commands(one, beside)
                elif service.kind == "dockerfile":
                    yield from self._by_image(one)

    # -- by variables -------------------------------------------------------------------------------------------------

    def _by_variables(self, one: Running, beside: Neighbours) -> Iterator[Draft]:
        image = one.image.path if one.image is not None else ""
        for name, known in one.environment.items():
            of_image = known.place.path == image
            if self.groups.is_told_otherwise(name, known.place, one, override=not of_image):
                continue
            if is_switched_off(name, one.environment):
                continue
            for host in self._led_back(name, known, one):
                target = beside.server_on(host.port, one)
                if host.name == _ANY and (target is None or not host.scheme):
                    continue
                dialed = None
                others = self.tables.for_browsers(name) or self.wording.says("test", name)
                if others or not self._is_meant(name, host, target, one, beside):
                    if self._may_dial(name, host, target):
                        dialed = self.dialing.dials(one, name, surely=target is None)
                    if dialed is None:
                        continue
                if self._is_put_aside(known.place):
                    break
                elsewhere = one.service.kind == "compose" and known.place.path not in (*beside.group.files, image)
                if elsewhere and not self._asks_for(one, name, known, target, beside):
                    # a file that several services are given says more than each of them needs
                    continue
                port = host.port if host.port is not None else _port_beside(name, one)
                fix = to_the_service(known, host, port, one, beside, self.project)
                yield self._draft("loopback", one, known.place, name, host, target, dialed, fix)
                break

    def _is_put_aside(self, place: Place) -> bool:
        """Whether the remark above the line, or above the lines around it, says that nothing uses what is set."""
        data = self.project.tree.read(place.path) or b""
        above = data[max(0, place.at[0] - _NEAR * 300) : place.at[0]].split(b"\n")[:-1][-_NEAR:]
        remark: list[bytes] = []
        for line in reversed(above):
            text = line.strip()
            if text.startswith(b"#"):
                remark.append(text)
            elif remark or not text:
                break
        return _PUT_ASIDE.search(b" ".join(remark)) is not None

    def _led_back(self, name: str, known: Known, one: Running) -> Iterator[Host]:
        """The loopback hosts in a variable at which something else than the service itself has to listen."""
        image = one.image.path if one.image is not None else ""
        for host in hosts(known.shape) if not name.startswith(self.tables.browser_prefixes) else ():
            if not is_loopback(host.name) or host.name in _HOST_NAMES or host.port in may_listen(one, self.tables):
                continue
            if self.wording.listens(name, host, known.shape) or self.wording.allows(name, host):
                continue
            if self.wording.agent(name, host) or (image and self.companions.inside(image, (name,), host)):
                continue
            if host.port is None and (port := _port_beside(name, one)) not in listens(one, self.tables):
                host = replace(host, port=port)
            yield host

    def _is_meant(self, name: str, host: Host, target: Running | None, one: Running, beside: Neighbours) -> bool:
        """Whether the container itself uses the address: a browser on the same machine may be meant by one of the web.
        """
        if one.service.kind in _DEVELOPED:
            return False
        words = words_of(name)
        on_a_machine = one.service.kind in _ON_A_MACHINE
        if host.scheme in _WEB:
            if not on_a_machine:
                return target is not None or self.tables.says_where(name)
            return target is not None and not _is_published(target, host)
        if target is not None:
            # a name and a port that stand apart are often handed to a browser, which opens a socket there
            apart = not host.scheme and _port_beside(name, one) == host.port
            known = self.tables.ports_of(target.service.image)
            return not apart or bool(known) or not _is_published(target, host)
        if host.scheme and on_a_machine:
            # with no such server among the others, the image may hold one, or nobody may ask for it
            return bool(beside.called((*words, host.scheme.partition("+")[0]), one))
        if host.scheme:
            return True
        # `X_HOST` is the host of X only where there is an X; else it may be the service's own name
        if len(words) < 2 or words[-1] not in _HOST_WORDS:
            return False
        return bool(beside.called(words[:-1], one)) or (not on_a_machine and self.tables.is_a_server(words[:-1]))

    def _may_dial(self, name: str, host: Host, target: Running | None) -> bool:
        """Whether it is worth asking the code: for an address, or the host of a server that is known."""
        if host.port is not None:
            return bool(target is not None or host.scheme)
        words = words_of(name)
        return (bool(host.scheme) and host.scheme not in _WEB) or (
            len(words) > 1 and words[-1] in _HOST_WORDS and self.tables.is_a_server(words[:-1]))

    def _asks_for(self, one: Running, name: str, known: Known, target: Running | None, beside: Neighbours) -> bool:
        """Whether a service is the only one that is given the file, or says that it needs the server that is meant."""
        path = known.place.path
        given = [other for other in beside.members if path in other.service.env_files
                 or any(theirs.place.path == path for theirs in other.environment.values())]
        if len(given) == 1:
            return True
        if one.image is None and one.service.build is None and not self.tables.names_of(one) & set(words_of(name)):
            # a published image reads the variables it is documented to read, and of these they are not
            return False
        needed = {dependency.on for dependency in one.service.dependencies}
        if target is not None:
            return target.name in needed
        return any(other.name in needed for other in beside.called(words_of(name)[:-1], one))

    # -- by an image alone --------------------------------------------------------------------------------------------

    def _by_image(self, one: Running) -> Iterator[Draft]:
        """What an image that no deployment of the project builds says where its own code connects to."""
        elsewhere = [other for other in self.dialing.code.running if other.service.kind != "dockerfile"]
        for name, known in one.environment.items():
            if any(name in other.environment for other in elsewhere) or is_switched_off(name, one.environment):
                continue
            for host in self._led_back(name, known, one):
                if host.name == _ANY:
                    continue
                if (dialed := self.dialing.dials(one, name, surely=True)) is not None:
                    yield self._draft("baked", one, known.place, name, host, None, dialed)
                    break

    # -- by commands --------------------------------------------------------------------------------------------------

    def _by_commands(self, one: Running, beside: Neighbours) -> Iterator[Draft]:
        """Words of a command that name a server at loopback, where such a server is a container of its own."""
        for command in one.commands if len(one.commands) == 1 else ():
            for word in command.words[1:]:
                text = word.value or ""
                if text.startswith("-"):
                    text = text.partition("=")[2]
                found = next(iter(hosts(text)), None) if "://" in text else None
                if found is None or found.scheme in _WEB or not is_loopback(found.name):
                    continue
                if found.name in (*_HOST_NAMES, _ANY):
                    continue
                scheme = found.scheme.partition("+")[0]
                target = beside.server_on(found.port, one) or next(iter(beside.called((scheme,), one)), None)
                if target is not None and self.tables.is_a_server((scheme,)) and word.place.path == command.place.path:
                    yield self._draft("loopback", one, word.place, "its command", found, target, None)

    def _draft(self, outcome: str, one: Running, place: Place, name: str, host: Host, target: Running | None,
               dialed: Place | None, fix: Fix | None = None) -> Draft:
        inner = next((p.container for p in target.service.ports if p.host == host.port and p.container != host.port),
                     None) if target is not None else None
        where = f"{inner}, and is published as {host.port}" if inner is not None else host.port
        hint = f"; `{target.name}` listens on {where}" if target is not None and host.port is not None else ""
        slots = {"service": one.name, "variable": name, "address": str(host), "hint": hint}
        steps = [Step(target.service.place, f"`{target.name}` is a container of its own")] if target else []
        steps += [Step(dialed, f"`{one.name}` itself connects to {name} here")] if dialed else []
        return Draft(outcome, place, slots, f"{one.name}:{name}", related=tuple(steps), fix=fix)


def _is_published(target: Running, host: Host) -> bool:
    return any(port.host == host.port for port in target.service.ports)


def _port_beside(name: str, one: Running) -> int | None:
    """The port that belongs to a variable with a host alone: X_PORT of X_HOST."""
    head, _, last = name.rpartition("_")
    beside = f"{head}_PORT" if last.lower() in _HOST_WORDS else glued_port(name)
    known = one.environment.get(beside) if beside is not None else None
    return int(known.value) if known is not None and known.value is not None and known.value.isdigit() else None
