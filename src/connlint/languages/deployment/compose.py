"""Compose files: services, what reaches them, and what they publish (the Compose Specification)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from connlint.languages.deployment.dotenv import read_dotenv
from connlint.languages.deployment.shell import listed, read_commands
from connlint.languages.deployment.yaml_nodes import Yaml, documents, twice
from connlint.model.deployment import (
    Command,
    Dependency,
    Deployment,
    Known,
    Port,
    Reference,
    Service,
    Word,
    laid_over,
)
from connlint.model.finding import Place
from connlint.model.source import Source, Undecodable
from connlint.patterns import regex

_HOLE = regex(r"\$(?:(\$)|\{(\w+)(?:(:?[-?+])((?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+))?\}|(\w+))")
"""A default may hold further ones, as ``${A:-${B:-x}}`` does."""
_PORTS = regex(r"(?:(?P<ip>\[[^\]]*\]|\d+\.\d+\.\d+\.\d+|localhost|[\w.-]*[A-Za-z][\w.-]*):)?"
               r"(?:(?P<host>\d+|\0+)(?:-(?P<host_end>\d+))?:)?"
               r"(?P<container>\d+|\0+)(?:-(?P<end>\d+))?(?:/(?P<protocol>\w+))?$")
_LONGEST_RANGE = 20
"""Ports past which a range is not told one by one."""
_LONGEST = 10_000
"""Characters past which a text is not filled in."""
_UNKNOWN = "\0"
"""Stands in a text for a part that is not known."""
_LISTED = regex(r"([A-Za-z_]\w*)=")
_ONE_POD = "x-uffizzi"
"""What a platform calls its part of the file, if it runs all services in one pod, which share a loopback."""

Read = Callable[[str], bytes | None]


def read_compose(source: Source, read: Read) -> Deployment:
    """The services of one compose file. ``read`` gives the bytes of the project's other files.

    Raises `Malformed` where the file is no YAML. A YAML file without ``services`` has none.
    """
    folder = posixpath.dirname(source.path)
    services: list[Service] = []
    references: list[Reference] = []
    walked: set[int] = set()
    found = documents(source)
    for document in found:
        table = document.get("services")
        if table is None:
            continue
        reader = _Reader(source, folder, read)
        links: dict[str, list[str]] = {}
        for key, value in table.items():
            if key.text and value.node.id == "mapping":
                services.append(reader.service(key, value))
                references += _references(value, key.text, walked)
                for name, alias in _links(value):
                    links.setdefault(name, []).append(alias)
        services = [replace(s, hosts=tuple(dict.fromkeys((*s.hosts, *links[s.name])))) if s.name in links else s
                    for s in services]
    fault = twice(found)
    if any(document.get(_ONE_POD) is not None for document in found):
        names = tuple(service.name for service in services)
        services = [replace(s, mates=tuple(name for name in names if name != s.name)) for s in services]
    return Deployment(source.path, tuple(_with_mates(services)), problems=(fault,) if fault else (),
                      references=tuple(references), includes=tuple(_includes(found, folder)),
                      extended=tuple(dict.fromkeys(_extended_files(found, folder))))


def _links(node: Yaml) -> Iterator[tuple[str, str]]:
    """Pairs of a service and the name by which ``links`` lets it be reached."""
    links = node.get("links")
    for text in links.texts() if links is not None else ():
        name, colon, alias = text.partition(":")
        if colon and alias:
            yield name, alias


def _includes(found: list[Yaml], folder: str) -> Iterator[str]:
    """The compose files that ``include`` names, as paths of the project."""
    for document in found:
        table = document.get("include")
        for item in table.list() if table is not None else ():
            path = item.get("path") if item.node.id == "mapping" else item
            for text in path.texts() if path is not None else ():
                if "$" not in text and "://" not in text:
                    yield posixpath.normpath(posixpath.join(folder, text))


def _extended_files(found: list[Yaml], folder: str) -> Iterator[str]:
    """The compose files whose services those of these documents extend, as paths of the project."""
    for document in found:
        table = document.get("services")
        for _, service in table.items() if table is not None else ():
            file = _text(service.get("extends", "file"))
            if file is not None and "$" not in file:
                yield posixpath.normpath(posixpath.join(folder, file))


def _references(node: Yaml, service: str, walked: set[int], sets: str = "") -> Iterator[Reference]:
    """Variables that compose itself puts into what is said of ``service``; every node is looked at once.

    ``${X:-default}`` and ``${X:+other}`` mean something without the variable, too, and are left out.
    """
    if id(node.node) in walked:
        return
    walked.add(id(node.node))
    text = node.text
    if text is not None and "$" in text:
        if not sets and (listed := _LISTED.match(text)):
            sets = listed[1]
        for name in _asked_for(text):
            yield Reference(name, node.place, service, sets)
    for item in node.list():
        yield from _references(item, service, walked)
    for key, value in node.items():
        name = key.text or ""
        yield from _references(value, service, walked, name if name.isidentifier() and name.isupper() else "")


def _asked_for(text: str) -> Iterator[str]:
    """The variables without a default in ``text``, and in the defaults of others."""
    for hole in _HOLE.finditer(text):
        mark = (hole[3] or "").lstrip(":")
        if not hole[1] and mark in ("", "?"):
            yield hole[2] or hole[5]
        elif mark == "-":
            yield from _asked_for(hole[4] or "")


def _with_mates(services: list[Service]) -> list[Service]:
    """``network_mode: service:x`` shares x's loopback, both ways."""
    groups: dict[str, set[str]] = {}
    for service in services:
        for mate in service.mates:
            together = groups.get(mate, {mate}) | groups.get(service.name, {service.name})
            for name in together:
                groups[name] = together
    return [replace(s, mates=tuple(sorted(groups.get(s.name, set()) - {s.name}))) for s in services]


