"""Commands as starts of servers and workers: which tool, what it is told to start, and where it is told to listen.

What tools there are and what their options mean stands in the table `server`; nothing here knows one by name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.languages.deployment.files import kind_of
from connlint.languages.deployment.shell import is_script, is_shell_script, read_commands, script_name
from connlint.languages.deployment.spans import json_spans
from connlint.model.deployment import Command, Deployment, Known, Word
from connlint.model.finding import Place
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Found, Missing
from connlint.project.coded_commands import commands_in_code, listed_commands
from connlint.project.grounds import Folder, Ground, grounds_of, stepped
from connlint.project.importers import CODE
from connlint.project.project import Project
from connlint.project.services import PROGRAMS, Running, Services
from connlint.project.tree import above

Entry = Mapping[str, Any]
_VALUED = ("host_flags", "bind_flags", "port_flags", "target_flags", "worker_flags", "config_flags", "folder_flags",
           "member_flags")
"""The lists of an entry that hold options with a value."""
_OTHER_FILES = regex(
    rb"actions/checkout[^\n]*+\n(?:[ \t]++(?!- )[^\n]*+\n)*?[ \t]++(?:path|repository):"
    rb"|download-artifact|git clone|tar -x|unzip"
)
"""How files come to a workflow that are not those of the project."""
_DOTTED = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$")
_TARGET = regex(
    r"(?P<module>[^:]*)(?::(?P<attribute>[A-Za-z_]\w*)(?P<deeper>(?:\.\w+)*)(?P<call>\(.*\))?)?$", re.S
)


class Options(Struct):
    """The words behind a program: values by option, the words that are no option, and whether some word is unknown."""

    values: dict[str, list[Word]] = field(default_factory=dict)
    plain: list[Word] = field(default_factory=list)
    unknown: bool = False

    def first(self, names: list[str]) -> Word | None:
        """The value that counts for one of ``names``: the last that was given."""
        rows = [word for name in names for word in self.values.get(name, ())]
        return max(rows, key=lambda w: w.place.at) if rows else None

    def has(self, names: list[str]) -> bool:
        return any(name in self.values for name in names)


class Target(Struct, frozen=True):
    """What a server is told to start. ``module`` is dotted, or a path where ``is_path``; ``attribute`` may be missing.

    ``call`` says that it is called first; ``deeper`` that an attribute of the attribute is meant.
    """

    text: str
    place: Place
    module: str
    attribute: str | None
    is_path: bool = False
    call: bool = False
    deeper: bool = False


class Start(Struct, frozen=True, dict=True):
    """A command that starts something: ``entry`` says how its tool works; ``running`` is the service, if it is one's.

    ``path`` is the file it stands in; ``grounds`` are where it may run, of which any may be the right one.
    """

    entry: Entry
    command: Command
    options: Options
    path: str
    running: Running | None
    grounds: tuple[Ground, ...]
    environment: Mapping[str, Known]
    loose: bool = False
    """Whether nothing says where it runs, so that ``grounds`` are guesses."""
    beside: tuple[Command, ...] = ()
    """All that the service or script starts, this command among them."""

    @property
    def tool(self) -> str:
        """The tool as it was called."""
        return self.entry["called"]

    def listed(self, key: str) -> list[str]:
        return self.entry.get(key, [])

    def variable(self, key: str) -> Known | None:
        """The first variable of the table's list ``key`` that is set."""
        return next((self.environment[name] for name in self.listed(key) if name in self.environment), None)

    @cached_property
    def configured(self) -> bool:
        """Whether a configuration of the tool's own may say more than the command."""
        if self.options.has(self.listed("config_flags")) or self.variable("config_env") is not None:
            return True
        words = [word.encode() for word in self.listed("config_words")]
        for ground in self.grounds:
            for name in self.listed("config_files"):
                answer = ground.find(name)
                if isinstance(answer, Found) and words:
                    if any(word in (ground.tree.read(answer.path) or b"") for word in words):
                        return True
                elif not isinstance(answer, Missing):
                    return True
        return False

    @cached_property
    def target(self) -> Target | None:
        """What is started; None where the command does not say it, or says it in a way that cannot be known."""
        if self.entry["form"] == "none" or self.options.has([*self.listed("stops"), *self.listed("elsewhere")]):
            return None
        found = self._written()
        if found is None or not found[0] or "$" in found[0] or "{{" in found[0]:
            return None
        return self._parsed(*found)

    def _written(self) -> tuple[str, Place] | None:
        word = self.options.first(self.listed("target_flags"))
        if word is not None:
            return None if word.value is None else (word.value, word.place)
        known = self.variable("target_env")
        if self.listed("target_flags") or (known is not None and not self.options.plain):
            return None if known is None or known.value is None else (known.value, known.place)
        if self.entry.get("verb_is_target"):
            verbs = self.entry["verbs"]
            words = self.command.words[1:]
            return next(((w.value, w.place) for w in words if w.value is not None and w.value in verbs), None)
        plain = self.options.plain
        if not plain or plain[0].value is None or (self.options.unknown and not self._unmistakable(plain[0].value)):
            return None
        return plain[0].value, plain[0].place

    @staticmethod
    def _unmistakable(text: str) -> bool:
        return re.fullmatch(r"[\w.]+:\w+(?:\(\))?", text) is not None

    def _parsed(self, text: str, place: Place) -> Target | None:
        form = self.entry["form"]
        for prefix in self.entry.get("prefixes", {}):
            text = text.removeprefix(prefix)
        if form == "script" and text.startswith("/"):
            return None  # pnpm runs every script that the pattern matches
        if form in ("file", "script"):
            return Target(text, place, text, None, is_path=True)
        if form == "run":
            return Target(text, place, text, None, is_path=True)
        if form == "dotted":
            module, _, attribute = text.rpartition(".")
            return Target(text, place, module, attribute) if _DOTTED.match(text) and module else None
        parts = _TARGET.match(text)
        if parts is None:
            return None
        module, attribute = parts["module"], parts["attribute"]
        if form == "path" and (module.endswith(".py") or "/" in module):
            return Target(text, place, module, attribute, True, bool(parts["call"]), bool(parts["deeper"]))
        if not _DOTTED.match(module):
            return None
        return Target(text, place, module, attribute, False, bool(parts["call"]), bool(parts["deeper"]))

    @cached_property
    def module_target(self) -> Target | None:
        """What ``-m`` names, for interpreters."""
        if self.entry["form"] != "run":
            return None
        word = self.options.first(["-m"])
        if word is None or word.value is None or not _DOTTED.match(word.value):
            return None
        return Target(word.value, word.place, word.value, None)

    def script(self, ground: Ground) -> tuple[str, str] | None:
        """The package file and the name of its script that is run, where that is what the command names."""
        if self.target is None or not (self.entry["form"] == "script" or self.entry.get("scripts")):
            return None
        answer = ground.find("package.json")
        if not isinstance(answer, Found):
            return None
        table = jsonc.loads(ground.tree.read(answer.path))
        scripts = jsonc.mapping(table.get("scripts")) if isinstance(table, dict) else {}
        return (answer.path, self.target.text) if self.target.text in scripts else None

    # -- where modules are looked for -----------------------------------------------------------------------------

    @cached_property
    def search(self) -> tuple[str, ...] | None:
        """Paths, relative to the ground, in which modules are looked for; None where one of them is not known."""
        base = ""
        found: list[str] = []
        for name in self.listed("folder_flags"):
            if self.options.has([name]):
                word = self.options.first([name])
                if word is None or word.value is None or "$" in word.value:
                    return None
                base = word.value
        found.append(base)
        for name in self.listed("path_flags"):
            for word in self.options.values.get(name, ()):
                if word.value is None or "$" in word.value:
                    return None
                found += word.value.split(",")
        known = self.environment.get("PYTHONPATH")
        if known is not None:
            text = known.value if known.value is not None else known.written.strip("\"'")
            for part in re.split(r"[:;]", text):
                if "$" in part:
                    if re.fullmatch(r"\$\{?PYTHONPATH(?::?-)?\}?", part):
                        continue
                    return None
                found.append(posixpath.join(base, part.strip("\"'")) if not part.startswith("/") else part)
        return tuple(dict.fromkeys(found))


