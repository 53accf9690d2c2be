"""Servers that listen where nobody reaches them, and words that no shell expands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from connlint.cards import Card, Rules
from connlint.model.deployment import Command, Word
from connlint.model.finding import Draft, Fix, Place, Step
from connlint.patterns import regex
from connlint.project.address import hosts
from connlint.project.answer import Found
from connlint.project.compiled import likely_source
from connlint.project.own_ports import own_port
from connlint.project.project import Project
from connlint.project.rewording import reworded, through_shell, with_option
from connlint.project.server_settings import in_configuration
from connlint.project.services import Running, Services
from connlint.project.serving import Serving, servings
from connlint.project.start import Start
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.values import values_of

_LOOPBACK = regex(r"^(?:localhost|127(?:\.\d+){1,3}|\[?::1\]?)$", re.I)
_VARIABLE = regex(r"(?<!\{)\$(?:\{([A-Z_][A-Z0-9_]*)(?::?[-=?][^{}$]*)?\}|([A-Z_][A-Z0-9_]*)(?![\w(]))")
_PORTED = ("cloud-run", "heroku", "app-engine", "app-runner")
"""Platforms that say where they will ask, in the variable that makes a server listen everywhere."""
_LED_TO = ("cloud-run", "render")
"""Platforms that lead requests to whatever a service opens."""
_SHELLS = regex(
    r"^(?:sh|bash|ash|dash|zsh|ksh|busybox|fish|pwsh|powershell(?:\.exe)?|cmd(?:\.exe)?|.*\.(?:sh|bash))$"
)
_OWN_VARIABLES = regex(
    r"^(?:awk|gawk|sed|perl|jq|yq|envsubst|nginx|find|xargs|psql|make|expect|tcl|php|mongo|mongosh|.*entrypoint.*)$"
)
"""Programs for which a dollar sign has a meaning of their own."""
_SCRIPT_FLAGS = {"-c", "-e", "--eval", "-p", "--command", "--exec", "-g"}


# -- loopback ---------------------------------------------------------------------------------------------------------


def check_loopback(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Servers in containers that listen on loopback only.

    ``options.containers`` are the kinds of service that run in a container; ``options.gateways`` programs that pass
    requests on to loopback inside one. Outcomes: "told" (the command says loopback) and "by-default". Slots: ``tool``,
    ``host``, ``service``, ``port`` ("" or ":N").
    """
    services = Services.of(project)
    running = services.running()
    verdicts: dict[tuple[str, tuple[int, int]], list[Draft | None]] = {}
    starts = Starts.of(project, rules.apis).in_services
    for start in starts:
        if start.running is None or "host" not in start.entry:
            continue
        settled = in_configuration(start, start.listed("config_names"), project)
        found = _heard(start, start.running, running, card, settled, project)
        if found is not None and found.outcome == "by-default" and _serves_by_itself(start, project, rules):
            found = None
        place = found.place if found is not None else _host_place(start, settled)
        verdicts.setdefault((place.path, place.at), []).append(found)
    for start in starts:
        if start.running is not None and _is_contained(start, start.running, card):
            said = (*_coded(start, start.running, running, project, rules),
                    *_written(start, start.running, running, project, rules))
            for place, found in said:
                verdicts.setdefault((place.path, place.at), []).append(found)
    for rows in verdicts.values():
        if rows[0] is not None and all(row is not None for row in rows):
            yield rows[0]


def _coded(start: Start, running: Running, others: list[Running], project: Project,
           rules: Rules) -> Iterator[tuple[Place, Draft | None]]:
    """What the file that a container runs starts by itself; nothing where it serves in several ways."""
    target = start.module_target or start.target
    if target is None or start.entry["form"] not in ("run", "file"):
        return
    stem = target.module if target.is_path else target.module.replace(".", "/")
    path = stem if target.is_path else f"{stem}.py"
    paths = (path,) if target.is_path else (path, f"{stem}/__main__.py")
    files = {answer.path for ground in start.grounds for way in paths if isinstance(answer := ground.find(way), Found)}
    if not files and running.image is not None and start.entry["language"] == "javascript":
        folder = running.service.build or posixpath.dirname(running.image.path)
        files = {source for source in (likely_source(project.tree, folder, path),) if source is not None}
    file = files.pop() if len(files) == 1 else "/"
    module = project.module(file) if not file.endswith("/") else None
    found = list(servings(module, rules.apis.get("serving_call", []), project)) if module is not None else []
    if len(found) != 1:
        return
    serving = _unless_set(found[0], module, running, project, rules)
    place = serving.told or serving.place
    if serving.host is None or not _LOOPBACK.match(serving.host):
        yield place, None
        return
    if not _is_asked(running, others, None):
        if running.service.kind != "dockerfile":  # of a bare image nobody knows who will ask, so it speaks for nobody
            yield place, None
        return
    if serving.told is None and any(name in start.environment for name in serving.entry.get("env", ())):
        yield place, None
        return
    tool = serving.name.partition("(")[0] if "()" not in serving.name else serving.name
    slots = {"tool": tool, "host": serving.host, "container": _container(running), "port": ""}
    step = Step(start.command.place, f"{_container(running)} runs this file")
    fix = _opened(Word(serving.host, serving.told), serving.host, project) if serving.told is not None else None
    outcome = "told" if serving.told is not None else "by-default"
    yield place, Draft(outcome, place, slots, f"{running.name} {serving.name}", related=(step,), fix=fix)


