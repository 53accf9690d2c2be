"""Files of single platforms: Procfile, systemd units, fly.toml, railway, App Engine, serverless, Make.

Platforms with a dashboard or secret store stay open: what is not seen may still be set.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.languages.deployment.cloud_builds import deployed_by
from connlint.languages.deployment.shell import read_commands
from connlint.languages.deployment.spans import Spans, json_spans, toml_spans
from connlint.languages.deployment.workflow_jobs import contained
from connlint.languages.deployment.yaml_nodes import Malformed, Yaml, documents
from connlint.model.deployment import Command, Deployment, Known, Port, Service, Word
from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

_PROCFILE = regex(rb"^([A-Za-z0-9_-]+):[ \t]*([^\r\n]+?)[ \t]*\r?$", re.M)
_UNIT = regex(rb"^(ExecStart|Environment|EnvironmentFile|WorkingDirectory|ExecStartPre)[ \t]*=[ \t]*"
              rb"((?:[^\r\n\\]|\\\r?\n|\\.)*)", re.M)
_CHARACTER = regex(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.S)
_RECIPE = regex(rb"^([A-Za-z0-9_.-]+)[^\n:=]*:(?!=)[^\n]*\n((?:[ \t]+[^\n]*\n?|[ \t]*\n)*)", re.M)


def read_procfile(source: Source) -> Deployment:
    """A service a line; the platform (Heroku, foreman, honcho) may set more than any file shows."""
    folder = posixpath.dirname(source.path)
    services = []
    for line in _PROCFILE.finditer(source.data):
        name = line[1].decode()
        place = Place(source.path, line.span(1))
        commands = read_commands(line[2], source.path, line.start(2), folder=folder)
        services.append(Service(name, "procfile", place, environment_at=Place(source.path, line.span()),
                                build=folder or ".", commands=commands, folder=folder, group=source.path,
                                open=("config vars of the platform",), one_shot=name == "release"))
    return Deployment(source.path, tuple(services))


def read_unit(source: Source) -> Deployment:
    """The service of a systemd unit. ``EnvironmentFile`` is outside the project and leaves it open, as does a folder
    of the machine, in which the program may find a file of its own."""
    environment: dict[str, Known] = {}
    open_: list[str] = []
    commands: tuple[Command, ...] = ()
    folder: str | None = None
    at: Place | None = None
    for row in _UNIT.finditer(source.data):
        key, text = row[1].decode(), row[2].replace(b"\\\n", b"  ")
        if key == "WorkingDirectory":
            folder = text.decode("utf-8", "replace").strip()
        elif key == "EnvironmentFile":
            open_.append(f"EnvironmentFile {text.decode('utf-8', 'replace').strip()}")
        elif key == "Environment":
            at = at or Place(source.path, row.span())
            for pair in re.finditer(rb"\"?([A-Za-z_]\w*)=((?:[^\"\s]|(?<=\")[^\"]*)*)\"?", text):
                value = pair[2].decode("utf-8", "replace")
                environment[pair[1].decode()] = Known(value, Place(source.path, row.span()))
        elif key == "ExecStart":
            lead = re.match(rb"[-@:+!]*", text)
            skip = lead.end() if lead else 0
            commands += read_commands(text[skip:], source.path, row.start(2) + skip, folder=folder, shell=False)
            at = at or Place(source.path, row.span())
    if not commands:
        return Deployment(source.path)
    if not open_:
        open_.append("files of the machine")
    name = posixpath.basename(source.path).removesuffix(".service")
    return Deployment(source.path, (Service(name, "systemd", commands[0].place, environment, at, tuple(open_),
                                            commands=commands, folder=folder),))


def read_heroku(source: Source) -> Deployment:
    """``heroku.yml``: a service a process of ``run``, each in the image that ``build`` names for it."""
    folder = posixpath.dirname(source.path)
    services: list[Service] = []
    for document in documents(source):
        build, run = document.get("build"), document.get("run")
        images = build.get("docker") if build is not None else None
        for key, value in run.items() if run is not None else ():
            node, image = value.get("command") or value, value.get("image")
            lines = list(node.list()) or [node]
            commands: tuple[Command, ...] = ()
            for line in lines:
                if line.text:
                    at = line.inner_offset() if line.is_plain else line.span[0]
                    commands += read_commands(line.text.encode(), source.path, at, folder=folder)
            wanted = (image.text if image is not None else None) or key.text or ""
            built = images.get(wanted) if images is not None else None
            services.append(Service(key.text or "?", "heroku", key.place, environment_at=key.place, build=folder or ".",
                                    dockerfile=built.text if built is not None else None, commands=commands,
                                    folder=folder, group=source.path, open=("config vars of the platform",)))
    return Deployment(source.path, tuple(services))


def read_fly(source: Source) -> Deployment:
    """``fly.toml``: ``[env]``, the internal port and the processes; secrets are kept elsewhere."""
    data, written = _toml(source), _Written(source, toml_spans(source.text))
    environment = {key: Known(str(value), written.key("env", key), str(value))
                   for key, value in _table(data, "env").items()}
    port = _table(data, "http_service").get("internal_port")
    folder = posixpath.dirname(source.path)
    ports = (Port(port, None, written.key("http_service", "internal_port")),) if isinstance(port, int) else ()
    commands: tuple[Command, ...] = ()
    for name, text in _table(data, "processes").items():
        if isinstance(text, str):
            commands += written.commands(text, "", ("processes", name))
    named = _table(data, "build").get("dockerfile")
    dockerfile = named if isinstance(named, str) else None
    service = Service(str(data.get("app", "app")), "fly", written.key("app"), environment, written.key("env"),
                      ("fly secrets",), build=folder or ".", dockerfile=dockerfile, commands=commands, ports=ports)
    return Deployment(source.path, (service,))


def read_railway(source: Source, read: Callable[[str], bytes | None]) -> Deployment:
    """``railway.json`` and ``railway.toml``: the start command, which no shell expands where an image is started. The
    service has the file's own folder for its root, unless its Dockerfile is there from the project's root alone."""
    if source.path.endswith(".toml"):
        data, spans = _toml(source), toml_spans
    else:
        spans = json_spans
        try:
            data = json.loads(source.text)
        except ValueError as error:
            raise Malformed(f"no JSON: {error}") from None
    folder = posixpath.dirname(source.path)
    text = _table(data, "deploy").get("startCommand")
    if not isinstance(text, str):
        return Deployment(source.path)
    written = _Written(source, spans(source.text))
    build = _table(data, "build")
    builder, dockerfile = build.get("builder"), build.get("dockerfilePath")
    shell = isinstance(builder, str) and builder.upper() != "DOCKERFILE"
    if folder and isinstance(dockerfile, str):
        recipe = posixpath.normpath(dockerfile.lstrip("/"))
        if read(posixpath.join(folder, recipe)) is None and read(recipe) is not None:
            folder = ""
    start = ("deploy", "startCommand")
    service = Service("railway", "railway", written.key(*start), {}, None, ("variables of the dashboard",),
                      build=folder or ".", dockerfile=dockerfile if isinstance(dockerfile, str) else None,
                      commands=written.commands(text, "", start, shell=shell))
    return Deployment(source.path, (service,))


def read_nixpacks(source: Source, read: Callable[[str], bytes | None]) -> Deployment:
    """``nixpacks.toml``: the command that starts what is built of its folder, with ``[variables]`` of the build and of
    what runs. Facts: a ``startCommand`` of Railway comes first, and a folder with a Dockerfile is built with that."""
    data, written = _toml(source), _Written(source, toml_spans(source.text))
    folder = posixpath.dirname(source.path)
    beside = {name: read(posixpath.join(folder, name)) or b"" for name in ("Dockerfile", "railway.json",
                                                                           "railway.toml")}
    text = _table(data, "start").get("cmd")
    if beside["Dockerfile"] or any(b"startCommand" in beside[name] for name in ("railway.json", "railway.toml")):
        return Deployment(source.path)
    environment = {key: Known(value, written.key("variables", key), value)
                   for key, value in _table(data, "variables").items() if isinstance(value, str)}
    start = ("start", "cmd")
    commands = written.commands(text, folder, start) if isinstance(text, str) else ()
    if not commands:
        return Deployment(source.path)
    name = posixpath.basename(folder) or "app"
    service = Service(name, "nixpacks", written.key(*start), environment,
                      written.key("variables") if environment else None, ("variables of the platform",),
                      build=folder or ".", commands=commands, folder=folder)
    return Deployment(source.path, (service,))


def read_app_engine(source: Source) -> Deployment:
    """App Engine's ``app.yaml``: ``env_variables`` and ``entrypoint``."""
    services = []
    folder = posixpath.dirname(source.path)
    for document in documents(source):
        if document.get("runtime") is None:
            continue
        table = document.get("env_variables")
        environment = {key.text: Known(value.text, key.place, value.text or "")
                       for key, value in (table.items() if table is not None else ()) if key.text}
        start = document.get("entrypoint")
        commands: tuple[Command, ...] = ()
        if start is not None and start.text:
            commands = read_commands(start.text.encode(), source.path,
                                     start.inner_offset() if start.is_plain else start.span[0], folder=folder)
        at = document.key("env_variables") or document.key("runtime") or document
        service = document.get("service")
        includes = ("an included file",) if document.get("includes") is not None else ()
        services.append(Service((service.text if service is not None else None) or "default", "app-engine", at.place,
                                environment, at.place, includes, build=folder or ".", commands=commands, folder=folder))
    return Deployment(source.path, tuple(services))


