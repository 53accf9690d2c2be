"""What was understood of a project's deployment: services, where they listen, what they connect to, what is wrong.

Values only, so that every form of the map says the same. What is not known is said to be unknown, with the reason.
Nothing here holds a secret: of an address only scheme, host and port are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from connlint.model.finding import Level

Target = Literal["service", "itself", "machine", "external", "unknown"]
"""Where an address leads: another service of the deployment, back into the same container or pod, the machine that the
service runs on, a host outside of the deployment, or nobody knows."""
Source = Literal["deployment", "build", "command", "file", "default", "code", "unset"]
"""How a connection was learnt: set by the deployment, set for the build (which writes it into what browsers load),
written in the start command, written in a configuration file that the service is given, the default of the code where
the deployment sets nothing, written in the code, or a variable that the code reads and that nobody is seen to set."""


class Spot(Struct, frozen=True, order=True):
    """A line of a file of the project; ``line`` counts from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Learnt(Struct, frozen=True):
    """How something is known, as a clause (``EXPOSE``, ``start command``), and where it is written."""

    how: str
    spot: Spot | None = None


class Listen(Struct, frozen=True):
    """A port of a service.

    ``port`` is None where a port is meant whose number is not known; ``published`` is the port of the machine or of the
    Kubernetes Service that leads to it, ``somewhere`` one that is not known; ``learnt`` says, every time it was learnt,
    how.
    """

    port: int | None
    published: tuple[int, ...]
    learnt: tuple[Learnt, ...]
    protocol: str = "tcp"
    somewhere: bool = False


class Program(Struct, frozen=True):
    """Something that a service runs when it is started, as one line.

    ``file`` is the file of the project that it starts, "" where it is none, or not known; ``depth`` counts the scripts
    that it stands in.
    """

    command: str
    file: str
    spot: Spot | None
    depth: int = 0


class Connection(Struct, frozen=True):
    """One address that a service uses.

    ``variable`` holds it ("" where none does); ``address`` is ``scheme://host:port`` as far as it is known, "" where
    nothing is. ``service`` names the target within the deployment where ``target`` is "service". ``browser`` is set
    where the address is for the user's browser and not for the service itself. ``read`` are places of the code that
    read the variable. ``why`` says why something is unknown. ``unseen`` is set where the variable may be set although
    nothing here shows it.
    """

    variable: str
    address: str
    target: Target
    source: Source
    spot: Spot | None
    service: str = ""
    port: int | None = None
    browser: bool = False
    read: tuple[Spot, ...] = ()
    why: str = ""
    unseen: bool = False


class Wait(Struct, frozen=True):
    """A service that is started first; ``condition`` is compose's, "" where only the order of start is asked for."""

    service: str
    condition: str
    spot: Spot | None


class Trouble(Struct, frozen=True):
    """A finding of a rule about a service; ``about`` is what it names, mostly a variable or another service."""

    rule: str
    level: Level
    message: str
    spot: Spot
    about: str = ""


class Service(Struct, frozen=True):
    """One service of a deployment. Empty texts stand for what is not known or not there.

    ``kind`` is the form of deployment ("compose", "kubernetes", …); ``image`` is pulled, ``build`` the folder that it
    is built from and ``dockerfile`` the file with the recipe; ``code`` lists folders and files of the project that run
    in it as far as they are read, ``shared`` the services that run some of the same code. ``command`` is what starts,
    ``runs`` the same with what scripts run in turn, and the files. ``recipes`` are the Dockerfiles of which it may be
    any, where a variable says which.
    ``open`` says why more variables may be set than are seen. ``store`` is a well-known database, cache or broker;
    ``job`` one that ends by itself. ``tied`` says that the image's name alone ties it to ``build``.
    """

    name: str
    kind: str
    spot: Spot
    image: str = ""
    build: str = ""
    dockerfile: str = ""
    stage: str = ""
    code: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    command_spot: Spot | None = None
    listens: tuple[Listen, ...] = ()
    connects: tuple[Connection, ...] = ()
    waits: tuple[Wait, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    open: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    store: bool = False
    job: bool = False
    health: bool = False
    tied: bool = False
    runs: tuple[Program, ...] = ()
    recipes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """What it is made from, in a few words."""
        if self.tied or not self.build:
            return self.image
        return self.dockerfile if self.build == "." and self.dockerfile else self.build

    def troubles_of(self, connection: Connection) -> tuple[Trouble, ...]:
        """What is wrong about one of the service's connections."""
        if not connection.variable:
            return tuple(t for t in self.troubles if connection.spot == t.spot)
        return tuple(t for t in self.troubles if t.about == connection.variable
                     or connection.variable in t.about.split(", "))


class Deployment(Struct, frozen=True):
    """Services that are deployed together: one compose file with what completes it, one folder of manifests, …

    ``files`` are the files it was read from, the first gives it its name. ``notes`` say what could not be read.
    """

    name: str
    kind: str
    files: tuple[str, ...]
    services: tuple[Service, ...]
    notes: tuple[str, ...] = ()

    def service(self, name: str) -> Service | None:
        return next((s for s in self.services if s.name == name), None)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """All troubles of its services, without twins."""
        return tuple(dict.fromkeys(t for s in self.services for t in s.troubles))


class Map(Struct, frozen=True):
    """The deployments of a project. ``unread`` are pairs of a deployment file and why it could not be read."""

    name: str
    deployments: tuple[Deployment, ...]
    unread: tuple[tuple[str, str], ...] = ()
    version: str = ""

    def services(self) -> Iterator[Service]:
        """Every service of every deployment."""
        for deployment in self.deployments:
            yield from deployment.services