def _written(start: Start, running: Running, others: list[Running], project: Project,
             rules: Rules) -> Iterator[tuple[Place, Draft | None]]:
    """A server that the build of a framework writes, which a variable tells where to listen."""
    target = start.target
    folder = running.service.build or posixpath.dirname(running.image.path) if running.image is not None else None
    if target is None or folder is None or start.entry["language"] != "javascript":
        return
    if any(isinstance(ground.find(target.module), Found) for ground in start.grounds):
        return  # what stands in the project was written by hand
    package = project.tree.read(posixpath.normpath(posixpath.join(folder, "package.json"))) or b""
    for entry in rules.apis.get("built_server", ()):
        if f'"{entry["package"]}"'.encode() not in package or not re.search(entry["path"], target.module):
            continue
        name = next((name for name in entry["env"] if name in start.environment), None)
        if name is None or not _LOOPBACK.match(host := start.environment[name].value or ""):
            continue
        place = start.environment[name].place
        if not _is_asked(running, others, None):
            if running.service.kind != "dockerfile":
                yield place, None
            continue
        slots = {"tool": entry["package"], "host": host, "container": _container(running), "port": ""}
        fix = _opened(Word(host, place), host, project)
        yield place, Draft("told", place, slots, f"{running.name} {name}", fix=fix)


def _container(running: Running) -> str:
    """What a container is called in a message: one of an image at the root of the project has no name."""
    service = running.service
    nameless = service.kind == "dockerfile" and service.build == "."
    return "this image's container" if nameless else f"the container '{service.name}'"


def _unless_set(serving: Serving, module: Any, running: Running, project: Project, rules: Rules) -> Serving:
    """``serving`` with the host that it takes where a variable does not say another, if nothing sets that variable."""
    if serving.host is not None or serving.value is None or any(not why.startswith("whoever") for why in running.open):
        return serving
    for q in values_of(project, rules.apis).possible(module, serving.value):
        names = [name for read in q.absent for name in read.variables]
        if q.text and _LOOPBACK.match(q.text) and names and not any(running.gives(name) for name in names):
            origin = q.origin
            told = Place(origin.module.path, origin.node.at) if origin is not None else serving.told
            return replace(serving, host=q.text, told=told)
    return serving


def _heard(start: Start, running: Running, others: list[Running], card: Card, settled: Word | None,
           project: Project) -> Draft | None:
    service = running.service
    if not _is_contained(start, running, card):
        return None
    if start.listed("listens") and not any(word.value in start.listed("listens") for word in start.options.plain):
        return None
    if settled is not None and settled.value is None:
        return None
    host = _host(start, settled)
    if host is None or not _LOOPBACK.match(host[0]):
        return None
    port = port_of(start) if host[1] is None or host[1] is not settled else _port(settled)
    if not _is_asked(running, others, port):
        return None
    text, word = host
    slots = {"tool": start.tool, "host": text, "container": _container(running), "port": f":{port}" if port else ""}
    if word is None:
        return Draft("by-default", start.command.words[0].place, slots, f"{service.name} {start.tool}",
                     fix=_told_to_open(start, project))
    return Draft("told", word.place, slots, f"{service.name} {start.tool}", fix=_opened(word, text, project))


def _serves_by_itself(start: Start, project: Project, rules: Rules) -> bool:
    """Whether what a server is told to load is a function that starts one: it is called, and goes on serving."""
    target, path = start.target, next(targets_of(start), None)
    module = project.module(path) if path is not None and target is not None and target.attribute else None
    if module is None or target is None:
        return False
    made = [definition.value for definition in module.scope.names.get(target.attribute or "", ())]
    return any(module.function(serving.call) in made
               for serving in servings(module, rules.apis.get("serving_call", []), project))


