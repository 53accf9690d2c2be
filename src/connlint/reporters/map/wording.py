"""What the map says in words, the same in every format."""

from __future__ import annotations

from connlint.model.deployment import HOSTED, UPON_MACHINE
from connlint.model.map import Connection, Listen, Program, Service, Wait

KINDS = {
    "compose": "compose", "kubernetes": "Kubernetes", "procfile": "Procfile", "cloud-run": "Cloud Run",
    "container-apps": "Container Apps", "app-engine": "App Engine", "fly": "Fly", "render": "Render",
    "railway": "Railway", "systemd": "systemd", "docker-run": "docker run", "dockerfile": "Dockerfile",
    "heroku": "Heroku", "vercel": "Vercel", "serverless": "Serverless Framework", "ecs": "ECS",
    "app-runner": "App Runner", "supervisor": "supervisord", "app-platform": "App Platform", "nixpacks": "Nixpacks",
    "beanstalk": "Elastic Beanstalk",
}
UNREAD = "none that is read (Python, JavaScript, TypeScript)"


def kind(name: str) -> str:
    """A kind of deployment as people write it."""
    return KINDS.get(name, name)


def count(number: int, what: str) -> str:
    """``3 services``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def target(connection: Connection) -> str:
    """Where a connection leads, in a word or two."""
    address = connection.address or "?"
    if connection.target == "service":
        return f"{connection.service}{'' if connection.port is None else f':{connection.port}'}"
    return address


def story(connection: Connection) -> str:
    """How a connection was learnt and what is to be known about it, as one clause."""
    parts = []
    if connection.source == "default":
        set_ = "not seen to be set; without it" if connection.unseen else "not set, so"
        parts.append(f"{connection.variable} is {set_} the code takes its default")
    elif connection.source == "unset":
        parts.append(f"{connection.variable} is {connection.why}")
    elif connection.source == "code":
        parts.append("written in the code")
    elif connection.source == "command":
        parts.append("in the start command")
    elif connection.source == "file":
        parts.append("in a file that it is given")
    elif connection.source == "build":
        parts.append(f"{connection.variable}, set for the build")
    elif connection.variable:
        parts.append(connection.variable)
    if connection.source != "unset" and connection.why:
        parts.append(connection.why)
    if connection.target == "itself" and not connection.why:
        parts.append("the container itself")
    if connection.target == "machine" and not connection.why:
        parts.append("the machine that it runs on")
    if connection.browser:
        parts.append("from a browser")
    return ", ".join(parts)


def troubled(service: Service, connection: Connection) -> bool:
    """Whether a rule found more than a habit in a connection."""
    return any(trouble.level != "note" for trouble in service.troubles_of(connection))


def program(run: Program) -> str:
    """A command below the script that it stands in, with the file that it starts where it does not name that itself."""
    file = f"  → {run.file}" if run.file and run.file not in run.command else ""
    return "  " * run.depth + run.command + file


def port(listen: Listen) -> str:
    """``8000``, ``53/udp``, ``?``."""
    number = "?" if listen.port is None else str(listen.port)
    return number if listen.protocol == "tcp" else f"{number}/{listen.protocol}"


def published(listen: Listen, kind_: str) -> str:
    """How a port is reached from outside, or ""."""
    if not listen.published:
        return "published, at a port that is not known" if listen.somewhere else ""
    listed = ", ".join(str(number) for number in listen.published)
    return f"behind the Service's {listed}" if kind_ == "kubernetes" else f"published as {listed}"


def waits(wait: Wait) -> str:
    """``db (service_healthy)``; a service that is only started first says so."""
    how = {"service_healthy": "healthy", "service_completed_successfully": "done", "service_started": "started"}
    return f"{wait.service} ({how.get(wait.condition, wait.condition) or 'started'})"


def origin(service: Service) -> str:
    """What a service is made from, as a clause."""
    if service.tied:
        recipe = service.dockerfile or service.build
        return f"image {service.image}, which by its name is built from {recipe}"
    if service.build:
        recipe = service.dockerfile or " or ".join(service.recipes) or "no Dockerfile that is read"
        stage = f", stage {service.stage}" if service.stage else ""
        if service.kind in HOSTED and not service.dockerfile:
            return f"code in {service.build}"
        return f"built from {service.build} ({recipe}{stage})"
    if service.kind in UPON_MACHINE:
        return "a program of the machine" if service.kind == "systemd" else "a program that supervisord starts"
    return f"image {service.image}" if service.image else "what is not known"
