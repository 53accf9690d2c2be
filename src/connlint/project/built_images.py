"""Which Dockerfile an image comes from, by the name that the project gives it.

A manifest names an image alone. A compose file that builds it under that name, or a command that does (``docker build
-t``), says where it comes from, and so does the list of a ``skaffold.yaml``, a ``Tiltfile``, or the name that Compose
gives what it builds without one; so does a folder of the very name of the image, where it holds the only Dockerfile
that may be meant, and so does a Dockerfile that is called after it (``Dockerfile.api``), if something builds that.
Where several images of one registry are called after folders with one word before or behind all of them (``shop-auth``
and ``shop-orders``), they are made there; and so is the image of a manifest that lies within the folder of a
Dockerfile, if both names have a word in common. Of a project with one Dockerfile, whatever starts a file beside that,
or is called as the package there, is made of it.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from connlint.model.deployment import Command, Deployment, Service
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.tree import Tree, above

_NAME = regex(r"[a-z0-9][a-z0-9._-]*$")
_PROJECT = regex(rb"(?m)^\[(?:project|tool\.poetry)\](?:\n(?!\[).*)*?\nname\s*=\s*[\"']([\w.-]+)")
_APPLICATION = regex(r"([A-Za-z_]\w*(?:\.\w+)*):[A-Za-z_][\w.]*(?:\(\))?$")
"""How a server is told which module holds the application."""
_VALUED = ("--build-arg", "--platform", "--target", "--label", "--cache-from", "--cache-to", "--progress", "--network")
_PREFIXES = ("src", "app", "service", "services", "docker", "build", "image", "images", "deploy")
"""Folders whose name says nothing about the image that is built in them."""
_CALLED = regex(r"(?:Docker|Container)file[.-](?P<behind>[\w-]+)$|(?P<before>[\w-]+)\.[Dd]ockerfile$")
"""Names of Dockerfiles that say which of several images is built."""
_OFFICIAL = frozenset("""
    adminer aerospike almalinux alpine alt amazoncorretto amazonlinux arangodb archlinux backdrop bash bonita buildpack
    busybox caddy cassandra chronograf cirros clickhouse clojure composer convertigo couchbase couchdb crate dart debian
    docker drupal eclipse-mosquitto eclipse-temurin elasticsearch elixir emqx erlang fedora flink fluentd friendica
    gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch httpd hylang ibmjava
    influxdb irssi jetty jobber joomla jruby julia kapacitor kibana kong krakend lightstreamer liquibase logstash
    mageia mariadb matomo maven mediawiki memcached mongo mongo-express monica mysql nats nats-streaming neo4j
    neurodebian nextcloud nginx node notary odoo open-liberty openjdk oraclelinux orientdb percona perl phpmyadmin php
    photon plone postfixadmin postgres pypy python r-base rabbitmq rakudo-star redis redmine registry rethinkdb
    rocket.chat rockylinux ros ruby rust sapmachine satosa scratch silverpeas solr sonarqube spark spiped storm swift
    swipl teamspeak telegraf tomcat tomee traefik ubuntu unit valkey varnish vault consul websphere-liberty wordpress
    xwiki yourls znc zookeeper
""".split())
"""Fact: a name without a registry and a folder is one of Docker's official images, or was built on the machine."""
_WORD = regex(r"[a-z0-9]+")
_WORDS_OF_NONE = frozenset({*_PREFIXES, "api", "server", "svc", "microservice", "latest", "the"})
"""Words that images of many services have in common."""


class Origin(Struct, frozen=True):
    """Where an image is built: the folder of the context, the Dockerfile as seen from there, and the stage of it."""

    context: str
    dockerfile: str | None
    target: str | None = None