def read_package_scripts(source: Source) -> Deployment:
    """``package.json``: the commands of ``scripts``; each is a command of its own, in the package's folder."""
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return Deployment(source.path)
    folder = posixpath.dirname(source.path)
    commands: list[Command] = []
    scripts = _table(data, "scripts")
    written = _Written(source, json_spans(source.text)) if scripts else None
    for name, text in scripts.items():
        if isinstance(text, str) and text and written is not None:
            commands += written.commands(text, folder, ("scripts", name))
    return Deployment(source.path, commands=tuple(commands))


def read_workflow(source: Source) -> Deployment:
    """A GitHub workflow: the commands of its ``run`` steps, its jobs that run in containers, and what it deploys."""
    commands: list[Command] = []
    services: list[Service] = []
    for document in documents(source):
        jobs = document.get("jobs")
        services += contained(jobs, document.get("env")) if jobs is not None else ()
        for _, job in jobs.items() if jobs is not None else ():
            steps = job.get("steps")
            default = ("defaults", "run", "working-directory")
            usual = job.get(*default) or document.get(*default)
            for step in steps.list() if steps is not None else ():
                if (deployed := deployed_by(step)) is not None:
                    services.append(deployed)
                run = step.get("run")
                if run is None or not run.text or "${{" in run.text:
                    continue
                where = step.get("working-directory") or usual
                folder = (where.text or "").removeprefix("./") if where is not None else ""
                commands += _scalar_commands(run, source, None if "${{" in folder else folder)
    return Deployment(source.path, tuple(services), commands=tuple(commands))


