"""Variables of a front end that are set where its container runs, although its files were written without them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from connlint.model import program as p
from connlint.model.deployment import Command, Image, Stage
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.address import hosts
from connlint.project.answer import Found
from connlint.project.env_files import may_be_there, variables_of
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.tree import Tree

_CODE = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte", ".astro")
_TOOLING = regex(r"(?:^|/)(?:[\w.-]+\.config|[\w.-]+\.(?:test|spec|stories)|setupTests|next-env\.d)\.[\w.]+$|"
                 r"(?:^|/)(?:tests?|__tests__|e2e|cypress|node_modules|scripts)/")
_CALLERS = regex(r"(?:^|/)(?:Makefile|makefile|[Jj]ustfile|"
                 r"[\w.-]+\.(?:sh|ya?ml|json|toml|hcl|py|tf|md))$|^\.github/")
_SCRIPT = regex(r"(?:npm|yarn|pnpm|bun)"
                r"(?: (?:--?(?:workspace|w|filter|F|prefix|cwd|C)(?:=| )|workspace )(?P<package>\S+))?"
                r"(?: run(?:-script)?)?(?: -\S+)* (?P<script>[\w:.-]+)")
_INSTEAD_OF_NOTHING = regex(r"\s*[)!]*\s*(?:\|\||\?\?\s*(?:\"\"|''|``))")
_LARGEST = 400_000


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Outcome "run-time": a container is given a variable that its image's build wrote into files without it;
    "configured": one that the configuration of a server says where to send requests with, which the build wrote.

    ``rules.apis["build_time"]`` says which variables are written into files at which reads. ``options.builds`` are
    words of commands that build, ``options.serves`` programs that hand out what was built, ``options.replaces`` words
    that show that something is put in when the container starts, ``options.dotenv`` files that a build reads by itself.
    Slots: ``service``, ``variable`` and ``image``.
    """
    table = rules.apis.get("build_time", [])
    services = Services.of(project)
    fronts: dict[str, _Front] = {}
    for one in services.running():
        names = list(one.service.environment)
        if not names or one.image is None or one.stage is None or one.service.mounts or one.service.build is None:
            continue
        building = _builds(one.image, one.stage, card)
        if building is None or not _serves(one, project.tree, card):
            continue
        front = fronts.setdefault(one.service.build, _Front(project, one.service.build, card))
        if front.replaces:
            continue
        # an argument that the recipe does not declare comes to nothing
        declared = {name for stage in building.stages for name in stage.arguments}
        given = {*(declared & one.service.build_arguments.keys()),
                 *(name for stage in building.stages for name in _given(stage))}
        yield from _written_servers(one, building, front, given, rules)
        for name in names:
            entry = _entry(name, table)
            if entry is None or name in given or front.sets(name) or not _only(entry, building.text):
                continue
            read = front.read(name, entry)
            if read is None or _makes_no_difference(read, one.service.environment[name].value):
                continue
            if front.passed_by_callers(name):
                continue
            place = one.service.environment[name].place
            slots = {"service": one.name, "variable": name, "image": one.image.path}
            handed = one.service.build_arguments.get(name)
            steps = (Step(handed.place, f"{one.image.path} has no ARG {name} that would take it"),) if handed else ()
            yield Draft("run-time", place, slots, f"{one.name}:{name}",
                        (*steps, Step(building.place, f"the build runs here, without {name}"),
                         Step(read.place, f"and writes into its files what {name} is then")))


def _written_servers(one: Running, building: _Building, front: _Front, given: set[str],
                     rules: Rules) -> Iterator[Draft]:
    """What a framework writes, with all of its configuration, into the server that its build makes."""
    for entry in rules.apis.get("written_server", ()):
        for path in (posixpath.join(front.folder, name) for name in entry["configurations"]):
            data = front.texts.get(path, b"")
            if not all(word.encode() in data for word in (entry["with"], entry["leading"])):
                continue
            for name, known in one.service.environment.items():
                addressed = any(host.scheme or host.port for host in hosts(known.shape))
                if not addressed or _entry(name, rules.apis.get("build_time", [])) is not None:
                    continue
                read = re.search(rb"\bprocess\.env\." + re.escape(name.encode()) + rb"\b([^\n]*)", data)
                if read is None or name in given or front.sets(name) or front.passed_by_callers(name):
                    continue
                place = Place(path, (read.start(), read.start(1)))
                if _makes_no_difference(_Read(place, read[1].decode("utf-8", "replace")), known.value):
                    continue
                image = one.image.path if one.image is not None else ""
                slots = {"service": one.name, "variable": name, "image": image, "file": path}
                yield Draft("configured", known.place, slots, f"{one.name}:{name}",
                            (Step(building.place, f"the build runs here, without {name}"),
                             Step(place, f"and writes into the server what {name} is then")))


