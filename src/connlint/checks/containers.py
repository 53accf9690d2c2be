"""Faults at the seam between services: an address that leads back into the container, a port where nobody listens, a
start that does not wait, a variable that nobody sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from connlint.checks.configured import configured
from connlint.checks.deployed import CODE
from connlint.checks.local_services import unpublished
from connlint.checks.mapped_ports import mapped
from connlint.checks.misnamed import misnamed
from connlint.checks.neighbours import Groups, once
from connlint.checks.ports import wrong_ports
from connlint.checks.readiness import unasked, unready
from connlint.checks.told import Told
from connlint.checks.unset import unset
from connlint.checks.wording import BrowserNames, wording_of
from connlint.model.deployment import Known
from connlint.model.finding import Draft
from connlint.model.rule import Card, Rules
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import words_of


class Tables:
    """The tables of this check, ready to be asked."""

    def __init__(self, rules: Rules) -> None:
        self.images = {name: frozenset(e["ports"]) for e in rules.apis.get("image", ()) for name in e["names"]}
        self._whole = {name: frozenset(e["ports"]) for e in rules.apis.get("opens", ()) if e.get("whole")
                       for name in e["names"]}
        self._called = {name: e.get("called", ()) for e in rules.apis.get("image", ()) for name in e["names"]}
        self._servers = {word for e in rules.apis.get("image", ()) for name in e["names"]
                         for word in (*e.get("called", ()), *words_of(name.rpartition("/")[2]))}
        self._patient = {name for e in rules.apis.get("image", ()) if e.get("patient") for name in e["names"]}
        self._health = {name: e for e in rules.apis.get("health", ()) for name in e["names"]}
        self.connect = _joined(rules, "connects", "words")
        self.other = _joined(rules, "connects", "not")
        self.browser_names = BrowserNames(rules.apis.get("browser", []))
        self.browser_prefixes = self.browser_names.prefixes
        self.given_port = next((e["given"] for e in rules.apis.get("connects", ()) if "given" in e), "")
        self.port_names = tuple(_joined(rules, "connects", "ports"))
        self.plain_bases = _joined(rules, "base_image", "names")
        self.idle = frozenset(_joined(rules, "waits", "idle"))
        self.waits = tuple(word.encode() for word in _joined(rules, "waits", "words"))
        self._loops = [re.compile(pattern.encode()) for pattern in _joined(rules, "waits", "loops")]
        self.listening: dict[int, tuple[Running, set[int]]] = {}
        """What `listens` has answered, with the service, so that no other one takes its place in memory."""

    def is_waited_for(self, one: Running) -> bool:
        """Whether clients of a service with a well-known image wait for it, try again, or connect when first used."""
        return self._image(one.service.image) in self._patient

    def speaks_of_waiting(self, data: bytes) -> bool:
        """Whether code speaks of waiting for another service or of trying again, or does so in a loop."""
        lower = data.lower()
        return any(word in lower for word in self.waits) or any(loop.search(data) for loop in self._loops)

    def names_of(self, one: Running) -> set[str]:
        """The words that a service with a well-known image goes by."""
        return {*words_of(one.name), *self._called.get(self._image(one.service.image), ())}

    def is_a_server(self, words: Iterable[str]) -> bool:
        """Whether one of ``words`` is what a server with a well-known image is called."""
        return not self._servers.isdisjoint(words)

    def says_where(self, name: str) -> bool:
        """Whether a variable of this name says where to connect."""
        words = set(words_of(name))
        return bool(words & self.connect) and not words & self.other and not name.startswith(self.browser_prefixes)

    def may_say_where(self, name: str) -> bool:
        """Whether a variable of this name may be where to connect, of which the code shows that it is used so."""
        return not self.connect.isdisjoint(words_of(name)) and not name.startswith(self.browser_prefixes)

    def for_browsers(self, name: str) -> bool:
        """Whether a browser, and not the container, uses the address."""
        return self.browser_names.say(name)

    def ports_of(self, image: Known | None) -> frozenset[int]:
        """The ports of a well-known image; empty for others."""
        return self.images.get(self._image(image), frozenset())

    def whole_ports_of(self, one: Running) -> frozenset[int]:
        """The ports of a service with an image of which these are all, as far as its variables can be seen."""
        found = self._whole.get(self._image(one.service.image), frozenset()) if not one.open else frozenset()
        unseen = any(known.value is None and "LISTEN" in name for name, known in one.environment.items())
        return frozenset() if unseen or one.commands or one.service.mounts else found

    def health_of(self, one: Running) -> tuple[str, ...]:
        """The test of a health check for a service with a well-known image; empty where none is known."""
        entry = self._health.get(self._image(one.service.image))
        if entry is None or one.service.image is None:
            return ()
        tag = (one.service.image.value or "").partition("@")[0].rpartition("/")[2].partition(":")[2]
        number = re.match(r"\d+", tag)
        old = number is not None and int(number[0]) < entry.get("least", 0)
        return () if old else tuple(entry["test"])

    @staticmethod
    def _image(image: Known | None) -> str:
        """The name of an image without registry and tag; "" where it is not known."""
        name = (image.value or "").partition("@")[0] if image is not None else ""
        head, _, tail = name.rpartition("/")
        name = (head + "/" if head else "") + tail.partition(":")[0]
        return name.removeprefix("docker.io/").removeprefix("library/").removeprefix("index.docker.io/")


def _joined(rules: Rules, role: str, key: str) -> set[str]:
    return {word for entry in rules.apis.get(role, ()) for word in entry.get(key, ())}


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Outcomes: "loopback", "port", "published-port", "mapped", "unpublished", "unready", "connects", "never", "unset",
    "unset-later", "misnamed"; each where a card wants it."""
    tables = Tables(rules)
    running = Services.of(project).running()
    words = wording_of(project, rules.apis)
    groups = Groups(Services.of(project), tables)
    # of all this only addresses in code are reported in code
    whole = not (project.reported and all(path.endswith(CODE) for path in project.reported))
    if "loopback" in card.outcomes and whole:
        yield from once(Told(groups, tables, words, project, rules).drafts())
        yield from once(configured(groups, project, rules))
    if "port" in card.outcomes:
        yield from once(wrong_ports(groups, tables, project, rules, whole))
    if "mapped" in card.outcomes and whole:
        yield from once(mapped(running, tables, project, rules))
    if "unpublished" in card.outcomes:
        yield from unpublished(project, rules)
    if "unready" in card.outcomes and whole:
        yield from unready(running, groups, tables, project, rules)
        yield from once(unasked(running, groups, tables, project))
    if "unset" in card.outcomes and whole:
        yield from unset(running, groups, tables, project, rules)
        yield from misnamed(project)