class BuiltImages:
    """Names of images and their origins, as the deployment files of one project give them."""

    def __init__(self, deployments: Sequence[Deployment], tree: Tree) -> None:
        self._tree = tree
        self._told: dict[str, set[Origin]] = {}
        self._composed: dict[str, set[Origin]] = {}
        """What Compose builds without being told a name: by that of the file's folder and the service's."""
        folders: dict[str, list[str]] = {}
        called: dict[str, list[str]] = {}
        files: dict[str, set[Origin]] = {}
        for deployment in deployments:
            if ".devcontainer" in deployment.path.split("/"):
                # the image in which somebody develops, mostly under the name of the one that is shipped
                continue
            for service in deployment.services:
                if service.build is None:
                    continue
                origin = Origin(service.build, service.dockerfile, service.target)
                files.setdefault(_file_of(origin), set()).add(replace(origin, target=None))
                if service.image is not None:
                    self._add(service.image.value or service.image.written, origin)
                elif service.kind == "compose" and (folder := posixpath.basename(posixpath.dirname(deployment.path))):
                    for mark in "-_":
                        self._composed.setdefault(f"{folder}{mark}{service.name}".lower(), set()).add(origin)
            for command in deployment.commands:
                for name, origin in self._built_by(command):
                    self._add(name, origin)
            for image in deployment.images:
                folder, name = posixpath.split(image.path)
                if words := _CALLED.match(name):
                    called.setdefault((words["behind"] or words["before"]).lower(), []).append(image.path)
                if name == "Dockerfile" and folder:
                    folders.setdefault(posixpath.basename(folder).lower(), []).append(folder)
        for path in sorted(tree.paths):
            if posixpath.basename(path) in ("skaffold.yaml", "skaffold.yml"):
                for name, origin in _listed(path, tree.read(path) or b""):
                    self._add(name, origin)
            elif posixpath.basename(path) == "Tiltfile":
                from connlint.languages.deployment.tilt import built_by_tilt

                for name, context, dockerfile, target in built_by_tilt(path, tree.read(path) or b""):
                    self._add(name, Origin(context, dockerfile, target))
        self._only = self._single(deployments)
        self._of_only = {own for deployment in deployments for service in deployment.services
                         if service.image is not None and service.kind not in ("compose", "workflow")
                         and (own := _last(service.image.value or "")) and self._runs_of_only(service, own)}
        # how others build the Dockerfile of a folder says from where: mostly from the folder itself
        self._of_name = {name: rows for name, rows in folders.items() if name not in _PREFIXES}
        self._folders = {name: next(iter(files.get(posixpath.join(rows[0], "Dockerfile"), {Origin(rows[0], None)})))
                         for name, rows in folders.items() if name not in _PREFIXES and len(rows) == 1
                         and len(files.get(posixpath.join(rows[0], "Dockerfile"), ())) < 2}
        # what a language allows in the name of a package is mostly written otherwise in that of an image
        self._folders = {**{name.replace("_", "-"): origin for name, origin in self._folders.items()}, **self._folders}
        self._called = {name: next(iter(files[rows[0]])) for name, rows in called.items()
                        if name not in folders and len(rows) == 1 and len(files.get(rows[0], ())) == 1}
        self._around_names = self._common(deployments)

    def origin(self, service: Service) -> Origin | None:
        """Where the image of ``service`` comes from; None where that is not known, or not only one answer."""
        if service.image is None or service.image.value is None:
            return None
        name = _last(service.image.value)
        if name is None:
            return None
        told = self._told.get(name) or self._composed.get(name, set())
        beside = {Origin(folder, None) for folder in self._of_name.get(name, ())}
        if len(told) == 1:
            only = next(iter(told))
            # what is built under the name in another part of the project is another image, if this part has one, too
            return only if _shared(service, only) else self._nearest(service, beside) or only
        if (near := self._nearest(service, told or beside)) is not None and (told or "/" in service.image.value):
            return near
        # an image without a folder of its own in the registry is mostly a public one
        if not told and ("/" in service.image.value or is_local(service)):
            found = (self._folders.get(name) or self._called.get(name) or self._between(service.image.value)
                     or self._around(service, name))
            if found is not None:
                return found
        return self._only if not told and name in self._of_only else None

    def _nearest(self, service: Service, origins: set[Origin]) -> Origin | None:
        """Of several origins the one that lies in the same part of the project as the manifest of ``service``."""
        most = max((_shared(service, origin) for origin in origins), default=0)
        near = [origin for origin in origins if _shared(service, origin) == most]
        return near[0] if most and len(near) == 1 else None

    def _common(self, deployments: Sequence[Deployment]) -> set[str]:
        """What stands around the names of folders in at least two images of manifests: ``registry/shop-*``."""
        found: dict[str, set[str]] = {}
        for image in {service.image.value or "" for deployment in deployments for service in deployment.services
                      if service.image is not None and service.build is None and service.kind != "compose"}:
            for around, folder in self._split(image):
                found.setdefault(around, set()).add(folder)
        return {around for around, named in found.items() if len(named) > 1}

    def _split(self, image: str) -> Iterator[tuple[str, str]]:
        """An image's registry with the beginning or the end of its name, and the folder whose name is the rest: every
        way."""
        name = _last(image)
        if name is None or "/" not in image:
            return
        registry = image.partition("@")[0].rpartition("/")[0]
        for at, mark in enumerate(name):
            if mark in "-_." and name[at + 1:] in self._folders:
                yield f"{registry}/{name[:at + 1]}*", name[at + 1:]
            if mark in "-_." and name[:at] in self._folders:
                yield f"{registry}/*{name[at:]}", name[:at]

    def _between(self, image: str) -> Origin | None:
        found = {folder for around, folder in self._split(image) if around in self._around_names}
        return self._folders[next(iter(found))] if len(found) == 1 else None

    def _around(self, service: Service, name: str) -> Origin | None:
        """The folder with a Dockerfile in which the manifest of ``service`` lies, if the image is called like it."""
        for folder in above(posixpath.dirname(service.place.path)):
            base = posixpath.basename(folder).lower()
            if folder and posixpath.join(folder, "Dockerfile") in self._tree.paths:
                shared = {*_WORD.findall(name)} & {*_WORD.findall(base)} - _WORDS_OF_NONE
                return self._folders.get(base) if shared else None
        return None

    def _single(self, deployments: Sequence[Deployment]) -> Origin | None:
        """The only Dockerfile of the project, None where it has several."""
        files = [image.path for deployment in deployments for image in deployment.images]
        if len(files) != 1 or posixpath.basename(files[0]) != "Dockerfile":
            return None
        return Origin(posixpath.dirname(files[0]) or ".", None)

    def _runs_of_only(self, service: Service, name: str) -> bool:
        """Whether ``service`` is surely made of the only Dockerfile: its command starts a file that stands beside that,
        or its image has the name of the package there."""
        if self._only is None:
            return False
        folder = self._only.context
        for command in service.commands:
            words = [word.value or "" for word in command.words[1:3]]
            files = [word for word in words if word and not word.startswith(("-", "/"))]
            if words[:1] == ["-m"]:
                stem = words[-1].replace(".", "/")
                files = [f"{stem}.py", f"{stem}/__main__.py"]
            for word in command.words[1:]:
                if named := _APPLICATION.match(word.value or ""):
                    stem = named[1].replace(".", "/")
                    files += [f"{stem}.py", f"{stem}/__init__.py"]
            if any(posixpath.normpath(posixpath.join(folder, file)) in self._tree.paths for file in files):
                return True
        return name in names_of(self._tree, folder)

    def _add(self, image: str, origin: Origin) -> None:
        name = _last(image)
        if name is not None:
            usual = origin.dockerfile is not None and posixpath.normpath(origin.dockerfile) == "Dockerfile"
            self._told.setdefault(name, set()).add(replace(origin, dockerfile=None) if usual else origin)

    def _built_by(self, command: Command) -> Iterator[tuple[str, Origin]]:
        """Names and origin of what ``docker build`` builds, where its context is a folder of the project."""
        words = [word.value if word.value is not None else word.written.strip("\"'") for word in command.words]
        if posixpath.basename(words[0]) not in ("docker", "podman", "buildah") or "build" not in words[1:3]:
            return
        names: list[str] = []
        file: str | None = None
        plain: list[str] = []
        rest = iter(words[words.index("build") + 1:])
        for word in rest:
            flag, equals, value = word.partition("=")
            if flag in ("-t", "--tag", "-f", "--file"):
                text = value if equals else next(rest, "")
                if flag in ("-t", "--tag"):
                    names.append(text)
                else:
                    file = text
            elif word.startswith("-"):
                if not equals and flag in _VALUED:
                    next(rest, "")
            else:
                plain.append(word)
        if len(plain) != 1 or "$" in plain[0] or (file is not None and "$" in file):
            return
        for base in (command.folder, posixpath.dirname(command.place.path)):
            if base is None or base.startswith("/"):
                continue
            context = posixpath.normpath(posixpath.join(base, plain[0])).removeprefix("./")
            path = posixpath.normpath(posixpath.join(base, file)) if file else posixpath.join(context, "Dockerfile")
            if posixpath.normpath(path) in self._tree.paths:
                for name in names:
                    yield name, Origin(context, posixpath.relpath(path, context) if file else None)
                return


