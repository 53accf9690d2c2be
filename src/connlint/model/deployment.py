"""What deployment files say, whatever their form: services, what each is told, and how each is started.

Readers of compose files, Kubernetes manifests, Dockerfiles, Procfiles, deploy scripts and platform files all answer in
these values. Nothing here is a verdict. What a file leaves open (a template, a secret store, a dashboard) is said in
``open`` fields, and whoever judges must then stay silent.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from connlint.model.finding import Place

ServiceKind = Literal[
    "compose", "kubernetes", "procfile", "cloud-run", "container-apps", "app-engine", "fly", "render", "railway",
    "heroku", "vercel", "serverless", "systemd", "docker-run", "dockerfile", "workflow", "script", "package-script",
    "make", "pm2", "ecs", "app-runner", "supervisor", "app-platform",
    "nixpacks", "beanstalk",
]
HOSTED: tuple[ServiceKind, ...] = (
    "procfile", "render", "app-engine", "fly", "railway", "heroku", "vercel", "serverless", "app-runner",
    "app-platform", "nixpacks",
)
"""Platforms that run a folder of the project as it is, so that it needs no image."""
UNBUILT: tuple[ServiceKind, ...] = ("procfile", "app-engine", "heroku", "vercel", "serverless", "app-runner",
                                     "nixpacks")
"""Those of them that a Dockerfile beside the code does not concern."""
UPON_MACHINE: tuple[ServiceKind, ...] = ("systemd", "supervisor")
"""Programs that something starts which runs on the machine, or in the image, itself."""
PACKED: tuple[ServiceKind, ...] = ("cloud-run", "container-apps", "app-engine")
"""Platforms that find out by themselves how a folder without a Dockerfile is built and started."""


class Known(Struct, frozen=True):
    """A scalar of a file with its place; ``value`` is None where it cannot be known (a variable, a template).

    ``written`` is the text as it stands, so that ``${PORT:-8000}`` can be shown. ``partly`` is the value with a NUL for
    each part that is not known, where the rest is.
    """

    value: str | None
    place: Place
    written: str = ""
    partly: str | None = None

    @property
    def shape(self) -> str:
        """The value as far as it is known; "" where nothing is."""
        return self.value if self.value is not None else self.partly or ""


class Word(Struct, frozen=True):
    """One word of a command after quotes are taken off. ``value`` is None where it holds something unknown."""

    value: str | None
    place: Place
    written: str = ""


class Command(Struct, frozen=True):
    """One program start: ``words[0]`` is the program. Shell lists (``a && b | c``) are several commands.

    ``shell`` says whether a shell expands variables in it; a JSON array has none. ``assignments`` are ``A=b`` in front
    of it and exports before it; ``folder`` is where it runs, relative to the project (None: unknown). ``wrapped`` are
    the wrappers that were taken off (``exec``, ``dotenv --``, ``doppler run --``, ``poetry run``), in order.
    """

    words: tuple[Word, ...]
    place: Place
    shell: bool
    assignments: dict[str, Known] = field(default_factory=dict)
    folder: str | None = None
    wrapped: tuple[str, ...] = ()
    open: str | None = None
    inside: str | None = None
    """The folder as the file gives it: of the image or container, where ``folder`` is the project's."""


class Port(Struct, frozen=True):
    """A port of a service: ``container`` is what it listens on or is told to, ``host`` what the machine publishes.

    ``somewhere``: it is published, at a port of the machine that is not known or left to chance.
    """

    container: int | None
    host: int | None
    place: Place
    name: str | None = None
    protocol: str = "tcp"
    somewhere: bool = False


class Dependency(Struct, frozen=True):
    """``on`` starts earlier; ``condition`` is compose's, None where only the order of start is asked for."""

    on: str
    condition: str | None
    place: Place


