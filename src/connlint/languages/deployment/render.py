"""``render.yaml``: the services of a blueprint, their commands and variables.

Facts: <https://render.com/docs/blueprint-spec>. Paths count from the root of the repository, wherever the blueprint
lies; those of a service with a ``rootDir`` count from there. Services and databases may stand in the environments of
``projects``; a group of variables that the blueprint has is given as it stands there. Services of one region reach each
other by name. The platform publishes what a web service opens.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from connlint.languages.deployment.shell import read_commands
from connlint.languages.deployment.yaml_nodes import Yaml, documents
from connlint.model.deployment import Command, Deployment, Known, Service
from connlint.model.source import Source

Read = Callable[[str], bytes | None]
_STORES = ("redis", "keyvalue")
"""Types of service that the platform brings itself."""
_DATABASE = ("postgres", "postgresql", 5432)
_KEY_VALUE = ("redis", "redis", 6379)
"""What such a service is: the image that is the same, and the scheme and port of its address."""


def read_render(source: Source, read: Read) -> Deployment:
    """The services that are made from the project; ``fromGroup`` and ``sync: false`` leave variables open."""
    tables = [table for document in documents(source) for table in (document, *_environments(document))]
    rows = {key: [item for table in tables if (found := table.get(key)) is not None for item in found.list()]
            for key in ("services", "databases", "envVarGroups")}
    items = [item for item in rows["services"] if _text(item, "type") not in _STORES]
    stores = [(item, _KEY_VALUE) for item in rows["services"] if _text(item, "type") in _STORES]
    stores += [(item, _DATABASE) for item in rows["databases"]]
    base = _base(items, posixpath.dirname(source.path), read)
    brought = tuple(_store(item, kind[0], source) for item, kind in stores if _text(item, "name"))
    kinds = {_text(item, "name"): kind for item, kind in stores}
    groups = {_text(item, "name"): item for item in rows["envVarGroups"]}
    others = {_text(item, "name"): item for item in items}
    return Deployment(source.path, (*(_service(item, source, base, read, kinds, groups, others) for item in items),
                                    *brought))


def _environments(document: Yaml) -> list[Yaml]:
    """The environments of the projects of a blueprint."""
    projects = document.get("projects")
    return [each for project in (projects.list() if projects is not None else ())
            if (rows := project.get("environments")) is not None for each in rows.list()]


def _store(item: Yaml, image: str, source: Source) -> Service:
    """A database that the platform brings."""
    name = item.get("name") or item
    return Service(name.text or "?", "render", name.place, image=Known(image, name.place, image),
                   hosts=(name.text or "?",), group=source.path)


def _of_another(row: Yaml, kinds: dict[str | None, tuple[str, str, int]],
                others: dict[str | None, Yaml]) -> str | None:
    """The value of a variable that another service of the blueprint gives: its name, by which it is reached, an address
    of it, or what it is told itself; None where that is not known."""
    for key in ("fromDatabase", "fromService"):
        name, property_ = row.get(key, "name"), row.get(key, "property")
        copied = _text(row.get(key) or row, "envVarKey")
        if name is not None and copied is not None and name.text in others:
            rows = variables.list() if (variables := others[name.text].get("envVars")) is not None else []
            return next((_text(each, "value") for each in rows if _text(each, "key") == copied), None)
        if name is None or property_ is None or not name.text:
            continue
        _, scheme, port = kinds.get(name.text, ("", "", 0))
        told = {"host": name.text, "port": str(port) if port else None,
                "connectionString": f"{scheme}://{name.text}:{port}" if port else None}
        return told.get(property_.text or "")
    return None


def _text(item: Yaml, key: str) -> str | None:
    value = item.get(key)
    return value.text if value is not None else None


def _base(items: list[Yaml], folder: str, read: Read) -> str:
    """The folder from which the paths of a blueprint in ``folder`` count: the root of the repository, unless what it
    names stands below ``folder``, which then was the root of another."""
    for item in items if folder else ():
        root, recipe = _text(item, "rootDir") or ".", _text(item, "dockerfilePath")
        if posixpath.normpath(root) == folder:
            return ""
        if recipe is not None and not any(_found(read, folder, *places) for places in ((root, recipe), (recipe,))):
            return ""
    return folder


def _found(read: Read, *parts: str) -> bool:
    return read(posixpath.normpath(posixpath.join(*parts))) is not None


def _service(item: Yaml, source: Source, base: str, read: Read, kinds: dict[str | None, tuple[str, str, int]],
             groups: dict[str | None, Yaml], others: dict[str | None, Yaml]) -> Service:
    environment: dict[str, Known] = {}
    open_: list[str] = []
    taken: set[str | None] = set()
    rows = item.get("envVars")
    waiting = list(rows.list()) if rows is not None else []
    while waiting:
        row = waiting.pop(0)
        key = row.get("key")
        if key is not None and key.text:
            value = row.get("value")
            told = _of_another(row, kinds, others)
            environment[key.text] = (Known(value.text, value.place, value.text or "") if value is not None
                                     else Known(told, key.place, told or ""))
        elif (name_ := _text(row, "fromGroup")) in groups and name_ not in taken:
            taken.add(name_)
            group = groups[name_]
            given = group.get("envVars")
            waiting += given.list() if given is not None else []
        else:
            open_.append("an environment group")
    folder = posixpath.normpath(posixpath.join(base, _text(item, "rootDir") or "."))
    folder = base if folder == "." else folder
    start = item.get("startCommand") or item.get("dockerCommand")
    commands: tuple[Command, ...] = ()
    if start is not None and start.text:
        at = start.inner_offset() if start.is_plain else start.span[0]
        commands = read_commands(start.text.encode(), source.path, at, folder=folder)
    runtime = _text(item, "runtime") or _text(item, "env")
    if runtime == "static":
        open_.append("a static site")
    build: str | None
    build, dockerfile = _recipe(item, base, folder, read)
    if runtime not in (None, "docker", "image"):
        dockerfile = ""
    name = item.get("name")
    image, kind = item.get("image", "url"), _text(item, "type")
    if image is not None:
        build, dockerfile = None, None
    at_node = item.key("envVars") or item.key("name") or item
    first = item.get("preDeployCommand")
    if commands and first is not None and first.text and first.is_plain:
        commands = (*read_commands(first.text.encode(), source.path, first.inner_offset(), folder=folder), *commands)
    return Service((name.text if name is not None else None) or "?", "render", (name or item).place, environment,
                   at_node.place, tuple(open_), build=build, dockerfile=dockerfile, commands=commands,
                   folder=folder if image is None else None,
                   image=Known(image.text, image.place, image.text or "") if image is not None else None,
                   hosts=(name.text,) if name is not None and name.text else (), group=source.path,
                   one_shot=kind == "cron")


def _recipe(item: Yaml, base: str, folder: str, read: Read) -> tuple[str, str | None]:
    """The context that an image is built from, and the Dockerfile as seen from there."""
    context, recipe = _text(item, "dockerContext"), _text(item, "dockerfilePath")
    start = base if recipe is not None and not _found(read, folder, recipe) and _found(read, base, recipe) else folder
    build = posixpath.normpath(posixpath.join(start, context or "."))
    if recipe is None:
        return build, None
    return build, posixpath.relpath(posixpath.normpath(posixpath.join(start, recipe)), build)