def _is_contained(start: Start, running: Running, card: Card) -> bool:
    """Whether the start is what a container of its own goes on running."""
    service = running.service
    if service.kind not in card.options["containers"] or service.host_network or service.mates:
        return False
    if any("network" in why for why in service.open):
        return False
    if len(start.beside) > 1 and start.command is not start.beside[-1]:
        return False
    gateways = card.options["gateways"]
    return not any(posixpath.basename(word.value or "") in gateways for c in (*running.commands, *start.beside)
                   for word in c.words[:4])


def _opened(word: Word, host: str, project: Project) -> Fix | None:
    """Listen on every address instead."""
    everywhere = "[::]" if host.startswith("[") else "::" if ":" in host else "0.0.0.0"
    return reworded(project.tree, word.place, host, everywhere, f"Listen on {everywhere}")


def _told_to_open(start: Start, project: Project) -> Fix | None:
    """Tell a server to listen on every address, behind the word that has it listen, or else behind what it is told to
    start."""
    if start.entry.get("host") != "127.0.0.1":
        return None
    if flag := next(iter(start.listed("host_flags")), None):
        option = (flag, "0.0.0.0")
    elif (bind := start.listed("bind_flags")) and (port := port_of(start) or start.entry.get("port")):
        option = (bind[-1], f"0.0.0.0:{port}")
    else:
        return None
    listens = start.listed("listens")
    if listens:
        behind = next((word for word in start.options.plain if word.value in listens), None)
        if behind is None or behind.place.path != start.path:
            return None
        place, text = behind.place, behind.value or ""
    else:
        if start.target is None or start.target.place.path != start.path:
            return None
        place, text = start.target.place, start.target.text
    return with_option(project.tree, place, text, option, "Listen on 0.0.0.0")


def _host_place(start: Start, settled: Word | None) -> Place:
    host = _host(start, settled)
    return host[1].place if host is not None and host[1] is not None else start.command.words[0].place


def _host(start: Start, settled: Word | None = None) -> tuple[str, Word | None] | None:
    """Where a server listens: the host, and the word that says it, None where it is the tool's default.

    None where that cannot be known, or where it listens on no port. ``settled`` is what its configuration says.
    """
    options = start.options
    if options.has(start.listed("socket_flags")) or start.variable("bind_env") is not None:
        return None
    if options.has(start.listed("bind_flags")):
        words = [w for name in start.listed("bind_flags") for w in options.values.get(name, ())]
        if len(words) != 1 or words[0].value is None:
            return None
        host, colon, _ = words[0].value.rpartition(":")
        if words[0].value.startswith(("unix:", "fd:", "//")):
            return None
        return (host if colon else words[0].value, words[0])
    if options.has(start.listed("host_flags")):
        word = options.first(start.listed("host_flags"))
        if word is None:
            return None
        return None if word.value is None else (word.value, word)
    if start.entry.get("plain_bind") and options.plain:
        word = options.plain[0]
        if word.value is None:
            return None
        host, colon, _ = word.value.rpartition(":")
        if colon:
            return host, word
        return (word.value, word) if not word.value.isdigit() else (start.entry["host"], None)
    if settled is not None and settled.value:
        host, colon, _ = (settled.value or "").rpartition(":")
        return None if not colon or host in ("unix", "fd") or "/" in host else (host, settled)
    if (told := start.variable("host_env")) is not None:
        return None if told.value is None else (told.value, Word(told.value, told.place, told.written))
    if start.variable("public_env") is not None:
        return None
    if start.running is not None and start.running.service.kind in _PORTED and start.listed("public_env"):
        return None
    if (start.configured and settled is None) or (start.listed("config_files") and not start.grounds):
        return None
    if options.unknown or start.command.open or (start.entry["host"] and _opens(start)):
        return None
    return start.entry["host"], None


def _opens(start: Start) -> bool:
    """Whether variables that are not seen here may set the host: it is told so by a word that is not known."""
    return start.running is not None and any(why.startswith(("env_file", "envFrom")) for why in start.running.open)


def _port(word: Word) -> int | None:
    number = (word.value or "").rpartition(":")[2]
    return int(number) if number.isdigit() else None


def port_of(start: Start) -> int | None:
    """The port that a server is told to listen on, or listens on by itself; None where it cannot be known."""
    options = start.options
    for names in (start.listed("port_flags"), start.listed("bind_flags")):
        if options.has(names):
            numbers = bound_ports(start, names)
            return numbers[0] if len(numbers) == 1 else None
    if start.entry.get("plain_bind") and options.plain:
        number = (options.plain[0].value or "").rpartition(":")[2]
        return int(number) if number.isdigit() else None
    if (known := start.variable("port_env")) is not None:
        return int(known.value) if known.value and known.value.isdigit() else None
    return own_port(start)


