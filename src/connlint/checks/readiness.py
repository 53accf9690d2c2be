"""Services that are started as soon as what they need has been started, and not when it answers; and those that wait
for an answer to what nobody asks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connlint.checks.deployed import on_a_developers_machine
from connlint.checks.neighbours import listens
from connlint.checks.starting import Starting
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.grounds import is_plain
from connlint.project.project import Project
from connlint.project.rewording import asked_for_health, wait_until_healthy
from connlint.project.services import Running, Services

if TYPE_CHECKING:
    from connlint.checks.containers import Tables
    from connlint.checks.neighbours import Groups

_CODE = regex(r"\.(?:py|[cm]?[jt]sx?|go|rs|cs|java|kt|rb|php|ex|exs|scala|sh)$")
_SKIPPED = regex(r"(?:^|/)(?:node_modules|vendor|\.\w+|dist|build|static|public|tests?|__tests__|docs?)/")
_LARGEST = 300_000
_SWARM = regex(rb"\b(?:update_config|rollback_config|endpoint_mode)\s*:|\bdocker stack deploy\b")


def unready(running: list[Running], groups: Groups, tables: Tables, project: Project,
            rules: Rules) -> Iterator[Draft]:
    """Outcomes "connects": the service surely connects to what it depends on when it starts, nothing waits for that and
    nothing starts the service again; "unready": the same where it is not seen to connect so early, and does not depend
    on a server whose clients wait by themselves.

    What others have packed mostly tries again by itself, and so is left out; so is a container that only idles.
    """
    retries: dict[tuple[str, str], bool] = {}
    starting = Starting(project, rules, tables)
    for one in running:
        service = one.service
        if service.restarts or tables.ports_of(service.image) or not (service.build or _runs_mounted(one, tables)):
            continue
        if on_a_developers_machine(one.deployment.path) or _idles(one, tables):
            continue
        names = beside.names if (beside := groups.of(one)) is not None else {}
        for dependency in service.dependencies:
            target = names.get(dependency.on) if dependency.condition in (None, "service_started") else None
            if target is None or target.service.one_shot or not listens(target, tables):
                continue
            if _waits(one, tables, project):
                continue
            contact = starting.contact(one, target)
            if contact.when == "start":
                if _speaks_of_trying(contact.files, tables, project):
                    continue
            else:
                key = service.build or service.mounts[0][0], dependency.on
                if key not in retries:
                    retries[key] = tables.is_waited_for(target) or _tries_again(key[0], target, tables, project)
                if retries[key]:
                    continue
            checked = _is_checked(target)
            slots = {"service": one.name, "dependency": dependency.on, "what": contact.what,
                     "hint": "" if checked else f", and `{dependency.on}` needs a `healthcheck`"}
            # where nothing is seen to fail, somebody who wrote down what to wait for meant it
            meant = contact.when != "start" and _is_said(dependency.place, project)
            fix = None if meant or _is_of_a_swarm(dependency.place.path, project) else wait_until_healthy(
                project.tree, dependency.place, dependency.on,
                None if checked else (target.service.place.path, tables.health_of(target)))
            yield Draft("connects" if contact.when == "start" else "unready", dependency.place, slots,
                        f"{one.name}:{dependency.on}", contact.steps,
                        (Step(target.service.place, f"`{dependency.on}` is started here"),), fix)


def _is_said(place: Place, project: Project) -> bool:
    """Whether a condition is written down for the dependency at ``place``."""
    data = project.tree.read(place.path) or b""
    return data[place.at[0] : place.at[1]].strip(b"\"'") == b"service_started"


def _is_of_a_swarm(path: str, project: Project) -> bool:
    """Whether a file is for Docker's swarm, which knows dependencies without conditions alone."""
    return _SWARM.search(project.tree.read(path) or b"") is not None or "swarm" in path.lower()


