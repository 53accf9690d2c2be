"""Services and their code: every deployment file of the project, and which files of the project each service runs.

A path inside an image leads back to the project through ``COPY`` and bind mounts. Where it does not, it is unknown, and
nothing may be said about it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from connlint.languages.deployment.dockerfile import read_dockerfile, retold, workdir
from connlint.languages.deployment.dotenv import read_dotenv
from connlint.languages.deployment.files import kind_of, read_deployment
from connlint.languages.deployment.kubernetes import fronted, lent
from connlint.languages.deployment.shell import is_script, is_shell_script, listed, script_name, unwrap
from connlint.model.deployment import (
    HOSTED,
    PACKED,
    UNBUILT,
    Command,
    Deployment,
    Image,
    Known,
    Service,
    Stage,
    Word,
)
from connlint.model.program import Problem
from connlint.model.source import Source
from connlint.patterns import alone, regex
from connlint.project import jsonc
from connlint.project.built_images import BuiltImages, is_local
from connlint.project.kustomized import Kustomized
from connlint.project.project import Project
from connlint.project.tree import Tree

_HANDS_ON = regex(rb"(?:^|[;&|]|\b(?:exec|then|else)\b|\b(?:gosu|su-exec)\s+\S+|\s--)"
                  rb"[ \t]*\"?\$(?:[@*]|\{[@*]\})", re.M)
"""Where a script starts the words that it is given."""
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_OF_IMAGES = "docker-entrypoint.sh"
PROGRAMS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where a container looks for a program that is named without a folder, unless its image says otherwise."""

_GIVING = ("doppler", "infisical", "op", "chamber", "dotenv", "dotenvx", "env-cmd")
"""Programs that start another one with variables of their own: from a store of secrets, or from a file."""
_ENV_FILE = "--env-file"
"""The option by which node and others take variables from a file."""


class Running(Struct, frozen=True):
    """A service with the image it is built from, if that stands in the project.

    ``environment`` joins the image's and the service's; ``open`` says why more may be set; ``commands`` are what starts
    (the last one is what keeps running), with ``folder`` already a folder of the project where it is known. ``entry``
    is the script that starts them in the end, where one stands before them.
    """

    service: Service
    deployment: Deployment
    image: Image | None
    stage: Stage | None
    environment: dict[str, Known]
    open: tuple[str, ...]
    commands: tuple[Command, ...]
    folder: str | None
    entry: Command | None = None

    @property
    def name(self) -> str:
        return self.service.name

    def gives(self, variable: str) -> bool:
        """Whether the variable reaches the process, or the build of its image, which may write it into the code."""
        if variable in self.environment or variable in self.service.build_arguments or any(
                variable in command.assignments for command in self.commands):
            return True
        stages = self.image.stages if self.image is not None else ()
        return any(variable in stage.environment or variable in stage.arguments for stage in stages)