class Stage(Struct, frozen=True):
    """One ``FROM`` of a Dockerfile with what it sets. ``base`` is the image or an earlier stage.

    ``copies`` are pairs of source in the build context and target in the image. ``folder`` is the last ``WORKDIR``.
    """

    name: str | None
    base: str
    place: Place
    environment: dict[str, Known] = field(default_factory=dict)
    arguments: dict[str, Known] = field(default_factory=dict)
    copies: tuple[tuple[str, str, str | None], ...] = ()
    folder: str | None = None
    exposed: tuple[Port, ...] = ()
    command: tuple[Command, ...] = ()
    entrypoint: tuple[Command, ...] = ()
    runs: tuple[Command, ...] = ()
    healthcheck: Place | None = None


class Image(Struct, frozen=True):
    """A Dockerfile."""

    path: str
    stages: tuple[Stage, ...]
    open: str | None = None

    @property
    def final(self) -> Stage | None:
        """The stage that is run."""
        return self.stages[-1] if self.stages else None


class Reference(Struct, frozen=True):
    """A variable that a file puts into its own text (``${X}``) without a default, in what it says of ``service``.

    ``place`` is the scalar that holds it. ``sets`` is the variable of the service that gets the value, "" where
    something else does.
    """

    variable: str
    place: Place
    service: str
    sets: str = ""


class Borrowed(Struct, frozen=True):
    """What a container takes from a ConfigMap or Secret of another file: all of it, each name behind ``prefix``, or one
    ``key`` as ``variable``. ``place`` is where the map is named, unless the container does without it."""

    map: str
    place: Place | None
    prefix: str = ""
    variable: str = ""
    key: str = ""

    def taken(self, values: dict[str, Known]) -> dict[str, Known]:
        """The variables that come of it."""
        if not self.variable:
            return {self.prefix + name: known for name, known in values.items()}
        return {self.variable: values[self.key]} if self.key in values else {}


