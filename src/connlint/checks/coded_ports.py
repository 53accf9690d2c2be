"""The port that the code of a service opens by itself: in the one file that it starts, by the one call that serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from connlint.checks.binding import port_of
from connlint.checks.starting import Starting
from connlint.model import program as p
from connlint.model.finding import Place
from connlint.model.rule import Rules
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.serving import Serving, servings
from connlint.project.start import Start
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.values import Values, values_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables


class Opened(Struct, frozen=True):
    """``port`` is opened at ``place``; ``by_default`` where a variable would open another one."""

    port: int
    place: Place
    by_default: bool
    overruled: tuple[Place, ...] = ()
    """Where defaults stand that do not count, as a variable is set."""
    fixed: bool = False
    """Whether no variable has a say in it."""


class CodedPorts:
    """Answers for one project."""

    def __init__(self, project: Project, rules: Rules, tables: Tables) -> None:
        self.project = project
        self.rules = rules
        self.starting = Starting(project, rules, tables)
        calls = {name.rpartition(".")[2] for e in rules.apis.get("serving_call", ()) for name in e["names"]}
        self._words = re.compile(rb"\b(?:" + b"|".join(re.escape(word.encode()) for word in sorted(calls)) + rb")\b")
        self.values: Values = values_of(project, rules.apis)
        self.starts: dict[tuple[str, str], list[Start]] = {}
        for start in Starts.of(project, rules.apis).in_services:
            if start.running is not None:
                self.starts.setdefault(_key(start.running), []).append(start)

    def starts_of(self, one: Running) -> list[Start]:
        """What the service starts, as far as its tools are known."""
        return self.starts.get(_key(one), [])

    def surely(self, one: Running) -> int | None:
        """The only port on which all that the service starts can be seen to listen; None where that is not known."""
        # a script that starts another program is not what listens
        found = [self.opened(start) or _served(start) for start in self.starts_of(one)
                 if start.entry["form"] != "script"]
        known = [opened for opened in found if opened is not None]
        ports = {opened.port for opened in known}
        if len(known) != len(found) or len(found) != len(one.commands) or len(ports) != 1:
            return None
        # who has more variables than can be seen may be told another port
        return None if one.open and any(opened.by_default for opened in known) else ports.pop()

    def opened(self, start: Start) -> Opened | None:
        """The port that the started program opens, if it is seen to serve once: in the file that is started, or else
        while it loads what it is made of."""
        if start.entry["form"] not in ("run", "file"):
            return None
        started = set(targets_of(start))
        modules = [module for path in started if (module := self.project.module(path)) is not None]
        found = [(module, serving) for module in modules for serving in self._servings(module)]
        if not found:
            loaded = self.starting.loaded(started)
            for path in sorted(loaded - started):
                if self._words.search(self.project.tree.read(path) or b"") and (module := self.project.module(path)):
                    found += [(module, serving) for serving in self._servings(module)]
            found = [(module, serving) for module, serving in found
                     if next(self.starting.ways(module, serving.call, loaded, started), None) is not None]
        return self._number(*found[0], start) if len(found) == 1 else None

    def _servings(self, module: Module) -> Iterator[Serving]:
        return servings(module, self.rules.apis.get("serving_call", []), self.project)

    def _number(self, module: Module, serving: Serving, start: Start) -> Opened | None:
        """The port that a call serves on; None where it cannot be known."""
        addressed = bool(serving.entry.get("with_port"))
        value = serving.port()
        if value is None:
            alone = serving.by_itself
            variables = serving.entry.get("port_env", serving.entry.get("env", ()))
            told = any(name in start.environment for name in variables)
            return Opened(alone, serving.place, by_default=False) if alone is not None and not told else None
        place = Place(module.path, value.at)
        if type(value) is p.Number:
            return Opened(int(value.value), place, by_default=False, fixed=True)
        texts: set[str] = set()
        by_default = False
        values = self.values.possible(module, value)
        overruled: tuple[Place, ...] = ()
        for possible in values:
            given = [start.environment[v].value for read in possible.reads for v in read.variables
                    if v in start.environment]
            if given:
                texts, by_default = {given[0] or ""}, False
                overruled = tuple(Place(origin.module.path, origin.node.at) for q in values
                                  if q.absent and (origin := q.origin) is not None)
                break
            by_default = by_default or bool(possible.reads or possible.absent)
            if possible.reads and not possible.absent:
                continue
            text = possible.text or ""
            texts.add(text.rpartition(":")[2] if addressed else text)
        if len(texts) == 1 and (text := texts.pop()).isdigit():
            fixed = not any(possible.reads or possible.absent for possible in values)
            return Opened(int(text), place, by_default, overruled, fixed)
        return None


def _served(start: Start) -> Opened | None:
    """The port on which a server listens that is told so by its options, or has one of its own."""
    if start.entry.get("host") is None or start.configured or start.options.has(start.listed("socket_flags")):
        return None
    listens = start.listed("listens")
    if listens and not any(word.value in listens for word in start.options.plain):
        return None
    told = any(start.options.has(start.listed(key)) for key in ("port_flags", "bind_flags"))
    port = port_of(start) if told or not start.options.unknown else None
    return Opened(port, start.command.place, by_default=not told) if port is not None else None


def _key(one: Running) -> tuple[str, str]:
    return one.deployment.path, one.name