def _shared(service: Service, origin: Origin) -> int:
    """How many folders, from the root on, both the manifest of ``service`` and what ``origin`` builds lie in."""
    rows = zip(posixpath.dirname(service.place.path).split("/"), origin.context.split("/"))
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1] != "", rows))


def is_local(service: Service) -> bool:
    """Whether the image of ``service`` was built on the machine that runs it: none that is published is called so."""
    name = image_name(service)
    written = service.image.value or "" if service.image is not None else ""
    return name is not None and "/" not in written and "$" not in written and name not in _OFFICIAL


def names_of(tree: Tree, folder: str) -> set[str]:
    """The names, in small letters, that the package files in ``folder`` give to what stands there."""
    table = jsonc.loads(tree.read(posixpath.normpath(posixpath.join(folder, "package.json"))) or b"")
    written = table.get("name") if isinstance(table, dict) else None
    own = _PROJECT.search(tree.read(posixpath.normpath(posixpath.join(folder, "pyproject.toml"))) or b"")
    names = {written.rpartition("/")[2]} if isinstance(written, str) else set()
    return {name.lower() for name in names | ({own[1].decode()} if own else set())} - {""}


def image_name(service: Service) -> str | None:
    """The name of the image that a service runs, without registry, folder and tag; None where it is not known."""
    return _last(service.image.value) if service.image is not None and service.image.value else None