class Front(Struct, frozen=True):
    """A Kubernetes Service: the name by which pods whose labels match ``selector`` are reached.

    ``ports`` are its own port, the pod's, as a number or a name, and where that stands; ``namespace`` is "" where none
    is said.
    A ``headless`` one is but a name: who asks for it reaches the pod itself, on whatever port that listens.
    """

    name: str
    namespace: str
    selector: dict[str, str]
    ports: tuple[tuple[int | None, str | None, Place], ...]
    place: Place
    headless: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which it is reached inside the cluster."""
        if not self.namespace:
            return (self.name,)
        whole = f"{self.name}.{self.namespace}"
        return self.name, whole, f"{whole}.svc", f"{whole}.svc.cluster.local"

    def covers(self, labels: dict[str, str], namespace: str) -> bool:
        """Whether a pod with these labels stands behind it."""
        near = not self.namespace or not namespace or self.namespace == namespace
        return near and bool(self.selector) and all(labels.get(k) == v for k, v in self.selector.items())

    def opened(self, ports: tuple[Port, ...]) -> tuple[Port, ...]:
        """Its own ports, as ports of a container that has ``ports``."""
        named = {port.name: port.container for port in ports if port.name}
        return tuple(Port(int(target) if target and target.isdigit() else named.get(target or ""),
                          None if self.headless else number, place, target) for number, target, place in self.ports)


class Service(Struct, frozen=True):
    """Something that is started, with all that one file says about it.

    ``environment`` is what reaches the process at run time. ``environment_at`` is where a missing variable would stand.
    ``open`` lists why more variables may reach it than are seen: ``envFrom``, a missing ``env_file``, a dashboard.
    ``build`` is the folder of the build context, ``dockerfile`` and ``target`` as given (with a NUL for each part of
    the former that is not known, and empty where the platform builds without one); ``image`` what is pulled.
    ``hosts`` are the names by which others reach it; ``mates`` the services that share its loopback (one pod,
    ``network_mode: service:x``); ``host_network`` is ``network_mode: host``. ``mounts`` are pairs of a folder of the
    project and the place in the container where it covers what the image holds. Services of one ``group`` reach each
    other. ``restarts``: whoever runs it starts it again when it has failed. ``env_files`` are the files whose variables
    are handed on, as paths of the project, also those that are not there. ``labels`` and ``namespace`` are a pod's;
    ``borrowed`` is what it takes from maps that stand in other files. ``configured``: files are put into the container
    that may say how its program runs. ``before`` are the commands of containers that have to end before it starts.
    """

    name: str
    kind: ServiceKind
    place: Place
    environment: dict[str, Known] = field(default_factory=dict)
    environment_at: Place | None = None
    open: tuple[str, ...] = ()
    build: str | None = None
    dockerfile: str | None = None
    target: str | None = None
    image: Known | None = None
    commands: tuple[Command, ...] = ()
    entrypoint: tuple[Command, ...] | None = None
    folder: str | None = None
    ports: tuple[Port, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    hosts: tuple[str, ...] = ()
    mates: tuple[str, ...] = ()
    host_network: bool = False
    healthcheck: Place | None = None
    profiles: tuple[str, ...] = ()
    one_shot: bool = False
    build_arguments: dict[str, Known] = field(default_factory=dict)
    group: str = ""
    mounts: tuple[tuple[str, str], ...] = ()
    restarts: bool = False
    env_files: tuple[str, ...] = ()
    borrowed: tuple[Borrowed, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    configured: bool = False
    before: tuple[Command, ...] = ()


def laid_over(base: Service, over: Service) -> Service:
    """``over`` laid over ``base`` as compose does it: maps are joined, lists added up, single values replaced.

    Name and place are those of ``base``.
    """
    targets = {target for _, target in over.mounts}
    waits = {dependency.on for dependency in over.dependencies}
    return replace(
        base,
        environment={**base.environment, **over.environment},
        environment_at=base.environment_at if base.environment else over.environment_at,
        open=tuple(dict.fromkeys((*base.open, *over.open))),
        build=over.build if over.build is not None else base.build,
        dockerfile=over.dockerfile or base.dockerfile, target=over.target or base.target,
        image=over.image or base.image, commands=over.commands or base.commands,
        entrypoint=over.entrypoint if over.entrypoint is not None else base.entrypoint,
        folder=over.folder or base.folder, ports=(*base.ports, *over.ports),
        dependencies=(*(w for w in base.dependencies if w.on not in waits), *over.dependencies),
        hosts=tuple(dict.fromkeys((*base.hosts, *over.hosts))),
        mates=tuple(dict.fromkeys((*base.mates, *over.mates))), host_network=base.host_network or over.host_network,
        healthcheck=over.healthcheck or base.healthcheck, profiles=over.profiles or base.profiles,
        build_arguments={**base.build_arguments, **over.build_arguments},
        mounts=(*over.mounts, *(m for m in base.mounts if m[1] not in targets)),
        env_files=tuple(dict.fromkeys((*base.env_files, *over.env_files))),
        restarts=base.restarts or over.restarts,
    )


class Kustomization(Struct, frozen=True):
    """What a kustomization names, as paths of the project: files or folders that it takes, and patches that it lays
    over them. ``changes``: something in it may set variables. ``merged`` is what it sets in maps of a base, ``images``
    the names that it gives to images of others."""

    resources: tuple[str, ...]
    patches: tuple[str, ...]
    changes: bool
    merged: dict[str, dict[str, Known]]
    images: dict[str, str] = field(default_factory=dict)


class Deployment(Struct, frozen=True):
    """All that one file says: its services, images, and commands that belong to no service (scripts, recipes).

    ``includes`` are the compose files whose services belong to this one, as paths of the project, ``extended`` those
    from which services of this one take what they build on. ``maps`` are the
    ConfigMaps and Secrets of manifests, by name.
    """

    path: str
    services: tuple[Service, ...] = ()
    images: tuple[Image, ...] = ()
    commands: tuple[Command, ...] = ()
    variables: dict[str, Known] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    fronts: tuple[Front, ...] = ()
    includes: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    maps: dict[str, dict[str, Known]] = field(default_factory=dict)
    kustomization: Kustomization | None = None