class Ran(Struct, frozen=True):
    """A command that a service runs: ``start`` where its tool is known; ``depth`` counts the scripts that it stands in.

    ``script`` says that it runs one whose commands are known, and so follow.
    """

    command: Command
    start: Start | None
    depth: int
    script: bool


def _program_at(ground: Ground, name: str) -> str | None:
    """The file of the project that is run as ``name``: a path, or a program that is looked for where programs are."""
    places = (name,) if "/" in name else (name, *(f"{place}/{name}" for place in PROGRAMS))
    answers = (ground.find(place) for place in places)
    return next((a.path for a in answers if isinstance(a, Found) and not a.path.endswith("/")), None)


def _handed_on(start: Start) -> tuple[Word, ...]:
    """The words that a package manager puts behind the last command of a script: npm those behind ``--``."""
    words, target = start.command.words, start.target
    at = next((i for i, word in enumerate(words) if target is not None and word.place == target.place), len(words))
    behind = words[at + 1 :]
    dashes = next((i for i, word in enumerate(behind) if word.value == "--"), None)
    if start.tool == "npm" and dashes is None:
        return ()
    return tuple(word for i, word in enumerate(behind) if i > dashes) if dashes is not None else tuple(behind)


class Starts:
    """Every start of a project."""

    def __init__(self, project: Project, apis: Mapping[str, list[dict[str, Any]]]) -> None:
        self.project = project
        self.services = Services.of(project)
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
        for running in (*self.services.running(), *self._overruled()):
            for command in running.commands:
                grounds = grounds_of(running, command, self.services, self.plain_bases)
                if running.service.kind == "systemd":
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
            built = posixpath.basename(deployment.path) in self._among_built
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

    def _overruled(self) -> Iterator[Running]:
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
        inside = self._supervised(command, running)
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
                if running.service.kind == "systemd":
                    held = (self._holding(start) for start in self._of_unit(command, running))
                    grounds = tuple(ground for ground in held if ground is not None)
                else:
                    grounds = tuple(grounds_of(running, command, self.services, self.plain_bases))
                environment = {**running.environment, **command.assignments}
                yield from self._runs(command, running, grounds, environment, running.commands, 0)

    def _runs(self, command: Command, running: Running, grounds: tuple[Ground, ...],
              environment: Mapping[str, Known], beside: tuple[Command, ...], depth: int) -> Iterator[Ran]:
        start = self.read(command, command.place.path, running, grounds, environment, False, beside)
        grounds = start.grounds if start is not None else grounds
        inner = self._behind(command, start, grounds[0]) if len(grounds) == 1 and depth <= 3 else ()
        yield Ran(command, start, depth, bool(inner))
        for below in inner:
            ground = stepped(grounds[0], below.folder)
            if ground is not None:
                known = {**environment, **below.assignments}
                yield from self._runs(below, running, (ground,), known, inner, depth + 1)

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
        """The names of the scripts that images start in a folder which another stage or image fills."""
        stages = [stage for image in self.services.images().values() for stage in image.stages
                  if any(origin is not None and posixpath.normpath(target) == stage.folder
                         for _, target, origin in stage.copies)]
        words = [word.value or "" for stage in stages for command in (*stage.entrypoint, *stage.command)
                 for word in command.words[:3]]
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
        words = command.words
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
        if entry["form"] == "script" or entry.get("scripts"):
            grounds = self._told(options, entry, grounds, loose)
        return Start({**entry, "called": name}, command, options, path, running, grounds, environment, loose, beside)

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
            if _first_plain(words[1:], entry) in verbs:
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