def unasked(running: list[Running], groups: Groups, tables: Tables, project: Project) -> Iterator[Draft]:
    """Outcome "never": the service waits until another is healthy, which nothing asks for its health, neither in any of
    the compose files nor in its image. Compose then gives up."""
    for one in running:
        names = beside.names if (beside := groups.of(one)) is not None else {}
        for dependency in one.service.dependencies:
            target = names.get(dependency.on) if dependency.condition == "service_healthy" else None
            if target is None or target.service.open or not _has_no_check(target, tables):
                continue
            if any(_is_checked(variant) for variant in groups.variants(target)):
                continue
            yield Draft("never", dependency.place, {"service": one.name, "dependency": dependency.on},
                        f"{one.name}:{dependency.on}",
                        related=(Step(target.service.place, f"`{dependency.on}` has no `healthcheck`"),),
                        fix=asked_for_health(project.tree, target.service.place.path, dependency.on,
                                             tables.health_of(target)))


def _has_no_check(target: Running, tables: Tables) -> bool:
    """Whether nothing asks the service for its health: what Docker itself keeps of well-known images has no check, and
    bare ones have none."""
    if _is_checked(target):
        return False
    if target.service.build is None:
        name = (target.service.image.value or "") if target.service.image is not None else ""
        return "/" not in name.removeprefix("docker.io/").removeprefix("library/") and bool(
            tables.ports_of(target.service.image))
    if target.image is None or target.stage is None:
        return False
    layers = [target.stage]
    while (below := next((s for s in target.image.stages if s.name == layers[-1].base.lower()
                          and s not in layers), None)) is not None:
        layers.append(below)
    return all(layer.healthcheck is None for layer in layers) and is_plain(layers[-1].base, tables.plain_bases)


def _is_checked(one: Running) -> bool:
    """Whether something asks the service for its health, so that others can wait for it."""
    return one.service.healthcheck is not None or (one.stage is not None and one.stage.healthcheck is not None)


def _speaks_of_trying(paths: tuple[str, ...], tables: Tables, project: Project) -> bool:
    """Whether one of the files that lead to the connection speaks of waiting or of trying again."""
    return any(tables.speaks_of_waiting(project.tree.read(path) or b"") for path in paths)


def _runs_mounted(one: Running, tables: Tables) -> bool:
    """Whether an image without an application runs what is mounted into it."""
    image = one.service.image
    return bool(one.service.mounts) and image is not None and is_plain(image.value or "", tables.plain_bases)


def _idles(one: Running, tables: Tables) -> bool:
    """Whether the container does nothing by itself: somebody will start something in it."""
    return bool(one.commands) and all(posixpath.basename(command.words[0].value or "") in tables.idle
                                      for command in one.commands if command.words)


def _waits(one: Running, tables: Tables, project: Project) -> bool:
    """Whether the command, or a script that it names, waits for others."""
    own = one.service.entrypoint
    commands = [*one.commands, *(own if own is not None else one.stage.entrypoint if one.stage is not None else ())]
    text = " ".join(word.written for command in commands for word in command.words).encode()
    names = {posixpath.basename(word.value) for command in commands for word in command.words
             if word.value and word.value.endswith((".sh", ".py", ".bash"))}
    for path in project.tree.paths if names else ():
        if posixpath.basename(path) in names:
            text += project.tree.read(path) or b""
    services = Services.of(project)
    text += b"".join(services.script(one, command) or b"" for command in commands if command.words)
    return any(word in text for word in tables.waits)


def _tries_again(folder: str, target: Running, tables: Tables, project: Project) -> bool:
    """Whether code in ``folder`` names the server and tries something again, in one file."""
    prefix = "" if folder in (".", "") else folder + "/"
    names = b"|".join((b"" if len(word) > 3 else rb"\b") + re.escape(word.encode())
                      for word in sorted(tables.names_of(target)))
    called = re.compile(names, re.I)
    for path in project.tree.paths:
        if not path.startswith(prefix) or not _CODE.search(path) or _SKIPPED.search(path[len(prefix):]):
            continue
        data = project.tree.read(path) or b""
        if len(data) < _LARGEST and tables.speaks_of_waiting(data) and called.search(data):
            return True
    return False
