"""Specs of DigitalOcean's App Platform: the components of an app, their commands, variables and databases.

Facts: <https://docs.digitalocean.com/products/app-platform/reference/app-spec/>. A component is built from its
``source_dir`` (the root of the repository, unless it is said), with the Dockerfile at ``dockerfile_path`` or with a
buildpack, or it is an image that is pulled. ``envs`` of the app reach all of its components, which come first;
``${NAME.PRIVATE_URL}`` and ``${NAME.DATABASE_URL}`` are filled in by the platform. Components reach a service by its
name. The dashboard may set more.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from connlint.languages.deployment.shell import read_commands
from connlint.languages.deployment.yaml_nodes import Yaml, documents
from connlint.model.deployment import Command, Deployment, Known, Port, Service
from connlint.model.source import Source
from connlint.patterns import regex

Read = Callable[[str], bytes | None]
FOLDER = ".do"
"""Where the platform looks for a spec."""
MARK = regex(rb"^[ \t]*-?[ \t]*(?:instance_size_slug|environment_slug|dockerfile_path|http_port|source_dir):", re.M)
"""What only a spec of this platform says."""
_COMPONENTS = ("services", "workers", "jobs", "functions", "static_sites")
_USUAL_PORT = 8080
_ENGINES = {
    "PG": ("postgres", "postgres", 25060), "MYSQL": ("mysql", "mysql", 25060), "MONGODB": ("mongo", "mongodb", 27017),
    "REDIS": ("redis", "rediss", 25061), "VALKEY": ("redis", "rediss", 25061),
    "KAFKA": ("kafka", "kafka", 25073), "OPENSEARCH": ("opensearch", "https", 25060),
}
"""What the image is like that a managed database runs, and the scheme and port of its address."""
_BOUND = regex(r"\$\{([\w-]+)\.(\w+)\}$")
_MANIFESTS = ("Dockerfile", "package.json", "requirements.txt", "pyproject.toml", "go.mod", "Gemfile", "index.html")


def read_app_platform(source: Source, read: Read) -> Deployment:
    """The components of every app of the file, and the databases that the platform brings them."""
    found: list[Service] = []
    for document in documents(source):
        spec = document.get("spec") or document
        stores = {name.text: row for row in _rows(spec, "databases") if (name := row.get("name")) is not None}
        names = {text for kind in _COMPONENTS for row in _rows(spec, kind) if (text := _text(row, "name"))}
        shared = _environment(spec, {}, names, stores)
        items = [(kind, row) for kind in _COMPONENTS for row in _rows(spec, kind)]
        base = _base([row for _, row in items], posixpath.dirname(source.path), read)
        found += [_component(kind, row, source, base, read, _environment(row, shared, names, stores))
                  for kind, row in items]
        for text, row in stores.items():
            image, _, port = _ENGINES.get(_text(row, "engine") or "PG", ("", "", 0))
            found.append(Service(text or "?", "app-platform", (row.get("name") or row).place, hosts=(text or "?",),
                                 image=Known(image or None, row.place, image), group=source.path,
                                 ports=(Port(port, None, row.place),) if port else ()))
    return Deployment(source.path, tuple(found))


def _component(kind: str, row: Yaml, source: Source, base: str, read: Read,
               environment: dict[str, Known]) -> Service:
    folder = posixpath.normpath(posixpath.join(base, (_text(row, "source_dir") or "/").strip("/")))
    folder = "" if folder == "." else folder
    recipe = _text(row, "dockerfile_path")
    if recipe is not None:
        place = posixpath.join(base, recipe.strip("/"))
        if read(place) is None:
            place = posixpath.join(folder, recipe.strip("/"))
        recipe = posixpath.relpath(place, folder or ".")
    start = row.get("run_command")
    commands: tuple[Command, ...] = ()
    if start is not None and start.text:
        at = start.inner_offset() if start.is_plain else start.span[0]
        commands = read_commands(start.text.encode(), source.path, at, folder=folder)
    open_ = ["variables of the dashboard"]
    if kind == "static_sites":
        open_.append("a static site")
    name = row.get("name") or row
    image = row.get("image")
    pulled = _image(image) if image is not None else None
    at_node = row.key("envs") or row.key("name") or row
    # a folder with a Dockerfile is built with it, unless a buildpack is said
    bare = recipe is None and (_text(row, "environment_slug") is not None or kind == "static_sites")
    return Service(
        name.text or "?", "app-platform", name.place, environment, at_node.place, tuple(open_),
        build=None if pulled is not None else folder or ".", dockerfile="" if bare else recipe, image=pulled,
        commands=commands, folder=None if pulled is not None else folder, ports=tuple(_ports(kind, row)),
        hosts=(name.text,) if name.text and kind == "services" else (), one_shot=kind == "jobs", group=source.path)


def _ports(kind: str, row: Yaml) -> Iterator[Port]:
    """Where the platform asks a service, and where other components do."""
    if kind != "services":
        return
    number = row.get("http_port")
    text = number.text if number is not None and number.text else str(_USUAL_PORT)
    if text.isdigit() and (int(text) or number is None):
        yield Port(int(text), 443, (number or row.get("name") or row).place)
    inner = row.get("internal_ports")
    for item in inner.list() if inner is not None else ():
        if item.text and item.text.isdigit():
            yield Port(int(item.text), None, item.place)


def _image(node: Yaml) -> Known:
    parts = [text for key in ("registry", "repository") if (text := _text(node, key))]
    tag = _text(node, "tag")
    text = "/".join(parts) + (f":{tag}" if tag else "")
    return Known(text or None, node.place, text)


def _environment(row: Yaml, shared: dict[str, Known], names: set[str],
                 stores: dict[str | None, Yaml]) -> dict[str, Known]:
    found = dict(shared)
    for item in _rows(row, "envs"):
        key, value = item.get("key"), item.get("value")
        if key is None or not key.text:
            continue
        text = value.text if value is not None else None
        known = None if text is None or text.startswith("EV[") or _text(item, "type") == "SECRET" else text
        if known is not None and "${" in known:
            known = _filled(known, names, stores)
        found[key.text] = Known(known, (value or key).place, text or "")
    return found


def _filled(text: str, names: set[str], stores: dict[str | None, Yaml]) -> str | None:
    """What the platform puts in for ``text``, as far as that is an address of a component or database of the app."""
    bound = _BOUND.match(text)
    if bound is None:
        return None
    name, said = bound[1], bound[2]
    if name in names:
        return {"PRIVATE_URL": f"http://{name}", "PRIVATE_DOMAIN": name, "HOSTNAME": name}.get(said)
    if name not in stores:
        return None
    _, scheme, port = _ENGINES.get(_text(stores[name], "engine") or "PG", ("", "", 0))
    told = {"HOSTNAME": name, "PORT": str(port), "DATABASE_URL": f"{scheme}://{name}:{port}"}
    return told.get(said) if port else None


def _base(rows: list[Yaml], folder: str, read: Read) -> str:
    """The folder from which the paths of a spec in ``folder`` count: the first above it, from the root on, below which
    something is found that a component may be built from; else the one that the spec belongs to."""
    own = posixpath.dirname(folder) if posixpath.basename(folder) == FOLDER else folder
    parts = own.split("/") if own else []
    for count in range(len(parts)):
        base = "/".join(parts[:count])
        if rows and all(any(read(posixpath.normpath(posixpath.join(base, (_text(row, "source_dir") or "/").strip("/"),
                                                                   name))) is not None for name in _MANIFESTS)
                        and _text(row, "source_dir") for row in rows):
            return base
    return own


def _rows(node: Yaml, key: str) -> list[Yaml]:
    table = node.get(key)
    return list(table.list()) if table is not None else []


def _text(row: Yaml, key: str) -> str | None:
    value = row.get(key)
    return value.text if value is not None else None