def _first_plain(words: tuple[Word, ...], entry: Entry) -> str | None:
    """The first word that is no option, nor the value of one that the entry knows; "" where there is none."""
    valued = {flag for key in _VALUED for flag in entry.get(key, ())}
    before = ""
    for word in words:
        text = word.value
        if not (text or "").startswith("-") and before not in valued:
            return text
        before = text or ""
    return ""


def _program(word: Word) -> str:
    return posixpath.basename(word.value or "").removesuffix(".exe")


def read_options(words: tuple[Word, ...], entry: Entry) -> Options:
    """Options and plain words; what is not among the entry's switches takes the word behind it as its value.

    Behind the file that an interpreter runs everything is the program's own; a server that is given a file goes on
    reading its options.
    """
    switches = {*entry.get("switches", ()), *entry.get("stops", ())}
    ends = entry["form"] in ("file", "run") and "host_flags" not in entry
    found = Options()
    at = 0
    while at < len(words):
        word = words[at]
        text = word.value if word.value is not None else word.written
        at += 1
        if text == "--":
            found.plain += words[at:] if entry["form"] != "script" else ()
            break
        if not text.startswith("-") or len(text) < 2:
            found.plain.append(word)
            found.unknown = found.unknown or word.value is None
            if ends and word.value is not None:
                break
            continue
        name, equals, value = text.partition("=")
        if text in switches:
            found.values.setdefault(text, [])
        elif equals and text.startswith("--"):
            found.values.setdefault(name, []).append(_behind(word, value))
        elif len(text) > 2 and text[1] != "-" and _attached(text[:2], entry):
            found.values.setdefault(text[:2], []).append(_behind(word, text[2:].removeprefix("=")))
        elif at < len(words) and not (words[at].value or words[at].written).startswith("-"):
            found.values.setdefault(name, []).append(words[at])
            found.unknown = found.unknown or (words[at].value is None and words[at].written.startswith("$@"))
            at += 1
        else:
            found.values.setdefault(name, [])
        if ends and name == "-m":
            break
    return found


def _behind(word: Word, value: str) -> Word:
    """What stands behind an option in the same word, with a place of its own where the file shows it."""
    start, end = word.place.at
    length, written = len(value.encode()), len(word.written.encode())
    place = word.place
    if word.written.endswith(value) and written == end - start:
        place = Place(place.path, (end - length, end))
    elif word.written[:-1].endswith(value) and word.written[-1:] in "\"'" and written == end - start:
        place = Place(place.path, (end - 1 - length, end - 1))
    return Word(None if word.value is None else value, place, value)


def _attached(flag: str, entry: Entry) -> bool:
    """Whether ``flag`` is one of the entry's options that take a value, so that it may stand right behind it."""
    return any(flag in entry.get(key, ()) for key in _VALUED)