def _file_of(origin: Origin) -> str:
    """The path of the Dockerfile."""
    return posixpath.normpath(posixpath.join(origin.context, origin.dockerfile or "Dockerfile"))


def _last(image: str) -> str | None:
    """The name of an image without registry, folder and tag."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return name if _NAME.match(name) else None


def _listed(path: str, data: bytes) -> Iterator[tuple[str, Origin]]:
    """The images that the ``skaffold.yaml`` at ``path`` builds with Docker, and how.

    Facts: Skaffold's reference of ``build.artifacts``: ``context`` is a folder from the file on, "." unless it is
    given, and ``docker.dockerfile`` a file from the context on, ``Dockerfile`` unless it is given.
    """
    from connlint.languages.deployment.yaml_nodes import documents
    from connlint.model.source import Source, Undecodable

    try:
        rows = [row for document in documents(Source.decode(path, data))
                if (list_ := document.get("build", "artifacts")) is not None for row in list_.list()]
    except (Undecodable, ValueError):
        return
    for row in rows:
        if any(row.get(other) is not None for other in ("jib", "bazel", "buildpacks", "ko", "kaniko", "custom")):
            continue
        image, context, dockerfile = (node.text if node is not None else None for node in (
            row.get("image"), row.get("context"), row.get("docker", "dockerfile")))
        if image and "{{" not in f"{image}{context}{dockerfile}":
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), context or "."))
            yield image, Origin(place, dockerfile)
