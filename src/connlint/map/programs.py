"""What a service runs when it is started: its commands, what their scripts run, and the files of the project."""

from __future__ import annotations

import posixpath
import re
import tomllib
from functools import cached_property

from msgspec.structs import replace

from connlint.map.origins import Origins
from connlint.map.places import Lines
from connlint.model.deployment import Command
from connlint.model.map import Program
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Found
from connlint.project.compiled import likely_source
from connlint.project.grounds import Inside, contexts_of
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.start import Start
from connlint.project.starts import Ran, Starts
from connlint.project.targets import targets_of

_SAYS_NOTHING = ("echo", "printf", "exit", "true", ":", "set", "cd", "sleep", "return", "test", "[", "export", "mkdir",
                 "chown", "chmod", "cat", "touch", "source", ".", "trap", "wait", "shift", "read", "kill", "rm", "cp",
                 "mv", "ln")
"""Programs that a script runs beside what it is there for."""
_HANDED = regex(r"[\"']?\$[@*{]")
"""The first word of a command that a script was handed."""


class Programs:
    """Answers what services run; made once per map."""

    def __init__(self, project: Project, rules: Rules, lines: Lines) -> None:
        self.project = project
        self.rules = rules
        self.lines = lines
        self.starts = Starts.of(project, rules.apis)
        self.services = Services.of(project)
        self.migrations = tuple(m for entry in rules.apis.get("dials", ()) for m in entry.get("migrations", ()))

    def of(self, one: Running) -> tuple[Program, ...]:
        """What ``one`` runs, in order: all of its own commands, and of scripts those that are known to start something,
        and the last, which goes on running."""
        rows = list(self.starts.ran(one))
        kept = [ran for at, ran in enumerate(rows) if ran.depth == 0 or self._counts(ran, at == len(rows) - 1)]
        return tuple(dict.fromkeys(
            Program(written(ran.command), self.file(ran, one), self.lines.spot(ran.command.place), ran.depth)
            for ran in kept))

    def _counts(self, ran: Ran, last: bool) -> bool:
        first = ran.command.words[0].value if ran.command.words else None
        if first is None or posixpath.basename(first) in _SAYS_NOTHING or _HANDED.match(first):
            return False
        if last or ran.script or ran.beside or ran.start is not None:
            return True
        if first in self.installed:
            return True
        text = " ".join(word.value or "" for word in ran.command.words)
        return any(migration in text for migration in self.migrations)

    def file(self, ran: Ran, one: Running) -> str:
        """The file of the project that a command starts; "" where it is none, or not known."""
        start = ran.start
        if start is None:
            name = ran.command.words[0].value if ran.command.words else None
            files = self.installed.get(name or "", frozenset())
            return next(iter(files)) if len(files) == 1 else ""
        if (ran.script and start.entry["form"] == "script"):
            return ""
        if len(start.grounds) > 1:
            # an image may be built from several folders, and the file stands in one of them
            found = {next(targets_of(replace(start, grounds=(ground,))), None) for ground in start.grounds} - {None}
            return found.pop() or "" if len(found) == 1 else ""
        return next(targets_of(start), None) or self._found_by_itself(start) or self._built(start, one) or ""

    @cached_property
    def installed(self) -> dict[str, frozenset[str]]:
        """The files of the programs that the project's own packages of Python install, by name."""
        found: dict[str, set[str]] = {}
        for path in sorted(self.project.tree.paths):
            if posixpath.basename(path) != "pyproject.toml":
                continue
            try:
                table = tomllib.loads((self.project.tree.read(path) or b"").decode())
            except (UnicodeDecodeError, tomllib.TOMLDecodeError):
                continue
            poetry = jsonc.mapping(jsonc.mapping(table.get("tool")).get("poetry"))
            scripts = (jsonc.mapping(owner.get("scripts")) for owner in (jsonc.mapping(table.get("project")), poetry))
            for name, target in (pair for rows in scripts for pair in rows.items()):
                stem = str(target).partition(":")[0].replace(".", "/")
                places = (posixpath.join(posixpath.dirname(path), inside, stem + ending)
                          for inside in ("", "src") for ending in (".py", "/__init__.py"))
                found.setdefault(name, set()).update(place for place in places if place in self.project.tree.paths)
        return {name: frozenset(files) for name, files in found.items()}

    def _found_by_itself(self, start: Start) -> str | None:
        """What the tool starts where its command names nothing."""
        if start.target is not None or start.options.plain or start.module_target is not None:
            return None
        if start.options.has(start.listed("entry_flags")) or len(start.grounds) != 1:
            return None
        answers = (start.grounds[0].find(name) for name in start.listed("looks_for"))
        return next((a.path for a in answers if isinstance(a, Found) and not a.path.endswith("/")), None)

    def _built(self, start: Start, one: Running) -> str | None:
        """The source of a program that a build stage makes, and that is copied from there."""
        target = start.target
        if target is None or not target.is_path or start.entry["language"] != "javascript" or one.image is None:
            return None
        if len(start.grounds) != 1 or not isinstance(start.grounds[0], Inside) or one.stage is None:
            return None
        inside = posixpath.normpath(posixpath.join(start.grounds[0].folder, target.module))
        contexts = contexts_of(one.service, one.image, self.project.tree)
        origin = Origins(self.services, one.image, contexts[0]).of(inside, one.stage) if len(contexts) == 1 else None
        if origin is None or not origin.rest:
            return origin.path if origin is not None and origin.path in self.project.tree.paths else None
        return likely_source(self.project.tree, "" if origin.path == "." else origin.path, origin.rest)


def written(command: Command) -> str:
    """A command as one line, without what looks like a secret."""
    return discreet([word.written if word.value is None else word.value for word in command.words])


_SECRET = regex(r"pass|secret|token|key|auth|pwd|credential", re.I)
_ASSIGNED = regex(r"([\w.-]*(?:pass|secret|token|key|pwd|credential)[\w.-]*[= ])"
                  r"(\"[^\"]*\"|'[^']*'|[^\s\"']+)", re.I)
_USER = regex(r"(://)[^\s/@]+@")


def discreet(words: list[str]) -> str:
    """A command as one line, without what looks like a secret."""
    shown_: list[str] = []
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if before.startswith("-") and "=" not in before and _SECRET.search(before) and not word.startswith("-"):
            shown_.append("…")
        else:
            shown_.append(_USER.sub(r"\1", _ASSIGNED.sub(r"\1…", word)))
    return " ".join(shown_)
