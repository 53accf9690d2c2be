"""Kubernetes manifests, Cloud Run's among them: workloads as services, with Services, ConfigMaps and pods' loopback.

Helm templates and Kustomize patches are not manifests: what holds ``{{`` is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from connlint.languages.deployment.shell import listed
from connlint.languages.deployment.yaml_nodes import Yaml, documents, twice
from connlint.model.deployment import Borrowed, Command, Deployment, Front, Known, Port, Service, Word
from connlint.model.finding import Place
from connlint.model.source import Source
from connlint.patterns import regex

_HOLE = regex(r"\S*\$\(\S*")
_TEMPLATES = {
    "Deployment": ("spec", "template"), "StatefulSet": ("spec", "template"), "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"), "ReplicationController": ("spec", "template"), "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"), "Pod": (), "Rollout": ("spec", "template"),
}


def is_manifest(data: bytes) -> bool:
    """Whether the bytes look like manifests that stand for themselves."""
    return b"apiVersion:" in data and b"kind:" in data and b"{{" not in data


def read_kubernetes(source: Source) -> Deployment:
    """The containers of every workload in the file. Raises `Malformed` where it is no YAML."""
    written = documents(source)
    roots = list(_objects(written))
    maps: dict[str, dict[str, Known]] = {}
    for root in roots:
        if _text(root, "kind") in ("ConfigMap", "Secret") and (name := _text(root, "metadata", "name")):
            values: dict[str, Known] = {}
            for part in ("data", "stringData"):
                table = root.get(part)
                for key, value in table.items() if table is not None else ():
                    if key.text:
                        secret = _text(root, "kind") == "Secret" and part == "data"
                        values[key.text] = Known(None if secret else value.text, key.place, value.text or "")
            maps[name] = values
    fronts = tuple(front for root in roots if (front := _front(root)))
    services: list[Service] = []
    for root in roots:
        services += _workload(root, maps)
    fault = twice(written)
    return Deployment(source.path, tuple(fronted(services, fronts)), problems=(fault,) if fault else (), fronts=fronts,
                      maps=maps)


def fronted(services: Iterable[Service], fronts: Iterable[Front]) -> Iterator[Service]:
    """The containers of pods with the names and ports of the ``fronts`` that cover them.

    Of several containers in a pod the one that declares a port gets it; all get it where none does.
    """
    rows = list(services)
    declared: dict[str, set[int | str | None]] = {
        one.name: {name for port in one.ports for name in (port.container, port.name)} for one in rows}
    for one in rows:
        for front in fronts:
            if one.kind != "kubernetes" or not front.covers(one.labels, one.namespace):
                continue
            ports = [port for port in front.opened(one.ports)
                     if not any({port.container, port.name} & declared.get(mate, set()) - {None} for mate in one.mates)
                     or {port.container, port.name} & declared[one.name] - {None}]
            one = replace(one, hosts=tuple(dict.fromkeys((*one.hosts, *front.hosts))), ports=(*one.ports, *ports))
        yield one


def lent(services: Iterable[Service], maps: dict[str, dict[str, Known]]) -> Iterator[Service]:
    """The containers with what they take from ``maps``; what is not there still leaves them open."""
    for one in services:
        environment, open_ = dict(one.environment), list(one.open)
        for borrowed in one.borrowed:
            if borrowed.map not in maps:
                continue
            taken = borrowed.taken(maps[borrowed.map])
            if borrowed.variable:
                environment |= taken
            else:
                environment = {**taken, **environment}
                if (why := f"envFrom {borrowed.map}") in open_:
                    open_.remove(why)
        yield replace(one, environment=environment, open=tuple(open_)) if one.borrowed else one


def _objects(found: list[Yaml]) -> Iterator[Yaml]:
    for document in found:
        if _text(document, "kind") == "List":
            items = document.get("items")
            yield from items.list() if items is not None else ()
        else:
            yield document


def _front(root: Yaml) -> Front | None:
    if _text(root, "kind") != "Service" or not (_text(root, "apiVersion") or "").startswith("v1"):
        return None
    selector = root.get("spec", "selector")
    ports = root.get("spec", "ports")
    rows: list[tuple[int | None, str | None, Place]] = []
    for item in ports.list() if ports is not None else ():
        told = item.get("targetPort") or item.get("port") or item
        rows.append((_number(item, "port"), _text(item, "targetPort") or _text(item, "port"), told.place))
    return Front(_text(root, "metadata", "name") or "", _text(root, "metadata", "namespace") or "",
                 {k.text: v.text or "" for k, v in (selector.items() if selector is not None else ()) if k.text},
                 tuple(rows), root.place, _text(root, "spec", "clusterIP") == "None")


def _workload(root: Yaml, maps: dict[str, dict[str, Known]]) -> list[Service]:
    kind = _text(root, "kind") or ""
    knative = kind in ("Service", "Job") and "run.googleapis.com" in (_text(root, "apiVersion") or "")
    knative = knative or (_text(root, "apiVersion") or "").startswith("serving.knative.dev")
    if knative:
        path: tuple[str, ...] | None = ("spec", "template")
        if kind == "Job":
            path = ("spec", "template", "spec", "template")
    else:
        path = _TEMPLATES.get(kind)
    if path is None:
        return []
    pod = root.get(*path) if path else root
    spec = pod.get("spec") if pod is not None else None
    containers = spec.get("containers") if spec is not None else None
    if pod is None or spec is None or containers is None:
        return []
    name = _text(root, "metadata", "name") or kind.lower()
    labels_node = pod.get("metadata", "labels")
    labels = {k.text: v.text or "" for k, v in (labels_node.items() if labels_node is not None else ()) if k.text}
    rows = [*containers.list(), *_sidecars(spec)]
    names = [f"{name}/{_text(c, 'name') or at}" if len(rows) > 1 else name for at, c in enumerate(rows, 1)]
    network = _text(spec, "hostNetwork") == "true"
    telling = _telling_volumes(spec)
    before = tuple(_before(spec))
    found = []
    for container, own in zip(rows, names):
        service = _container(container, own, tuple(n for n in names if n != own), network,
                             "cloud-run" if knative else "kubernetes", maps, kind in ("Job", "CronJob"))
        mounts = container.get("volumeMounts")
        configured = any(_text(mount, "name") in telling or mount.get("subPath") is not None
                         for mount in (mounts.list() if mounts is not None else ()))
        found.append(replace(service, labels=labels, namespace=_text(root, "metadata", "namespace") or "",
                             configured=configured, before=before))
    return found


def _telling_volumes(spec: Yaml) -> set[str | None]:
    """The volumes of a pod that may hold how a program runs: those that are not there to keep its data, and one that
    starts empty where something runs before the program."""
    table = spec.get("volumes")
    keeping = ("persistentVolumeClaim", "ephemeral", *(() if spec.get("initContainers") is not None else ("emptyDir",)))
    return {_text(volume, "name") for volume in (table.list() if table is not None else ())
            if all(volume.get(key) is None for key in keeping)}


def _sidecars(spec: Yaml) -> Iterator[Yaml]:
    """The containers that start before the others and go on running beside them."""
    table = spec.get("initContainers")
    for container in table.list() if table is not None else ():
        if _text(container, "restartPolicy") == "Always":
            yield container


def _before(spec: Yaml) -> Iterator[Command]:
    """The commands of the containers that have to end before the others start."""
    table = spec.get("initContainers")
    for container in table.list() if table is not None else ():
        if _text(container, "restartPolicy") != "Always":
            yield from _container(container, "", (), False, "kubernetes", {}, True).commands


def _container(node: Yaml, name: str, mates: tuple[str, ...], network: bool, kind: str,
               maps: dict[str, dict[str, Known]], one_shot: bool) -> Service:
    environment: dict[str, Known] = {}
    open_: list[str] = []
    borrowed: list[Borrowed] = []
    sources = node.get("envFrom")
    for item in sources.list() if sources is not None else ():
        reference, named = _named(item, "configMapRef", "secretRef")
        whole = Borrowed(reference, named, _text(item, "prefix") or "")
        if reference and reference in maps:
            environment |= whole.taken(maps[reference])
        else:
            open_.append(f"envFrom {reference or '?'}")
            borrowed.append(whole)
    env = node.get("env")
    for item in env.list() if env is not None else ():
        key = _text(item, "name")
        if not key:
            continue
        value = item.get("value")
        place = (item.get("name") or item).place
        if value is not None:
            text = value.text or ""
            environment[key] = Known(None if "$(" in text else text, value.place, text)
        else:
            source = item.get("valueFrom") or item
            reference, named = _named(source, "configMapKeyRef", "secretKeyRef")
            one = Borrowed(reference, named, "", key, _text(source, "configMapKeyRef", "key") or "")
            environment[key] = Known(None, place)
            if reference in maps:
                environment |= one.taken(maps[reference])
            else:
                borrowed.append(one)
    at = (node.key("env") if env is not None else None) or node.get("name") or node
    ports: list[Port] = []
    table = node.get("ports")
    for item in table.list() if table is not None else ():
        if (number := _number(item, "containerPort")) is not None:
            protocol = (_text(item, "protocol") or "tcp").lower()
            ports.append(Port(number, None, item.place, _text(item, "name"), protocol))
    program, arguments = _words(node.get("command"), environment), _words(node.get("args"), environment)
    words = (*program, *arguments)
    image = node.get("image")
    probe = node.get("readinessProbe") or node.get("startupProbe")
    # arguments alone are for the program of the image
    commands = listed(words, words[0].place, node.source.data) if program else (
        (Command(arguments, arguments[0].place, False),) if arguments else ())
    return Service(
        name=name, kind=kind, place=(node.get("name") or node).place, environment=environment,  # type: ignore[arg-type]
        environment_at=at.place, open=tuple(open_), commands=commands,
        entrypoint=() if program else None,
        image=Known(image.text, image.place, image.text or "") if image is not None else None,
        folder=_text(node, "workingDir"), ports=tuple(ports), mates=mates, host_network=network,
        healthcheck=probe.place if probe is not None else None, one_shot=one_shot,
        group=f"{node.source.path}", borrowed=tuple(borrowed),
    )


def _named(node: Yaml, *ways: str) -> tuple[str, Place | None]:
    """The map that ``node`` names in one of these ways, and where; no place where the container does without it."""
    for way in ways:
        name = node.get(way, "name")
        if name is not None and name.text:
            return name.text, name.place if _text(node, way, "optional") != "true" else None
    return "", None


def _words(node: Yaml | None, environment: dict[str, Known]) -> tuple[Word, ...]:
    """The words of a list. What is written as ``$(NAME)`` the cluster puts in itself, where it knows that name; in the
    script of a shell it may as well be the shell's."""
    rows = node.list() if node is not None else ()
    return tuple(Word(_filled(text, environment), item.place, text) for item in rows for text in (item.text or "",))


def _filled(text: str, environment: dict[str, Known]) -> str | None:
    """A word, or the value of the variable that is the whole of it; None where that is not known."""
    if not _HOLE.fullmatch(text):
        return text
    known = environment.get(text[2:-1])
    return known.value if known is not None else None


def _text(node: Yaml, *path: str) -> str | None:
    found = node.get(*path)
    return None if found is None else found.text


def _number(node: Yaml, *path: str) -> int | None:
    text = _text(node, *path)
    return int(text) if text and text.isdigit() else None
