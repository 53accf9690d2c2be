"""The commands of a project that start servers and workers: those of services, of scripts and of code.

What tools there are and what their options mean stands in the table `server`; nothing here knows one by name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.languages.deployment.dockerfile import workdir
from connlint.languages.deployment.files import kind_of
from connlint.languages.deployment.shell import is_script, is_shell_script, read_commands, script_name
from connlint.languages.deployment.spans import json_spans
from connlint.model.deployment import UPON_MACHINE, Command, Deployment, Known, Word
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Found
from connlint.project.coded_commands import commands_in_code, listed_commands
from connlint.project.command_words import Entry, Options, behind_waiting, first_plain, read_options
from connlint.project.grounds import Folder, Ground, grounds_of, stepped
from connlint.project.importers import CODE
from connlint.project.own_ports import of_version
from connlint.project.project import Project
from connlint.project.services import PROGRAMS, Running, Services
from connlint.project.start import Start
from connlint.project.supervision import Supervision
from connlint.project.tree import above

_OTHER_FILES = regex(
    rb"actions/checkout[^\n]*+\n(?:[ \t]++(?!- )[^\n]*+\n)*?[ \t]++(?:path|repository):"
    rb"|download-artifact|git clone|tar -x|unzip"
)
"""How files come to a workflow that are not those of the project."""
_VARIABLE = regex(r"\$(?:\{\w+\}|\w+)")


class Ran(Struct, frozen=True):
    """A command that a service runs: ``start`` where its tool is known; ``depth`` counts the scripts that it stands in.

    ``script`` says that it runs one whose commands are known, and so follow; ``beside`` that it goes on running beside
    others that one supervisor starts.
    """

    command: Command
    start: Start | None
    depth: int
    script: bool
    beside: bool = False


def _program_at(ground: Ground, name: str) -> str | None:
    """The file of the project that is run as ``name``: a path, or a program that is looked for where programs are."""
    places = (name,) if "/" in name else (name, *(f"{place}/{name}" for place in PROGRAMS))
    answers = (ground.find(place) for place in places)
    return next((a.path for a in answers if isinstance(a, Found) and not a.path.endswith("/")), None)


def _handed_on(start: Start) -> tuple[Word, ...]:
    """The words that a package manager puts behind the last command of a script: npm those behind ``--``, and what is
    no option."""
    words, target = start.command.words, start.target
    at = next((i for i, word in enumerate(words)
               if target is not None and word.place == target.place and word.value == target.text), len(words))
    behind = words[at + 1 :]
    dashes = next((i for i, word in enumerate(behind) if word.value == "--"), None)
    if start.tool == "npm" and dashes is None:
        return tuple(word for word in behind if not (word.value or word.written).startswith("-"))
    return tuple(word for i, word in enumerate(behind) if i > dashes) if dashes is not None else tuple(behind)


class Starts:
    """Every start of a project."""

    def __init__(self, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> None:
        self.project = project
        self.services = Services.of(project)
        self.supervision = Supervision(project.tree)
        self._supervised_by: dict[int, dict[str, Known]] = {}
        self.plain_bases = frozenset(name for row in apis.get("base_image", ()) for name in row["names"])
        self.programs: dict[str, list[dict[str, Any]]] = {}
        for entry in apis.get("server", ()):
            for program in entry["programs"]:
                self.programs.setdefault(program, []).append(entry)
        self.interpreters = {p for e in apis.get("server", ()) if e["form"] == "run" for p in e["programs"]}

    @classmethod
    def of(cls, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> Starts:
        """The one `Starts` of a project."""
        return project.single(cls, project, apis)

    def standing_in(self, paths: Collection[str] | None) -> list[Start]:
        """Every command of a known tool: of services first, then of scripts, recipes and workflows, then of code.

        Where ``paths`` are all code, only the starts that stand in them: no deployment file is read for these.
        """
        if paths is None or not all(path.endswith(CODE) for path in paths):
            return [*self.in_services, *self._in_scripts, *self._in_code(self.project.tree.paths)]
        return self._in_code(paths)

    @cached_property
    def in_services(self) -> list[Start]:
        """Every command of a known tool that a service runs."""
        found: list[Start] = []
        # what a container is seen to supervise is not started by itself
        rows = sorted((*self.services.running(), *self.overruled()), key=lambda it: it.service.kind == "supervisor")
        for running in rows:
            if self.is_followed(running):
                continue
            for command in running.commands:
                grounds = grounds_of(running, command, self.services, self.plain_bases)
                if running.service.kind in UPON_MACHINE:
                    # the folder of the machine holds the project, or a folder of it
                    found += self._of_unit(command, running)
                    continue
                environment = {**running.environment, **command.assignments}
                found += self._with_behind(command, running, tuple(grounds), environment, running.commands)
        return found

    @cached_property
    def _in_scripts(self) -> list[Start]:
        found: list[Start] = []
        for deployment, command in self.services.loose_commands():
            # beside a script that an image starts stands what another stage has built
            built = any(fnmatchcase(posixpath.basename(deployment.path), name) for name in self._among_built)
            guessed = () if built else tuple(self._guessed(deployment, command))
            loose = posixpath.basename(deployment.path) != "package.json"
            if start := self.read(command, deployment.path, None, guessed, command.assignments, loose):
                found.append(start)
        return found

    def _in_code(self, paths: Collection[str]) -> list[Start]:
        found: list[Start] = []
        entries = [entry for rows in self.programs.values() for entry in rows]
        calls = {call: entry for entry in entries for call in entry.get("calls_in_code", ())}
        for command in commands_in_code(self.project, calls, paths):
            path = command.place.path
            folders = tuple(Folder(self.project.tree, folder) for folder in above(posixpath.dirname(path)))
            if start := self.read(command, path, None, folders, {}, True):
                found.append(start)
        for command in listed_commands(self.project, paths):
            places = (Folder(self.project.tree, place) for place in dict.fromkeys((command.folder or "", "")))
            if start := self.read(command, command.place.path, None, tuple(places), {}, True):
                found.append(start)
        return found

    def is_followed(self, running: Running) -> bool:
        """Whether ``running`` is a program of a supervisor that a container has been seen to start."""
        return running.service.kind == "supervisor" and running.deployment.path in self.supervision.followed

    def supervised(self, running: Running) -> dict[str, Known]:
        """The variables that a supervisor of ``running`` gives to its programs, by name."""
        if id(running) not in self._supervised_by:
            self._supervised_by[id(running)] = {name: known for row in self.ran(running) if row.beside
                                                for name, known in row.command.assignments.items()}
        return self._supervised_by[id(running)]

    def of_service(self, running: Running) -> list[Start]:
        """The starts of one service."""
        return self._by_service.get(id(running), [])

    @cached_property
    def _by_service(self) -> dict[int, list[Start]]:
        found: dict[int, list[Start]] = {}
        for start in self.in_services:
            if start.running is not None:
                found.setdefault(id(start.running), []).append(start)
        return found

    def overruled(self) -> Iterator[Running]:
        """Images whose own command no service runs, since all that build them say another: whoever deploys the image
        elsewhere runs it."""
        running = self.services.running()
        ran = {command.place.path for one in running for command in one.commands}
        for path, image in self.services.images().items():
            contexts = {one.service.build for one in running if one.image is image}
            if path not in ran and len(contexts) == 1:
                if (alone := self.services.alone(path, image, contexts.pop())) is not None:
                    yield alone

    def _of_unit(self, command: Command, running: Running) -> Iterator[Start]:
        """A command of a systemd unit, which may run in any folder around the unit, or in one called as its own is; or
        a program that is supervised in the one image that speaks of it."""
        inside = self._supervised(command, running) or self._checked_out(command, running)
        name = posixpath.basename((running.service.folder or "").rstrip("/"))
        places = [*above(posixpath.dirname(running.deployment.path)),
                  *sorted(f for f in self.project.tree.folders if name and posixpath.basename(f) == name)]
        grounds = inside or tuple(Folder(self.project.tree, place) for place in dict.fromkeys(places))
        environment = {**running.environment, **command.assignments}
        start = self.read(command, command.place.path, running, grounds, environment, not inside, running.commands)
        if start is not None:
            yield start

    def _holding(self, start: Start) -> Ground | None:
        """The one of the places where ``start`` may run that holds what it starts; None where none or several do."""
        target = start.module_target or start.target
        if target is None:
            return start.grounds[0] if len(start.grounds) == 1 else None
        stem = target.module if target.is_path else target.module.replace(".", "/")
        files = (stem,) if target.is_path else (f"{stem}.py", f"{stem}/__init__.py", f"{stem}/__main__.py")
        prefixes = start.search or ("",)
        found = [ground for ground in start.grounds
                 if any(isinstance(ground.find(posixpath.join(prefix, file)), Found)
                        for prefix in prefixes for file in files)]
        return found[0] if len(found) == 1 else None

    def _supervised(self, command: Command, running: Running) -> tuple[Ground, ...]:
        """Where a program runs that a supervisor starts; nothing where no image, or more than one, has a supervisor."""
        if kind_of(running.deployment.path) != "supervisor" or running.service.folder is None:
            return ()
        images = {path for path in self.services.images() if b"supervis" in (self.project.tree.read(path) or b"")}
        rows = [one for one in self.services.running() if one.image is not None and one.image.path in images]
        if len(images) != 1 or not rows:
            return ()
        placed = (replace(one, service=replace(one.service, folder=running.service.folder)) for one in rows)
        grounds = [ground for one in placed for ground in grounds_of(one, command, self.services, self.plain_bases)]
        return tuple(ground for at, ground in enumerate(grounds) if ground not in grounds[:at])

    def _checked_out(self, command: Command, running: Running) -> tuple[Ground, ...]:
        """Where on the machine the project lies, by the end of an absolute path to a file of it that is started."""
        folder = running.service.folder
        for word in command.words[:3]:
            path = word.value or ""
            if not path.startswith("/") or not path.endswith(CODE):
                continue
            parts = path.strip("/").split("/")
            # a file right below the root of the machine, or in a folder of programs, is nobody's checkout
            at = next((at for at in range(1, len(parts)) if "/".join(parts[at:]) in self.project.tree.paths), None)
            root = "/" + "/".join(parts[:at])
            if at is None or root in PROGRAMS:
                continue
            inside = posixpath.relpath(folder, root) if folder is not None and folder.startswith("/") else "."
            known = inside if inside in self.project.tree.folders else ""
            return (Folder(self.project.tree, known, root),)
        return ()

    def _with_behind(self, command: Command, running: Running, grounds: tuple[Ground, ...],
                     environment: Mapping[str, Known], beside: tuple[Command, ...]) -> Iterator[Start]:
        """``command`` as a start, and what the script starts that it runs, in the same place."""
        for ran in self._runs(command, running, grounds, environment, beside, 0):
            if ran.start is not None:
                yield ran.start

    def ran(self, running: Running) -> Iterator[Ran]:
        """All that a service runs when it is started, in order: its commands, and below each those of the scripts that
        it runs."""
        for command in (running.entry, *running.commands):
            if command is not None:
                if running.service.kind in UPON_MACHINE:
                    held = (self._holding(start) for start in self._of_unit(command, running))
                    grounds = tuple(ground for ground in held if ground is not None)
                else:
                    grounds = tuple(grounds_of(running, command, self.services, self.plain_bases))
                environment = {**running.environment, **command.assignments}
                yield from self._runs(command, running, grounds, environment, running.commands, 0)

    def _runs(self, command: Command, running: Running, grounds: tuple[Ground, ...],
              environment: Mapping[str, Known], beside: tuple[Command, ...], depth: int,
              supervised: bool = False) -> Iterator[Ran]:
        start = self.read(command, command.place.path, running, grounds, environment, False, beside)
        grounds = start.grounds if start is not None else grounds
        followed = len(grounds) == 1 and depth <= 3
        programs = self.supervision.programs(command, grounds[0]) if followed and start is None else ()
        inner = programs or (self._behind(command, start, grounds[0]) if followed else ())
        yield Ran(command, start, depth, bool(inner), supervised)
        for below in inner:
            ground = stepped(grounds[0], below.folder)
            if ground is not None:
                known = {**environment, **below.assignments}
                stays = bool(programs) or (supervised and below is inner[-1])
                yield from self._runs(below, running, (ground,), known, inner, depth + 1, stays)

    def _behind(self, command: Command, start: Start | None, ground: Ground) -> tuple[Command, ...]:
        """The commands of the shell script or package script that ``command`` runs."""
        if start is not None and start.target is not None and (found := start.script(ground)) is not None:
            rows = self._package_script(*found)
            return (*rows[:-1], replace(rows[-1], words=(*rows[-1].words, *_handed_on(start)))) if rows else ()
        name = script_name(command)
        path = _program_at(ground, name) if name is not None else None
        if path is None:
            return ()
        if is_script(command):
            return self._commands_of.get(path, ())
        data = self.project.tree.read(path) or b""
        return read_commands(data, path) if is_shell_script(data) else ()

    @cached_property
    def _among_built(self) -> frozenset[str]:
        """The names of the scripts that images start in a folder which another stage or image fills, with a star for
        each part that is not known."""
        stages = [stage for image in self.services.images().values() for stage in image.stages
                  if any(origin is not None and posixpath.normpath(target) == workdir(stage, list(image.stages))
                         for _, target, origin in stage.copies)]
        words = [word.value or _VARIABLE.sub("*", word.written) for stage in stages
                 for command in (*stage.entrypoint, *stage.command) for word in command.words[:3]]
        return frozenset(posixpath.basename(word) for word in words if word.endswith((".sh", ".bash")))

    @cached_property
    def _commands_of(self) -> dict[str, tuple[Command, ...]]:
        return {d.path: d.commands for d in self.services.deployments() if d.commands}

    def _package_script(self, path: str, name: str) -> tuple[Command, ...]:
        """The commands of one script of a package file, known by where they stand; a script runs in its folder."""
        data = self.project.tree.read(path) or b""
        table = jsonc.loads(data)
        text = table.get("scripts", {}).get(name) if isinstance(table, dict) else None
        if not isinstance(text, str):
            return ()
        whole = data.decode("utf-8", "replace")
        first, last = (len(whole[:at].encode()) for at in json_spans(whole).values["scripts", name])
        rows = self._commands_of.get(path, ())
        return tuple(replace(c, folder="" if c.folder == posixpath.dirname(path) else None) for c in rows
                     if first <= c.place.at[0] < last)

    def _guessed(self, deployment: Deployment, command: Command) -> Iterator[Ground]:
        """Where a command of a script may run: the folders around the script, and what it changes into from there."""
        if command.folder is None or command.folder.startswith("/") or command.open:
            return
        if posixpath.basename(deployment.path) == "package.json":
            yield Folder(self.project.tree, command.folder)
            return
        # a workflow's commands run where the project was checked out, and nothing else
        data = self.project.tree.read(deployment.path) if deployment.path.startswith(".github/workflows/") else None
        checked_out = data is not None and b"actions/checkout" in data and not _OTHER_FILES.search(data)
        for folder in ("",) if checked_out else above(posixpath.dirname(deployment.path)):
            place = posixpath.normpath(posixpath.join(folder, command.folder)).removeprefix("./")
            place = "" if place == "." else place
            if not place or place in self.project.tree.folders:
                yield Folder(self.project.tree, place)

    def read(self, command: Command, path: str, running: Running | None, grounds: tuple[Ground, ...],
             environment: Mapping[str, Known], loose: bool, beside: tuple[Command, ...] = ()) -> Start | None:
        """``command`` as a start; None where its tool is not known."""
        words = behind_waiting(command.words)
        name = _program(words[0]) if words else ""
        if name in self.interpreters and (inner := self._module_run(words)) is not None:
            words, name = inner
        if words and name in self.interpreters:
            script = next((w for w in words[1:] if not (w.value or "-").startswith("-")), None)
            if script is not None and _program(script) in self.programs:
                found = self._entry(_program(script), words[words.index(script):])
                if found is not None:
                    words, name = words[words.index(script):], _program(script)
        entry = self._entry(name, words)
        if entry is None and name.endswith(".py"):
            bare = words[0] is command.words[0] and "/" not in (words[0].value or "/")
            if bare and "uv" not in command.wrapped:
                return None  # looked for where commands are, and nowhere else
            # by its first line, or by what runs it in an environment of its own
            entry, words = self._entry("python", words), (words[0], *words)
        if entry is None:
            return None
        verbs = [v for v in entry.get("verbs", ()) if v]
        rest = words[1:]
        if verbs:
            at = next((i for i, w in enumerate(rest) if w.value in verbs), None)
            rest = rest[:at] + rest[at + 1:] if at is not None else rest
        member = rest[0] if rest and entry.get("member_first") else None
        rest = rest[1:] if member is not None else rest
        if rest and rest[0].value in entry.get("leading", ()):
            rest = rest[1:]
        options = read_options(rest, entry)
        if member is not None:
            options.values["workspace"] = [member]
        if entry.get("option_files"):
            options = self._written(options, entry, grounds)
        if entry["form"] == "script" or entry.get("scripts"):
            grounds = self._told(options, entry, grounds, loose)
        entry = of_version(entry, grounds, command.place.path, self.project)
        return Start({**entry, "called": name}, command, options, path, running, grounds, environment, loose, beside)

    def _written(self, options: Options, entry: Entry, grounds: tuple[Ground, ...]) -> Options:
        """``options`` with those of the files that they name, where these can be read; else the files stay unread."""
        from connlint.languages.deployment.uwsgi import ENDINGS, file_and_section, read_uwsgi

        found = Options({name: list(rows) for name, rows in options.values.items()}, list(options.plain),
                        options.unknown)
        named = [(name, word) for name in entry["config_flags"] for word in options.values.get(name, ())]
        for flag, word in (*named, *(("", word) for word in options.plain)):
            path, section = file_and_section(word.value or "")
            if not path.endswith(ENDINGS):
                continue
            answers = [ground.find(path) for ground in grounds]
            files = {answer.path for answer in answers if isinstance(answer, Found)}
            file = files.pop() if len(files) == 1 else ""
            data = self.project.tree.read(file) if file in self.project.tree.paths else None
            if data is None or (rows := read_uwsgi(file, data, section)) is None:
                found.values.setdefault(flag or entry["config_flags"][0], []).append(word)
                continue
            if flag:
                found.values[flag] = [other for other in found.values[flag] if other is not word]
                found.values = {name: rows for name, rows in found.values.items() if rows or name != flag}
            for name, value in rows:
                found.values.setdefault(name, []).append(value)
        return found

    def _told(self, options: Options, entry: Entry, grounds: tuple[Ground, ...], loose: bool) -> tuple[Ground, ...]:
        """The folders in which a package manager runs a script, where it is told another than its own: by its path, or
        by the name of a member of the workspace. None where that is not known."""
        members = entry.get("member_flags", ())
        for flag in (*entry.get("folder_flags", ()), *members):
            words = options.values.get(flag, [])
            if len(words) > 1:
                return ()
            for word in words:
                moved = [stepped(ground, self._member(ground, word.value, flag in members)) for ground in grounds]
                # a guessed folder without the member is not where the command runs
                if not loose and None in moved:
                    return ()
                grounds = tuple(ground for ground in moved if ground is not None)
        return grounds

    def _member(self, ground: Ground, name: str | None, by_name: bool) -> str | None:
        """The folder of the package that is called ``name``, or lies there, from ``ground`` on; None where none is."""
        if name is None or not name.strip("./") or any(mark in name for mark in "*!{[$^") or name.endswith("..."):
            return None
        lies_there = isinstance(ground.find(f"{name}/package.json"), Found)
        if lies_there or not by_name:
            return name if lies_there else None
        answer = ground.find("package.json")
        linker: Any = self.project.linkers.get("javascript")
        if not isinstance(answer, Found) or linker is None:
            return None
        root = posixpath.dirname(answer.path)
        member = linker.resolver.packages.members(root).get(name)
        return posixpath.relpath(member.folder, root or ".") if member is not None else None

    def _entry(self, name: str, words: tuple[Word, ...]) -> dict[str, Any] | None:
        for entry in self.programs.get(name, ()):
            verbs = entry.get("verbs")
            if not verbs:
                return entry
            if first_plain(words[1:], entry) in verbs:
                return entry
        return None

    def _module_run(self, words: tuple[Word, ...]) -> tuple[tuple[Word, ...], str] | None:
        """``python -m TOOL …`` as ``TOOL …``."""
        for at, word in enumerate(words[1:-1], 1):
            if word.value == "-m":
                name = words[at + 1].value or ""
                return (words[at + 1:], name) if name in self.programs and name not in self.interpreters else None
            if not (word.value or "").startswith("-"):
                return None
        return None


def _program(word: Word) -> str:
    return posixpath.basename(word.value or "").removesuffix(".exe")
