"""The port that the code of a service opens by itself: in the one file that it starts, by the one call that serves."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from connlint.model import program as p
from connlint.model.finding import Place
from connlint.model.rule import Rules
from connlint.project.answer import Found
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.serving import Serving, servings
from connlint.project.starts import Start, Starts
from connlint.project.values import Values, values_of


class Opened(Struct, frozen=True):
    """``port`` is opened at ``place``; ``by_default`` where a variable would open another one."""

    port: int
    place: Place
    by_default: bool


class CodedPorts:
    """Answers for one project."""

    def __init__(self, project: Project, rules: Rules) -> None:
        self.project = project
        self.rules = rules
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
        found = [self.opened(start) for start in self.starts_of(one) if start.entry["form"] != "script"]
        known = [opened for opened in found if opened is not None]
        ports = {opened.port for opened in known}
        if len(known) != len(found) or len(found) != len(one.commands) or len(ports) != 1:
            return None
        # who has more variables than can be seen may be told another port
        return None if one.open and any(opened.by_default for opened in known) else ports.pop()

    def opened(self, start: Start) -> Opened | None:
        """The port that the started file opens, if it is seen to serve once."""
        for module in self.run_by(start):
            found = list(servings(module, self.rules.apis.get("serving_call", [])))
            if len(found) == 1:
                return self._number(module, found[0], start)
        return None

    def run_by(self, start: Start) -> Iterator[Module]:
        """The file of the project that an interpreter is told to run, if it is one for certain."""
        target = start.module_target or start.target
        if target is None or start.entry["form"] not in ("run", "file"):
            return
        path = target.module if target.is_path else target.module.replace(".", "/") + ".py"
        files = {answer.path for ground in start.grounds if isinstance(answer := ground.find(path), Found)}
        if len(files) == 1 and not (file := files.pop()).endswith("/"):
            if (module := self.project.module(file)) is not None:
                yield module

    def _number(self, module: Module, serving: Serving, start: Start) -> Opened | None:
        """The port that a call serves on; None where it cannot be known."""
        addressed = bool(serving.entry.get("with_port"))
        value = serving.port(module)
        if value is None:
            return None
        place = Place(module.path, value.at)
        if type(value) is p.Number:
            return Opened(int(value.value), place, by_default=False)
        texts: set[str] = set()
        by_default = False
        for possible in self.values.possible(module, value):
            told = [start.environment[v].value for read in possible.reads for v in read.variables
                    if v in start.environment]
            if told:
                texts, by_default = {told[0] or ""}, False
                break
            by_default = by_default or bool(possible.reads or possible.absent)
            if possible.reads and not possible.absent:
                continue
            text = possible.text or ""
            texts.add(text.rpartition(":")[2] if addressed else text)
        if len(texts) == 1 and (text := texts.pop()).isdigit():
            return Opened(int(text), place, by_default)
        return None


def _key(one: Running) -> tuple[str, str]:
    return one.deployment.path, one.name
