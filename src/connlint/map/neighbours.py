"""The names by which the services of one deployment reach each other, and what a host leads to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from connlint.model.map import Target
from connlint.project.address import Host, is_loopback
from connlint.project.deployments import Group
from connlint.project.services import Running

_CONTAINERS = ("compose", "kubernetes", "cloud-run", "container-apps", "docker-run", "dockerfile", "fly",
               "app-platform", "beanstalk")
"""Kinds of service whose loopback is their own."""
_CLUSTER = (".svc.cluster.local", ".svc", "")
_USUAL = "default"
"""The namespace of manifests that name none, unless they are applied to another."""


class Lead(Struct, frozen=True):
    """Where a host leads, the name of the service if it is one, and what else is to be said.

    ``port`` is the service's own port where the machine's leads to it; ``browser`` is set where only somebody outside
    of the container finds something there.
    """

    target: Target
    service: str = ""
    why: str = ""
    port: int | None = None
    browser: bool = False


class Neighbours:
    """The services of one deployment by their names, and by the ports that they publish on the machine."""

    def __init__(self, group: Group, names: dict[int, str], listens: dict[str, frozenset[int]],
                 elsewhere: Mapping[str, str]) -> None:
        """``names`` are the services' names by the identity of `Running`; ``listens`` their ports by name;
        ``elsewhere`` the deployments of the same cluster by the names by which their services are reached."""
        self.elsewhere = elsewhere
        self.names = names
        self.listens = listens
        self.hosts: dict[str, str] = {}
        self.published: dict[int, tuple[str, int | None]] = {}
        for one in group.members:
            for host in one.service.hosts:
                self.hosts.setdefault(host.lower(), names[id(one)])
            if one.service.kind == "compose":
                for port in one.service.ports:
                    if port.host:
                        self.published.setdefault(port.host, (names[id(one)], port.container))

    def named(self, host: str) -> str | None:
        """The service that is called ``host``; None where none is."""
        name = host.lower().rstrip(".")
        if name in self.hosts:
            return self.hosts[name]
        for ending in _CLUSTER:
            if name.endswith(ending):
                whole = name.removesuffix(ending)
                service, _, namespace = whole.partition(".")
                if not ending and namespace != _USUAL:
                    return None
                if whole in self.hosts:
                    return self.hosts[whole]
                # a manifest that names no namespace goes into the one that it is applied to
                others = [h for h in self.hosts if h.startswith(service + ".")]
                return self.hosts.get(service) if namespace and not others else None
        return None

    def lead(self, host: Host, one: Running, *, browser: bool = False, server: bool = False) -> Lead:
        """Where ``host``, told to the service ``one`` (or to a browser; to no browser where ``server``), leads."""
        if (name := self.named(host.name)) is not None:
            return Lead("service", name)
        if is_loopback(host.name):
            return self._loopback(host, one, browser, server)
        first, dot, rest = host.name.lower().partition(".")
        inside = one.service.kind == "kubernetes" and (not dot or ".svc." in f".{rest}.")
        if inside and (place := self.elsewhere.get(first)) is not None:
            return Lead("unknown", why=f"it is deployed by {place}")
        if "." in host.name or ":" in host.name:
            return Lead("external")
        return Lead("unknown", why=f"no service here is called {host.name}")

    def _loopback(self, host: Host, one: Running, browser: bool, server: bool) -> Lead:
        service = one.service
        own = self.names[id(one)]
        machine = "docker" in host.name or service.host_network or service.kind not in _CONTAINERS
        through = self.published.get(host.port or 0)
        if browser or machine:
            return self._published(through, own, browser=browser) if through is not None else \
                Lead("machine", browser=browser)
        if host.port is not None:
            for mate in service.mates:
                if host.port in self.listens.get(mate, ()):
                    return Lead("service", mate, "on the loopback that they share")
            if host.port in self.listens.get(own, ()):
                return Lead("itself", why="its own port")
            if through is not None and not server and host.scheme in ("http", "https", "ws", "wss"):
                return self._published(through, own, browser=True)
        if service.mates:
            return Lead("unknown", why=f"the loopback that it shares with {_listed(service.mates)}")
        return Lead("itself")


    @staticmethod
    def _published(through: tuple[str, int | None], own: str, *, browser: bool) -> Lead:
        """Where a port of the machine leads."""
        name, port = through
        if name == own:
            return Lead("machine", why="the port that it publishes itself", browser=browser)
        return Lead("service", name, "through the port that it publishes", port, browser)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