class Services:
    """All services of a project; files are read when they are first asked for."""

    def __init__(self, tree: Tree, problems: dict[str, Problem] | None = None) -> None:
        """Files that cannot be read in full are said in ``problems``, by path; "closed" is what gave no bytes."""
        self.tree = tree
        self.problems = {} if problems is None else problems
        self._deployments: list[Deployment] | None = None
        self._running: list[Running] | None = None
        self._origins: BuiltImages | None = None

    @classmethod
    def of(cls, project: Project) -> Services:
        """The one `Services` of a project."""
        return project.single(cls, project.tree, project.problems)

    def deployments(self) -> list[Deployment]:
        """Every deployment file, in order of its path."""
        if self._deployments is None:
            found: dict[str, Deployment] = {}
            waiting = [(path, kind) for path in sorted(self.tree.paths) if (kind := kind_of(path)) is not None]
            while waiting:
                path, kind = waiting.pop(0)
                if path in found:
                    continue
                if (data := self.tree.read(path)) is None:
                    self.problems.setdefault(path, Problem("closed", "cannot be read", path))
                    continue
                if (deployment := read_deployment(path, data, self.tree.read, kind)) is None:
                    continue
                found[path] = deployment
                waiting += [(file, "compose") for file in deployment.includes if file in self.tree.paths]
                for text in deployment.problems[:1]:
                    self.problems.setdefault(path, Problem("unreadable", text, path))
            self._deployments = [found[path] for path in sorted(found)]
        return self._deployments

    def images(self) -> dict[str, Image]:
        """Dockerfiles by path."""
        return {image.path: image for deployment in self.deployments() for image in deployment.images}

    def running(self) -> list[Running]:
        """Every service, joined with its image. A Dockerfile that no service builds is a service of its own."""
        if self._running is None:
            images = self.images()
            rows: list[Running] = []
            built: set[str] = set()
            together = self._applied_together()
            kustomized = Kustomized(self.deployments())
            for deployment in self.deployments():
                services = deployment.services
                if any(s.kind == "kubernetes" for s in services):
                    services = tuple(kustomized.completed(deployment.path, s)
                                     for s in lent(services, kustomized.maps(deployment.path)))
                if (folder := posixpath.dirname(deployment.path)) in together:
                    folder, rows_beside = together[folder]
                    beside = [other for other in rows_beside if other is not deployment]
                    fronts = [front for other in beside for front in other.fronts]
                    maps = {name: values for other in beside for name, values in other.maps.items()}
                    services = tuple(replace(s, group=folder + "/") if s.kind == "kubernetes" else s
                                     for s in fronted(lent(services, maps), fronts))
                for written in services:
                    service = self._completed(written)
                    path = self.dockerfile_of(service)
                    if path is not None and path in images:
                        built.add(path)
                    built.update(self.recipes_of(service))
                    rows.append(self._join(service, deployment, images.get(path or "")))
            for path, image in images.items():
                if path not in built and (alone := self.alone(path, image)) is not None:
                    rows.append(alone)
            self._running = rows
        return self._running

    def alone(self, path: str, image: Image, context: str | None = None) -> Running | None:
        """The image, built from the folder ``context``, as a service of its own: as whoever runs it without more words
        gets it."""
        if image.final is None:
            return None
        folder = posixpath.dirname(path)
        service = Service(folder.rpartition("/")[2] or "image", "dockerfile", image.final.place,
                          build=context or folder or ".", group=path, environment_at=image.final.place,
                          open=("whoever runs the image may set more",))
        return self._join(service, Deployment(path, images=(image,)), image)

    def _completed(self, service: Service) -> Service:
        """``service`` with what other files of the project say of it: where its image is built, how a folder is started
        that comes without one, and the ``.env`` that the processes of a Procfile are started with."""
        if service.kind == "procfile":
            path = posixpath.join(service.folder or "", ".env")
            data = self.tree.read(path) if path in self.tree.paths else None
            return service if data is None else replace(service, environment=read_dotenv(path, data), open=())
        if self._is_packed(service):
            return replace(service, commands=self._packed(service))
        if service.build is not None or service.image is None or (
                service.kind == "compose" and not is_local(service)):
            # a compose file without a build is mostly for those who use the image as it is published
            return service
        if self._origins is None:
            self._origins = BuiltImages(self.deployments(), self.tree)
        origin = self._origins.origin(service)
        return service if origin is None else replace(
            service, build=origin.context, dockerfile=origin.dockerfile, target=origin.target)

    def _is_packed(self, service: Service) -> bool:
        """Whether the platform builds the folder of the service without a Dockerfile."""
        if service.kind not in PACKED or service.build is None or service.image is not None or service.commands:
            return False
        return self.dockerfile_of(service) is None

    def _packed(self, service: Service) -> tuple[Command, ...]:
        """What a service is started with that is built without a Dockerfile: the first process of its Procfile, or its
        package; nothing where neither says."""
        build = service.build or ""
        path = posixpath.normpath(posixpath.join(build, "Procfile"))
        rows = {one.name: one for deployment in self.deployments() if deployment.path == path
                for one in deployment.services}
        if rows:
            return tuple(replace(it, folder=build) for it in rows["web"].commands) if "web" in rows else ()
        table = jsonc.loads(self.tree.read(posixpath.normpath(posixpath.join(build, "package.json"))) or b"")
        if not isinstance(table, dict) or "start" not in jsonc.mapping(table.get("scripts")):
            return ()
        words = tuple(Word(text, service.place, text) for text in ("npm", "start"))
        return (Command(words, service.place, True, folder=build),)

    def _applied_together(self) -> dict[str, tuple[str, list[Deployment]]]:
        """Folders whose manifests are applied with others, with what they are applied as: a folder or the one around
        it, and its manifests. No two of these have a workload or map of one name."""
        folders: dict[str, list[Deployment]] = {}
        for deployment in self.deployments():
            if deployment.fronts or deployment.maps or any(s.kind == "kubernetes" for s in deployment.services):
                folders.setdefault(posixpath.dirname(deployment.path), []).append(deployment)
        found = {folder: (folder, rows) for folder, rows in folders.items() if len(rows) > 1 and _is_one_whole(rows)}
        around: dict[str, list[str]] = {}
        for folder, rows in folders.items():
            if folder in found or len(rows) == 1:
                around.setdefault(posixpath.dirname(folder), []).append(folder)
        for outer, inner in around.items():
            # a folder for each of several services that ask for one another
            rows = [row for folder in inner for row in folders[folder]]
            if len(inner) > 1 and outer not in folders and _is_one_whole(rows, anywhere=True) and self._ask_another(
                    inner, folders):
                found.update(dict.fromkeys(inner, (outer, rows)))
        return found

    def _ask_another(self, inner: list[str], folders: dict[str, list[Deployment]]) -> bool:
        """Whether manifests in one of the folders name a Service of another, and none is made by Kustomize."""
        if any(f"{folder}/{name}" in self.tree.paths for folder in inner for name in _KUSTOMIZATIONS):
            return False
        texts = {folder: b"".join(self.tree.read(row.path) or b"" for row in folders[folder]) for folder in inner}
        names = {folder: {front.name for row in folders[folder] for front in row.fronts} for folder in inner}
        return any(alone(name.encode()).search(texts[other]) for folder in inner for other in inner if other != folder
                   for name in names[folder] - names[other])

    def dockerfile_of(self, service: Service) -> str | None:
        """The Dockerfile that a service is built from, as a path of the project; None where there is none."""
        if service.build is None or service.kind in UNBUILT or service.dockerfile == "":
            return None
        if len(recipes := self.recipes_of(service)) == 1:
            return recipes[0]
        name = service.dockerfile or "Dockerfile"
        path = posixpath.normpath(posixpath.join(service.build, name))
        # BuildKit looks for the small letters where there is no other
        small = posixpath.join(posixpath.dirname(path), "dockerfile") if service.dockerfile is None else path
        return next((place for place in (path, small) if place in self.tree.paths), None)

    def recipes_of(self, service: Service) -> tuple[str, ...]:
        """The Dockerfiles of the project of which a service may be built with any, where a variable says which."""
        written = service.dockerfile or ""
        if service.build is None or "\0" not in written or not written.strip("\0"):
            return ()
        place = posixpath.normpath(posixpath.join(service.build, written))
        name = re.compile(r"[^/]+".join(re.escape(part) for part in re.split("\0+", place)))
        return tuple(sorted(path for path in self.tree.paths if name.fullmatch(path)))

    def alternatives(self, one: Running) -> list[Running]:
        """What ``one`` is with each of the Dockerfiles of which a variable says with which it is built."""
        images, recipes = self.images(), self.recipes_of(one.service) if one.image is None else ()
        return [self._join(one.service, one.deployment, images[path]) for path in recipes if path in images]

    def join(self, service: Service, deployment: Deployment) -> Running:
        """A service, perhaps put together from several files, with the image that it is built from."""
        return self._join(service, deployment, self.images().get(self.dockerfile_of(service) or ""))

    def _join(self, service: Service, deployment: Deployment, image: Image | None) -> Running:
        stage = None
        environment: dict[str, Known] = {}
        open_ = list(service.open)
        entrypoint: tuple[Command, ...] = ()
        command: tuple[Command, ...] = ()
        if image is not None:
            built = self._built_with(image, service.build_arguments)
            stage = built.final
            if service.target:
                stage = next((s for s in built.stages if s.name == service.target.lower()), stage)
            for layer in self.layers(built, stage):
                environment |= layer.environment
                entrypoint = layer.entrypoint or entrypoint
                command = layer.command or (() if layer.entrypoint else command)
        elif service.build is not None and service.kind not in HOSTED and not (
                service.kind in PACKED and service.commands):
            several = self.recipes_of(service)
            open_.append("which Dockerfile it is built with is not known" if several
                         else "its Dockerfile is not in the project")
        environment |= service.environment
        entrypoint = tuple(retold(c, service.environment, environment) for c in entrypoint)
        command = tuple(retold(c, service.environment, environment) for c in command)
        folder = self._folder(service, image, stage)
        if service.entrypoint is not None:
            entrypoint, command = service.entrypoint, ()
        command = service.commands or command
        started, entry = self._started(entrypoint, command, image, stage, service, folder)
        open_ += _given_besides(service, started)
        return Running(service, deployment, image, stage, environment, tuple(open_), started, folder, entry)

    def _built_with(self, image: Image, given: dict[str, Known]) -> Image:
        """The image as it is built with arguments that stand for others than its own."""
        names = {name: known for stage in image.stages for name, known in stage.arguments.items()}
        changed = {name: known for name, known in given.items() if name in names and known.value != names[name].value}
        data = self.tree.read(image.path) if changed else None
        return read_dockerfile(Source.decode(image.path, data), changed) if data is not None else image

    def layers(self, image: Image, stage: Stage | None) -> list[Stage]:
        """A stage after the stages that it is built on."""
        found: list[Stage] = []
        at = stage
        while at is not None and at not in found:
            found.append(at)
            base = at.base.lower()
            at = next((s for s in image.stages if s.name == base and s is not at), None)
        return found[::-1]

    def _folder(self, service: Service, image: Image | None, stage: Stage | None) -> str | None:
        """The project's folder in which a service's commands run."""
        if image is not None and stage is not None:
            inside = service.folder or workdir(stage, list(image.stages)) or "/"
            return self.source_of(inside, image, stage, service)
        if service.kind in (*HOSTED, "package-script"):
            return service.folder if service.folder is not None else service.build
        if service.folder is not None:
            return self._mounted(service.folder, service)
        return None

    def source_of(self, inside: str, image: Image, stage: Stage, service: Service | None = None) -> str | None:
        """The path of the project that stands at the absolute path ``inside`` of an image; None where it is unknown."""
        if service is not None and (mounted := self._mounted(inside, service)) is not None:
            return mounted
        context = service.build if service is not None and service.build is not None else posixpath.dirname(image.path)
        return self._copied(posixpath.normpath(inside), image, stage, context or ".", 0)

    def _mounted(self, inside: str, service: Service) -> str | None:
        inside = posixpath.normpath(inside)
        for host, target in service.mounts:
            target = posixpath.normpath(target)
            if inside == target or inside.startswith(target.rstrip("/") + "/"):
                return _clean(posixpath.join(host, inside[len(target):].lstrip("/")))
        return None

    def _copied(self, inside: str, image: Image, stage: Stage, context: str, depth: int) -> str | None:
        if depth > 6:
            return None
        for layer in reversed(self.layers(image, stage)):
            for source, target, origin in reversed(layer.copies):
                if origin is None and (globbed := self._globbed(inside, source, target, context)) is not None:
                    return globbed
                rest = self._below(inside, source, target, context if origin is None else None)
                if rest is None:
                    continue
                if origin is None:
                    path = _clean(posixpath.join(context, source.lstrip("/"), rest))
                    if path in self.tree.paths or path in self.tree.folders or path == ".":
                        return "" if path == "." else path
                    continue
                other = next((s for s in image.stages if s.name == origin.lower()), None)
                if other is None and origin.isdigit() and int(origin) < len(image.stages):
                    other = image.stages[int(origin)]
                if other is None:
                    return None
                whole = posixpath.normpath(posixpath.join("/", source))
                file = self._copied(whole, image, other, context, depth + 1)
                if file in self.tree.paths and target.endswith(("/", "/.")):
                    # it goes into the folder under its own name
                    if rest == posixpath.basename(whole):
                        return file
                    continue
                return self._copied(posixpath.normpath(posixpath.join(whole, rest)), image, other, context, depth + 1)
        return None

    def _globbed(self, inside: str, source: str, target: str, context: str) -> str | None:
        """The file of the project that a copy of all that a pattern takes in brings to ``inside``."""
        folder, _, pattern = source.rpartition("/")
        prefix = posixpath.normpath(target).rstrip("/") + "/"
        name = inside.removeprefix(prefix)
        if not any(mark in pattern for mark in "*?[") or not inside.startswith(prefix) or "/" in name:
            return None
        path = _clean(posixpath.join(context, folder.lstrip("/"), name))
        return path if fnmatchcase(name, pattern) and path in self.tree.paths else None

    def _below(self, inside: str, source: str, target: str, context: str | None) -> str | None:
        """What follows ``target`` in ``inside``, "" if they are the same place; None if the copy does not reach it."""
        into_folder = target.endswith(("/", "/."))
        target = posixpath.normpath(target)
        if any(mark in source for mark in "*?["):
            return None
        file = context is not None and _clean(posixpath.join(context, source.lstrip("/"))) in self.tree.paths
        if file:
            full = posixpath.join(target, posixpath.basename(source)) if into_folder or inside != target else target
            return "" if inside == full else None
        if inside == target:
            return ""
        prefix = target.rstrip("/") + "/"
        return inside[len(prefix):] if inside.startswith(prefix) else None

    def _started(self, entrypoint: tuple[Command, ...], command: tuple[Command, ...], image: Image | None,
                 stage: Stage | None, service: Service,
                 folder: str | None) -> tuple[tuple[Command, ...], Command | None]:
        """What runs: the command, the entrypoint with the command's words behind it, or what an entry script starts;
        and that script."""
        entry: Command | None = None
        if not entrypoint:
            rows = command
        elif not command or not all(not c.shell for c in entrypoint):
            rows = entrypoint
        else:
            words = (*entrypoint[-1].words, *command[0].words)
            joined = unwrap(replace(entrypoint[-1], words=words, shell=command[0].shell))
            data = self._script(joined, image, stage, service, folder)
            if joined.words == command[0].words or (data is not None and _HANDS_ON.search(data)):
                # it starts what it is given, as most entry scripts do in the end
                rows = command
                entry = entrypoint[-1] if data is not None else None
            elif data is None and is_script(joined):
                # what the images of well-known programs bring under this name starts what it is given
                rows = command if script_name(joined) == _OF_IMAGES else ()
            else:
                place = joined.place
                rows = listed(joined.words, place, self.tree.read(place.path) or b"", joined.folder) or (joined,)

        def placed(c: Command) -> Command:
            return replace(c, folder=self._place(c, image, stage, service, folder), inside=c.folder)

        return tuple(placed(c) for c in rows), placed(entry) if entry is not None else None

    def script(self, one: Running, command: Command) -> bytes | None:
        """The shell script that ``command`` of ``one`` runs; None where it is none, or is not known."""
        return self._script(command, one.image, one.stage, one.service, one.folder)

    def _script(self, command: Command, image: Image | None, stage: Stage | None, service: Service,
                folder: str | None) -> bytes | None:
        path = script_name(command)
        if path is None:
            return None
        inside = (path,) if path.startswith("/") else tuple(posixpath.join(place, path) for place in PROGRAMS)
        if image is not None and stage is not None and ("/" not in path or path.startswith("/")):
            found = next((at for place in inside if (at := self.source_of(place, image, stage, service))), None)
        else:
            found = None
        if found is None and folder is not None and not path.startswith("/"):
            found = _clean(posixpath.join(folder, path))
        data = self.tree.read(found) if found else None
        return data if data is not None and (is_script(command) or is_shell_script(data)) else None

    def _place(self, command: Command, image: Image | None, stage: Stage | None, service: Service,
               folder: str | None) -> str | None:
        """The project's folder in which a command runs."""
        at = command.folder
        if at is None or at == "":
            return folder if service.kind != "procfile" else command.folder
        if at.startswith("/"):
            if image is not None and stage is not None:
                return self.source_of(at, image, stage, service)
            return self._mounted(at, service)
        if image is None and service.kind in (*HOSTED, *PACKED):
            return at
        return None if folder is None else _clean(posixpath.join(folder, at))

    def loose_commands(self) -> Iterator[tuple[Deployment, Command]]:
        """Commands of scripts, recipes, workflows and package scripts, with the file they stand in."""
        for deployment in self.deployments():
            for command in deployment.commands:
                yield deployment, command


def _is_one_whole(manifests: list[Deployment], *, anywhere: bool = False) -> bool:
    """Whether no two manifests have a workload, Service or map of one name: in one namespace, or ``anywhere``."""
    # a Service may stand there several times, one way to reach it beside another, without a workload of its own
    names = [("service", front.name, "" if anywhere else front.namespace)
             for row in manifests if row.services or anywhere for front in row.fronts]
    names += [("workload", s.name, "" if anywhere else s.namespace) for row in manifests for s in row.services]
    names += [("map", name, "") for row in manifests for name in row.maps]
    return len(set(names)) == len(names)


def _clean(path: str) -> str:
    return posixpath.normpath(path).removeprefix("./")


def _given_besides(service: Service, commands: tuple[Command, ...]) -> Iterator[str]:
    """Why what is started may have more variables than the deployment tells: something on the way gives it some."""
    for command in commands:
        yield from (f"`{name}` may set more" for name in command.wrapped if name in _GIVING)
        if any((word.value or "").startswith(_ENV_FILE) for word in command.words[1:]):
            yield "a file of variables that its command names may set more"
    for _, target in service.mounts:
        name = posixpath.basename(target)
        if name.startswith(".env") or name.endswith(".env"):
            yield "a file of variables that is mounted may set more"