def bound_ports(start: Start, names: list[str]) -> list[int | None]:
    """The ports that the options ``names`` say, each once; None for one that is not known, and for what is no port."""
    texts = [word.value or "" for name in names for word in start.options.values.get(name, ())]
    numbers = [text.rpartition(":")[2] for text in texts]
    return list(dict.fromkeys(int(number) if number.isdigit() else None for number in numbers))


def _is_asked(running: Running, others: list[Running], port: int | None) -> bool:
    """Whether something outside of the container is meant to reach the server."""
    service = running.service
    if service.kind in _LED_TO:
        return not service.one_shot
    ports = [p.container for p in service.ports]
    ports += [p.container for p in running.stage.exposed] if running.stage is not None else []
    if ports:
        return port is None or None in ports or port in ports
    names = [name for name in service.hosts if name]
    for other in others:
        if other.service.group == service.group and other is not running:
            if _names(names, other) or _means(port, other):
                return True
    return False


def _means(port: int | None, other: Running) -> bool:
    """Whether ``other`` is told of loopback on ``port``: it would ask the server there, which is in a container of its
    own."""
    if port is None or other.service.host_network or other.service.mates:
        return False
    return any(host.port == port and (_LOOPBACK.match(host.name) or host.name == "0.0.0.0")
               for known in other.service.environment.values() for host in hosts(known.value or ""))


def _names(names: list[str], other: Running) -> bool:
    """Whether the environment of ``other`` holds one of ``names`` as a host."""
    if not names:
        return False
    host = re.compile(r"(?:^|//|@|,)(?:" + "|".join(map(re.escape, names)) + r")(?::\d+|/|$)")
    return any(host.search(known.value or known.written) for known in other.environment.values())


# -- what no shell expands --------------------------------------------------------------------------------------------


def check_unexpanded(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Words of commands that run without a shell and hold a variable as a shell would expand it.

    ``options.literal`` are the kinds of service whose commands nothing expands, ``options.literal_with_image`` those of
    them of which that holds where they start an image. Outcome "word". Slots: ``word`` (as
    written), ``variable`` and ``program``.
    """
    seen: set[tuple[str, tuple[int, int]]] = set()
    overruled = Starts.of(project, rules.apis).overruled()
    for running in (*Services.of(project).running(), *overruled):
        for command in (*running.service.before, *running.commands):
            if command.shell or not command.words or _has_shell(command, project):
                continue
            from_image = running.image is not None and command.place.path == running.image.path
            if not from_image and running.service.kind not in card.options["literal"]:
                continue
            if running.image is None and running.service.kind in card.options["literal_with_image"]:
                continue
            for word, name in _left(command):
                key = (word.place.path, word.place.at)
                if key not in seen:
                    seen.add(key)
                    program = posixpath.basename(command.words[0].value or "")
                    slots = {"word": _text(word), "variable": name, "program": program}
                    fix = None
                    if running.service.kind in card.options.get("parenthesized", ()) and not from_image:
                        fix = _parenthesized(word, name, project)
                    elif from_image:
                        fix = _through_shell(running, command, project)
                    yield Draft("word", word.place, slots, f"{program} {_text(word)}", fix=fix)


def _through_shell(running: Running, command: Command, project: Project) -> Fix | None:
    """A shell that starts the command of an image, where the image is seen to have one and nothing else starts it."""
    stage = running.image.final if running.image is not None else None
    if stage is None or stage.entrypoint or not any(run.shell for run in stage.runs):
        return None
    if all(own.place != command.place for own in stage.command):
        return None
    return through_shell(project.tree, command.place, "Let a shell expand it")


def _parenthesized(word: Word, name: str, project: Project) -> Fix | None:
    """The variable as the platform expands it, where nothing but the name stands in it."""
    text = _text(word)
    for written in (f"${{{name}}}", f"${name}"):
        if text.count(written) == 1:
            return reworded(project.tree, word.place, written, f"$({name})", f"Write $({name})")
    return None


def _has_shell(command: Command, project: Project) -> bool:
    """Whether a shell or a program that expands words by itself runs the command."""
    program = posixpath.basename(command.words[0].value or "")
    if not program or _SHELLS.match(program) or _OWN_VARIABLES.match(program):
        return True
    return any(_SHELLS.match(posixpath.basename(word.value or "")) for word in command.words[1:])


def _left(command: Command) -> Iterator[tuple[Word, str]]:
    """Words with a variable in them that stays as it is, with its name."""
    before = ""
    for word in command.words[1:]:
        text = _text(word)
        if before not in _SCRIPT_FLAGS and (found := _VARIABLE.search(text)) and "\n" not in text:
            yield word, found[1] or found[2]
        before = text


def _text(word: Word) -> str:
    """A word as a program gets it without a shell: without its quotes, and with its variables as they are written."""
    return word.value if word.value is not None else word.written.strip("\"'")