def _scalar_commands(node: Yaml, source: Source, folder: str | None) -> tuple[Command, ...]:
    """Commands of a YAML scalar; a block's lines are read where they stand, so that places are right."""
    if node.is_plain:
        return read_commands((node.text or "").encode(), source.path, node.inner_offset(), folder=folder)
    start, end = node.span
    text = source.data[start:end]
    if text[:1] in b"|>":
        body = text.find(b"\n") + 1
        return read_commands(text[body:], source.path, start + body, folder=folder)
    return ()


def read_script(source: Source) -> Deployment:
    """A shell script: the programs it starts, run from the project's folder or from the script's own."""
    return Deployment(source.path, commands=read_commands(source.data[source.bom:], source.path, source.bom, folder=""))


def read_makefile(source: Source) -> Deployment:
    """The commands of every recipe; Make's own variables make a word unknown. What others include runs where these
    do: at the root, as a rule."""
    folder = "" if source.path.endswith(".mk") else posixpath.dirname(source.path)
    commands: list[Command] = []
    for rule in _RECIPE.finditer(source.data):
        for line in re.finditer(rb"^[ \t]+[@-]*((?:[^\n\\]|\\\n|\\.)+)", rule[2], re.M):
            if b"$(" in line[1] or b"{{" in line[1]:
                continue
            text, at = line[1].replace(b"$$", b"$ "), rule.start(2) + line.start(1)
            commands += read_commands(text, source.path, at, folder=folder)
    return Deployment(source.path, commands=tuple(commands))


class _Written(Struct, frozen=True):
    """A JSON or TOML file with the places of what stands in it."""

    source: Source
    spans: Spans

    def key(self, *path: str) -> Place:
        """Where a key stands; the start of the file where it does not."""
        return self._place(self.spans.keys.get(path, (0, 0)))

    def commands(self, text: str, folder: str | None, path: tuple[str, ...], *,
                 shell: bool = True) -> tuple[Command, ...]:
        """The commands of the text at ``path``."""
        if path not in self.spans.values:
            return ()
        first, last = self.spans.values[path]
        quoted = self.source.text[first:last]
        inside = quoted.find(text)
        if inside < 0:
            found = read_commands(text.encode(), self.source.path, 0, folder=folder, shell=shell)
            places = _unescaped(quoted[1:-1]) if text.isascii() else []
            if len(places) != len(text) + 1:
                # escapes move the bytes: every place is the whole text's
                whole = self._place((first + 1, last - 1))
                return tuple(_placed(command, lambda _: whole) for command in found)
            return tuple(_placed(command, lambda place: self._place(
                (first + 1 + places[place.at[0]], first + 1 + places[place.at[1]]))) for command in found)
        at = self.source.char_to_byte(first + inside)
        return read_commands(text.encode(), self.source.path, at, folder=folder, shell=shell)

    def _place(self, span: tuple[int, int]) -> Place:
        return Place(self.source.path, (self.source.char_to_byte(span[0]), self.source.char_to_byte(span[1])))


def _unescaped(raw: str) -> list[int]:
    """Where in ``raw`` each character stands of the text that it means, and where it ends."""
    return [found.start() for found in _CHARACTER.finditer(raw)] + [len(raw)]


def _placed(command: Command, place: Callable[[Place], Place]) -> Command:
    words = tuple(Word(word.value, place(word.place), word.written) for word in command.words)
    return replace(command, words=words, place=place(command.place))


def _toml(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed(str(error)) from None


def _table(data: Any, name: str) -> dict[str, Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}