class _Reader:
    def __init__(self, source: Source, folder: str, read: Read) -> None:
        self.source = source
        self.folder = folder
        self.read = read
        dotenv = read(posixpath.join(folder, ".env"))
        self.substitutes = read_dotenv(posixpath.join(folder, ".env"), dotenv) if dotenv is not None else {}

    def expand(self, text: str) -> str | None:
        """Interpolation as compose does it, from the project's ``.env`` and defaults; None where a value is open."""
        result = self._filled(text)
        return None if result is None or _UNKNOWN in result else result

    def _filled(self, text: str) -> str | None:
        """The text with a mark for each part that is not known; None where it is too long."""

        def put(found: re.Match[str]) -> str:
            if found[1]:
                return "$"
            name = found[2] or found[5]
            known = self.substitutes.get(name)
            value = known.value if known else None
            mark = (found[3] or "").lstrip(":")
            if mark == "-" and not value:
                return self._filled(found[4] or "") or ""
            if mark == "+":
                return (self._filled(found[4] or "") or "") if value else ""
            return _UNKNOWN if value is None else value

        if "$" not in text:
            return text
        if len(text) > _LONGEST:
            return None
        return _HOLE.sub(put, text)

    def known(self, node: Yaml) -> Known:
        """A scalar, expanded."""
        return self._told(node.text, node.place)

    def _told(self, text: str | None, place: Place) -> Known:
        filled = self._filled(text) if text is not None else None
        if filled is None or _UNKNOWN not in filled:
            return Known(filled, place, text or "")
        return Known(None, place, text or "", filled if filled.strip(_UNKNOWN) else None)

    def service(self, key: Yaml, node: Yaml) -> Service:
        base = self._extended(node)
        build = node.get("build")
        if build is not None and build.node.tag == "!reset":
            build = None  # a file that takes away what another says; the image is made of that all the same
        context = dockerfile = target = None
        arguments: dict[str, Known] = {}
        if build is not None:
            written = build.text if build.text is not None else _text(build.get("context"))
            context = self.expand(written or ".")
            if build.node.id == "mapping":
                dockerfile = _text(build.get("dockerfile"))
                target = self.expand(_text(build.get("target")) or "") or None
                if (args := build.get("args")) is not None:
                    arguments, _ = self._environment(args)
        image = node.get("image")
        files = list(self._listed_files(node.get("env_file")))
        environment, open_ = self._files(files)
        own = node.get("environment")
        if own is not None:
            values, more = self._environment(own)
            environment |= values
            open_ += more
        mounts = self._mounts(node.get("volumes"))
        # what the program reads there by itself is as good as an ``env_file``
        open_ += [f"{path} is mounted and is not in the project" for path, _ in mounts
                  if posixpath.basename(path).startswith(".env") and self.read(path) is None]
        at = node.key("environment") or key
        mode = _text(node.get("network_mode")) or ""
        mates = (mode.removeprefix("service:"),) if mode.startswith("service:") else ()
        called = [_text(node.get(name)) for name in ("container_name", "hostname")]
        # a name that is put together of what is not known stays as it is written, and nobody is called so
        hosts = [key.text or "", *(self.expand(name) or name for name in called if name),
                 *self._aliases(node.get("networks"))]
        health = node.get("healthcheck")
        if health is not None and (_text(health.get("disable")) == "true"):
            health = None
        folder = _text(node.get("working_dir"))
        if base is None and node.get("extends") is not None:
            open_.append("what it extends is not in the project")
        deploy = node.get("deploy")
        replicas = deploy.get("replicas") if deploy is not None else None
        if replicas is not None and replicas.text == "0":
            open_.append("none of it is started as this stands, and whoever starts one may set more")
        profiles = node.get("profiles")
        here = Service(
            name=key.text or "", kind="compose", place=key.place, environment=environment, environment_at=at.place,
            open=tuple(open_) if not mode.startswith("container:") else (*open_, "shares another container's network"),
            build=self._path(context) if context is not None else None,
            dockerfile=self._filled(dockerfile) if dockerfile else None, target=target,
            image=self.known(image) if image is not None else None,
            commands=self.command(node.get("command"), folder),
            entrypoint=self.command(node.get("entrypoint"), folder) if node.get("entrypoint") is not None else None,
            folder=folder, ports=(*self._ports(node.get("ports")), *self._exposed(node.get("expose"))),
            dependencies=self._dependencies(node.get("depends_on")), hosts=tuple(h for h in hosts if h),
            mates=mates, host_network=mode == "host", healthcheck=health.place if health is not None else None,
            profiles=profiles.texts() if profiles is not None else (),
            one_shot=_text(node.get("restart")) in ("no", "false") and node.get("ports") is None,
            build_arguments=arguments, group=self.folder, mounts=mounts,
            env_files=tuple(path for _, path in files if path),
            restarts=(_text(node.get("restart")) or "no").split(":")[0] in ("always", "on-failure", "unless-stopped"),
        )
        if base is None:
            return here
        return replace(laid_over(base, here), name=here.name, place=here.place, environment_at=here.environment_at,
                       hosts=here.hosts, group=here.group, one_shot=here.one_shot)

    def _path(self, path: str) -> str | None:
        if "://" in path or path.startswith(("/", "~", "git@")):
            return None
        return posixpath.normpath(posixpath.join(self.folder, path)).removeprefix("./")

    def _extended(self, node: Yaml) -> Service | None:
        """The service that ``extends`` names, in this file or another one."""
        extends = node.get("extends")
        if extends is None or node.depth > 12:
            return None
        name = extends.text or _text(extends.get("service"))
        file = _text(extends.get("file")) if extends.node.id == "mapping" else None
        reader, source = self, self.source
        if file is not None:
            path = posixpath.normpath(posixpath.join(self.folder, file))
            data = self.read(path)
            if data is None or path == self.source.path:
                return None
            try:
                source = Source.decode(path, data)
                tables = [d.get("services") for d in documents(source)]
            except (Undecodable, ValueError):
                return None
            reader = _Reader(source, posixpath.dirname(path), self.read)
        else:
            tables = [d.get("services") for d in documents(self.source)]
        for table in tables:
            for key, value in table.items() if table is not None else ():
                if key.text == name and value.node is not node.node:
                    depth = node.depth + 4
                    return reader.service(Yaml(key.node, source, depth), Yaml(value.node, source, depth))
        return None

    def _environment(self, node: Yaml) -> tuple[dict[str, Known], list[str]]:
        """Variables in the map or the list form; a name alone passes on the value that the host has."""
        found: dict[str, Known] = {}
        open_: list[str] = []
        for key, value in node.items():
            if key.text:
                place = Place(self.source.path, (key.span[0], max(value.span[1], key.span[1])))
                found[key.text] = self._told(value.text, place)
        for item in node.list():
            name, equals, value_text = (item.text or "").partition("=")
            if name:
                found[name] = self._told(value_text if equals else None, item.place)
        if node.node.id == "scalar" and node.text:
            open_.append("environment is a template")
        return found, open_

    def _listed_files(self, node: Yaml | None) -> Iterator[tuple[str, str | None]]:
        """What ``env_file`` names, as written and as a path of the project, None where that is not known."""
        for item in [node, *node.list()] if node is not None else ():
            name = item.text or (_text(item.get("path")) if item.node.id == "mapping" else None)
            if name is not None:
                expanded = self.expand(name)
                yield name, None if expanded is None else self._path(expanded)

    def _files(self, files: list[tuple[str, str | None]]) -> tuple[dict[str, Known], list[str]]:
        found: dict[str, Known] = {}
        open_: list[str] = []
        for name, path in files:
            data = self.read(path) if path else None
            if path is None or data is None:
                open_.append(f"env_file {name} is not in the project")
            else:
                found |= read_dotenv(path, data)
        return found, open_

    def _aliases(self, node: Yaml | None) -> list[str]:
        found: list[str] = []
        for _, network in node.items() if node is not None else ():
            if (aliases := network.get("aliases")) is not None:
                found += aliases.texts()
        return found

    def _ports(self, node: Yaml | None) -> list[Port]:
        found: list[Port] = []
        for item in node.list() if node is not None else ():
            if item.node.id == "mapping":
                target, published = _text(item.get("target")), _text(item.get("published"))
                container = self.expand(target) if target else None
                host = self.expand(published) if published else None
                if container and container.isdigit():
                    number = int(host) if host and host.isdigit() else None
                    found.append(Port(int(container), number, item.place, somewhere=number is None,
                                      protocol=_text(item.get("protocol")) or "tcp"))
                continue
            parsed = _PORTS.match(self._filled(item.text or "") or "")
            if parsed:
                inside, outside = (int(text) if text and text.isdigit() else None
                                   for text in (parsed["container"], parsed["host"]))
                if parsed["end"] is not None or parsed["host_end"] is not None:
                    found += _range(parsed, inside, outside, item)
                    continue
                found.append(Port(inside, outside, item.place, protocol=parsed["protocol"] or "tcp",
                                  somewhere=outside is None))
            else:
                found.append(Port(None, None, item.place, somewhere=True))
        return found

    def _mounts(self, node: Yaml | None) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for item in node.list() if node is not None else ():
            if item.node.id == "mapping":
                source, target = _text(item.get("source")) or "", _text(item.get("target")) or ""
            else:
                source, _, rest = (self.expand(item.text or "") or "").partition(":")
                target = rest.partition(":")[0]
            if source.startswith((".", "/")) and target.startswith("/") and (path := self._path(source)) is not None:
                found.append((path, target))
        return tuple(found)

    def _exposed(self, node: Yaml | None) -> list[Port]:
        if node is None:
            return []
        numbers = [text.partition("/")[0] for text in node.texts()]
        return [Port(int(number), None, node.place) for number in numbers if number.isdigit()]

    def _dependencies(self, node: Yaml | None) -> tuple[Dependency, ...]:
        if node is None:
            return ()
        rows = [Dependency(item.text, None, item.place) for item in node.list() if item.text]
        for key, value in node.items():
            if key.text:
                condition = value.get("condition")
                place = condition.place if condition is not None else key.place
                rows.append(Dependency(key.text, _text(condition), place))
        return tuple(rows)

    def command(self, node: Yaml | None, folder: str | None) -> tuple[Command, ...]:
        """A command in its list form (no shell) or as one text, which compose splits itself, without a shell either."""
        if node is None:
            return ()
        if node.node.id == "sequence":
            words = tuple(Word(self.expand(item.text or ""), item.place, _interpolated(item.text or ""))
                          for item in node.list())
            return listed(words, node.place, self.source.data, folder)
        if node.text is None:
            return ()
        expanded = self.expand(node.text)
        text = node.text if expanded is None else expanded
        if text.lstrip().startswith("-"):
            # options alone, for the program that the image starts
            found = read_commands(b"program " + text.encode(), self.source.path, 0, folder=folder, shell=False)
            found = tuple(replace(c, words=c.words[1:]) for c in found[:1] if len(c.words) > 1)
        else:
            found = read_commands(text.encode(), self.source.path, 0, folder=folder, shell=False)
        return tuple(replace(c, place=node.place, words=tuple(
            replace(w, place=node.place) if expanded is not None else self._filled_in(w, node.place)
            for w in c.words)) for c in found)

    def _filled_in(self, word: Word, place: Place) -> Word:
        """A word of a text that compose fills in before it is split: quotes keep nothing from it."""
        value = self.expand(word.value) if word.value is not None else None
        return Word(value, place, _interpolated(word.written))


def _interpolated(text: str) -> str:
    """``text`` as the program gets it, with an ellipsis for what compose puts in and this project does not show."""
    return _HOLE.sub(lambda hole: "$" if hole[1] else "…", text)


def _text(node: Yaml | None) -> str | None:
    return None if node is None else node.text


def _range(parsed: re.Match[str], inside: int | None, outside: int | None, item: Yaml) -> list[Port]:
    """The ports of ``8000-8002:9000-9002``, one by one; of ``8000-8010:80`` the one, published somewhere."""
    protocol = parsed["protocol"] or "tcp"
    if parsed["end"] is None:
        return [Port(inside, None, item.place, protocol=protocol, somewhere=True)]
    count = int(parsed["end"]) - inside + 1 if inside is not None else 0
    if inside is None or not 0 < count <= _LONGEST_RANGE:
        return [Port(None, None, item.place, protocol=protocol, somewhere=True)]
    return [Port(inside + at, outside + at if outside is not None else None, item.place, protocol=protocol,
                 somewhere=outside is None) for at in range(count)]
