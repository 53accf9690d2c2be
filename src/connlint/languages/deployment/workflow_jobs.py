"""Jobs of GitHub workflows that run in a container of their own, and the service containers beside them.

A job without ``container`` runs on the machine, where the published ports of its services are loopback: it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from connlint.languages.deployment.yaml_nodes import Yaml
from connlint.model.deployment import Known, Port, Service


def contained(jobs: Yaml, whole: Yaml | None) -> Iterator[Service]:
    """The jobs that run in containers, each with its service containers. ``whole`` is the ``env`` of the workflow."""
    for key, job in jobs.items():
        container, name = job.get("container"), key.text or ""
        image = container.get("image") if container is not None and container.node.id == "mapping" else container
        services = job.get("services")
        if image is None or services is None or services.node.id != "mapping":
            continue
        steps = job.get("steps")
        tables = [whole, container.get("env") if container is not None else None, job.get("env")]
        tables += [step.get("env") for step in steps.list()] if steps is not None else []
        group = f"{job.source.path}#{name}"
        yield Service(name, "workflow", key.place, dict(_variables(tables)), key.place, group=group,
                      image=Known(image.text, image.place, image.text or ""))
        for label, service in services.items():
            written = service.get("image")
            if label.text and written is not None:
                beside = Known(written.text, written.place, written.text or "")
                yield Service(label.text, "workflow", label.place, hosts=(label.text,), group=group, image=beside,
                              ports=tuple(_ports(service)))


def _variables(tables: list[Yaml | None]) -> Iterator[tuple[str, Known]]:
    for table in tables:
        for key, value in table.items() if table is not None and table.node.id == "mapping" else ():
            if key.text and value.text is not None:
                yield key.text, Known(None if "${{" in value.text else value.text, value.place, value.text)


def _ports(service: Yaml) -> Iterator[Port]:
    table = service.get("ports")
    for item in table.list() if table is not None else ():
        host, colon, inner = (item.text or "").partition(":")
        inner = inner if colon else host
        if inner.isdigit():
            yield Port(int(inner), int(host) if colon and host.isdigit() else None, item.place)
