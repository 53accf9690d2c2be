"""The map as JSON. The form is kept: keys are added, never renamed.

    version       1
    tool          name, version
    name          of the project
    deployments   name, kind, files, notes, services:
        name, kind, path, line, image, build, dockerfile, stage, code, shared, command, listens, connects, waits,
        troubles, open, profiles, names, store, job, health, tied, runs, recipes
        runs      command, file, depth, path, line: commands with what their scripts run, and the files that they start
        listens   port (null: not known), published, somewhere, protocol, learnt (how, path, line)
        connects  variable, address, target (service, itself, machine, external, unknown), service, port, browser,
                  source (deployment, build, command, file, default, code, unset), why, path, line, read (path, line),
                  troubled
        waits     service, condition, path, line
        troubles  rule, level, message, about, path, line
    unread        path, reason

Texts are "" and lists empty where something is not there or not known.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from connlint.model.map import Connection, Deployment, Listen, Map, Service, Spot
from connlint.reporters import Options
from connlint.reporters.json import write_object

VERSION = 1


def render(map_: Map, options: Options) -> str:
    """One object, as the module says."""
    stream = StringIO()
    write_object({
        "version": VERSION,
        "tool": {"name": "connlint", "version": map_.version},
        "name": map_.name,
        "deployments": [_deployment(deployment) for deployment in map_.deployments],
        "unread": [{"path": path, "reason": reason} for path, reason in map_.unread],
    }, stream, spread=("deployments", "unread"))
    return stream.getvalue()


def _spot(spot: Spot | None) -> dict[str, Any]:
    return {"path": spot.path if spot else "", "line": spot.line if spot else None}


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {"name": deployment.name, "kind": deployment.kind, "files": list(deployment.files),
            "notes": list(deployment.notes), "services": [_service(service) for service in deployment.services]}


def _service(service: Service) -> dict[str, Any]:
    return {
        "name": service.name, "kind": service.kind, **_spot(service.spot), "image": service.image,
        "build": service.build, "dockerfile": service.dockerfile, "stage": service.stage, "code": list(service.code),
        "shared": list(service.shared), "command": list(service.command),
        "listens": [_listen(listen) for listen in service.listens],
        "connects": [_connection(connection, service) for connection in service.connects],
        "waits": [{"service": w.service, "condition": w.condition, **_spot(w.spot)} for w in service.waits],
        "troubles": [{"rule": t.rule, "level": t.level, "message": t.message, "about": t.about, **_spot(t.spot)}
                     for t in service.troubles],
        "open": list(service.open), "profiles": list(service.profiles), "names": list(service.names),
        "store": service.store, "job": service.job, "health": service.health, "tied": service.tied,
        "runs": [{"command": r.command, "file": r.file, "depth": r.depth, **_spot(r.spot)} for r in service.runs],
        "recipes": list(service.recipes),
    }


def _listen(listen: Listen) -> dict[str, Any]:
    return {"port": listen.port, "published": list(listen.published), "somewhere": listen.somewhere,
            "protocol": listen.protocol,
            "learnt": [{"how": learnt.how, **_spot(learnt.spot)} for learnt in listen.learnt]}


def _connection(connection: Connection, service: Service) -> dict[str, Any]:
    return {
        "variable": connection.variable, "address": connection.address, "target": connection.target,
        "service": connection.service, "port": connection.port, "browser": connection.browser,
        "source": connection.source, "why": connection.why, **_spot(connection.spot),
        "read": [_spot(spot) for spot in connection.read],
        "troubled": bool(service.troubles_of(connection)),
    }