def _entry(name: str, table: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((entry for entry in table if name.startswith(tuple(entry["prefixes"]))), None)


def _only(entry: dict[str, Any], text: str) -> bool:
    """Whether the build is of the kind of which the table speaks."""
    words = entry.get("builds", ())
    return not words or any(word in text for word in words)


# -- the image ---------------------------------------------------------------------------------------------------------


class _Building(Struct, frozen=True):
    """What builds: the stages that go into an image up to there, the command's place and its text."""

    stages: tuple[Stage, ...]
    place: Place
    text: str


def _builds(image: Image, stage: Stage, card: Card) -> _Building | None:
    """The build that goes into ``stage``; None where there is none, or more than one."""
    found: list[tuple[Stage, Command]] = []
    waiting, seen = [stage], [stage]
    while waiting:
        at = waiting.pop()
        found += [(at, run) for run in at.runs if _has(run, card.options["builds"])]
        names = [at.base.lower(), *(origin.lower() for _, _, origin in at.copies if origin)]
        for number, other in enumerate(image.stages):
            if other not in seen and (other.name in names or str(number) in names):
                seen.append(other)
                waiting.append(other)
    if not found or any(_has(run, card.options["replaces"]) for at in seen for run in at.runs):
        return None
    where, command = found[-1]
    stages = [where]
    while (base := next((s for s in image.stages if s.name == stages[-1].base.lower() and s not in stages), None)):
        stages.append(base)
    if command.assignments:
        return None
    return _Building(tuple(stages), command.place, _text(command))


def _given(stage: Stage) -> Iterator[str]:
    """Variables that a stage gives its commands a value for; ``ENV X=$X`` of an empty ``ARG X`` gives none."""
    for name, known in stage.environment.items():
        if known.value or name not in stage.arguments:
            yield name
    yield from (name for name, known in stage.arguments.items() if known.value)


def _text(command: Command) -> str:
    return " ".join(word.value or word.written for word in command.words)


def _has(command: Command, words: list[str]) -> bool:
    text = f" {_text(command)} "
    return any(word in text for word in words)


def _serves(one: Running, tree: Tree, card: Card) -> bool:
    """Whether the container is known to hand out what was built, without a step that puts something in before."""
    if one.stage is None:
        return False
    commands = (*one.commands, *one.stage.entrypoint)
    if any(_has(command, card.options["replaces"]) or _has(command, card.options["builds"]) for command in commands):
        return False
    if not one.commands:
        base = one.stage.base.rpartition("/")[2].partition(":")[0]
        return not one.stage.entrypoint and any(base == program for program in card.options["serves"])
    return all(_hands_out(_text(command), one.service.build or "", tree, card, 0) for command in one.commands)


def _hands_out(text: str, folder: str, tree: Tree, card: Card, depth: int) -> bool:
    if any(re.search(rf"(?:^|[\s/]){re.escape(program)}(?:\s|$)", text) for program in card.options["serves"]):
        return not re.search(r"\.sh\b|\bdev\b", text)
    found = _SCRIPT.match(text)
    if found is None or depth > 2:
        return False
    for path in _packages(folder, found["package"], tree):
        table = jsonc.loads(tree.read(path))
        scripts = table.get("scripts") if isinstance(table, dict) else None
        inner = scripts.get(found["script"]) if isinstance(scripts, dict) else None
        if isinstance(inner, str):
            return _hands_out(inner, posixpath.dirname(path), tree, card, depth + 1)
    return False


def _packages(folder: str, name: str | None, tree: Tree) -> Iterator[str]:
    """The package file of ``folder``; with a ``name``, those below it of a package or folder that is called so."""
    own = posixpath.normpath(posixpath.join(folder, "package.json"))
    if name is None:
        yield own
        return
    prefix = own.removesuffix("package.json")
    for path in sorted(tree.paths):
        if path.startswith(prefix) and path.endswith("/package.json") and "node_modules/" not in path:
            if posixpath.dirname(path).endswith(name) or f'"name": "{name}"'.encode() in (tree.read(path) or b""):
                yield path


# -- the code ----------------------------------------------------------------------------------------------------------


class _Read(Struct, frozen=True):
    place: Place
    rest: str
    """What follows the read on its line."""


def _makes_no_difference(read: _Read, value: str | None) -> bool:
    """Whether the code falls back to the very value that the container is given; an empty one is as good as none where
    the code takes something else instead of it, or falls back to an empty text."""
    if value == "":
        return _INSTEAD_OF_NOTHING.match(read.rest) is not None
    return value is not None and value.rstrip("/") in read.rest


class _Front:
    """The code of one front end, below ``folder``."""

    def __init__(self, project: Project, folder: str, card: Card) -> None:
        self.project = project
        self.tree = project.tree
        self.folder = "" if folder == "." else folder
        self.card = card
        prefix = self.folder + "/" if self.folder else ""
        self.paths = [path for path in sorted(self.tree.paths) if path.startswith(prefix)
                      and path.endswith(_CODE) and "node_modules/" not in path]

    @cached_property
    def texts(self) -> dict[str, bytes]:
        rows = {path: self.tree.read(path) or b"" for path in self.paths}
        return {path: data for path, data in rows.items() if len(data) < _LARGEST}

    @cached_property
    def replaces(self) -> bool:
        """Whether something in the folder shows that values are put in when the container starts."""
        prefix = self.folder + "/" if self.folder else ""
        words = [word.encode() for word in self.card.options["replaces"]]
        scripts = [path for path in self.tree.paths if path.startswith(prefix) and "node_modules/" not in path
                   and (path.endswith((".sh", ".html", "package.json", ".template"))
                        or posixpath.basename(path).startswith("Dockerfile"))]
        texts = [*self.texts.values(), *(self.tree.read(path) or b"" for path in scripts)]
        return any(word in text for text in texts for word in words)

    def sets(self, name: str) -> bool:
        """Whether a file that the build reads by itself sets the variable, or may."""
        for file in self.card.options["dotenv"]:
            path = posixpath.join(self.folder, file)
            if self.tree.read(path) is not None and name in (variables_of(self.tree, path) or {}):
                return True
            if self.tree.read(path) is None and may_be_there(self.tree, path) and self.tree.exists(path):
                return True
        return False

    def read(self, name: str, entry: dict[str, Any]) -> _Read | None:
        """Where code that goes to browsers reads the variable in a way that is written into files; None where some of
        the code reads it in another way."""
        word = re.escape(name.encode())
        heads = b"|".join(re.escape(head.encode()) for head in entry["reads"])
        plain = re.compile(rb"(?:" + heads + rb")" + word + rb"\b([^\n]*)")
        # a bundler that knows the object as a whole writes its parts too; others know single members
        objects = [head.rstrip(".").encode() for head in entry["reads"] if head.startswith("import.")]
        wholes = b"|".join(map(re.escape, objects))
        parts = re.compile(
            rb"\{[^{}]*(?<!\w)" + word + rb"\b([^{}\n]*)[^{}]*\}\s*=\s*(?:" + wholes + rb")(?![\w.])")
        written = re.compile(rb"(?:" + heads + rb")" + word + rb"\b")
        any_read = re.compile(rb"(?<!\w)" + word + rb"\b(?!\??:)")
        found: list[_Read] = []
        for path, data in self.texts.items():
            if name.encode() not in data or _TOOLING.search(path):
                continue
            rows = list(plain.finditer(data))
            if not rows and wholes and (taken := parts.search(data)) is not None:
                rows = [taken]
            elif len(written.findall(told := _without_words(data))) < len(any_read.findall(told)):
                return None
            if rows and (not entry.get("client_only") or self._reaches_browsers(path)):
                row = rows[0]
                start = row.start() if row.re is plain else row.start(1) - len(name)
                found.append(_Read(Place(path, (start, row.start(1))), row[1].decode("utf-8", "replace")))
        return found[0] if found else None

    def _reaches_browsers(self, path: str) -> bool:
        """Whether a file runs in browsers: it says so, or a file that says so imports it."""
        seen, waiting = {path}, [path]
        while waiting and len(seen) < 40:
            at = waiting.pop(0)
            if self._says_client(at):
                return True
            stem = posixpath.basename(at).split(".")[0]
            if stem == "index":
                stem = posixpath.basename(posixpath.dirname(at))
            named = re.compile(rb"(?:from|import|require\()\s*[\"'][^\"'\n]*" + re.escape(stem.encode())
                               + rb"(?:/index)?(?:\.\w+)?[\"']")
            for other, data in self.texts.items():
                if other in seen or _TOOLING.search(other) or not named.search(data):
                    continue
                if self._imports(other, at):
                    seen.add(other)
                    waiting.append(other)
        return False

    def _says_client(self, path: str) -> bool:
        data = self.texts.get(path, b"")
        inside = path[len(self.folder):].lstrip("/").removeprefix("src/")
        if inside.startswith("pages/") and not inside.startswith("pages/api/"):
            return b"getServerSideProps" not in data
        return re.match(rb"(?:\s|//[^\n]*|/\*.*?\*/)*[\"']use client[\"']", data, re.S) is not None

    def _imports(self, path: str, target: str) -> bool:
        module: Module | None = self.project.module(path)
        if module is None:
            return False
        answers = [self.project.resolve(module, statement.module) for statement in module.nodes(p.Import)]
        return any(isinstance(answer, Found) and answer.path == target for answer in answers)

    def passed_by_callers(self, name: str) -> bool:
        """Whether a pipeline or script hands the variable to the build of an image."""
        word = name.encode()
        for path in sorted(self.tree.paths):
            if _CALLERS.search(path) and "node_modules/" not in path:
                data = self.tree.read(path) or b""
                if word in data and (b"build-arg" in data or b"build_arg" in data or b"buildArg" in data):
                    return True
        return False


def _without_words(data: bytes) -> bytes:
    """The text without comments and without texts that hold more than one word: a message may name the variable."""
    data = re.sub(rb"/\*.*?\*/|(?<![:\"'`\w])//[^\n]*", b"", data, flags=re.S)
    return re.sub(rb"([\"'`])[^\"'`\n]*\s[^\"'`\n]*\1", b"''", data)
