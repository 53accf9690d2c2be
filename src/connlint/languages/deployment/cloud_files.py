"""Descriptions that clouds deploy from: serverless.yml, vercel.json, apprunner.yaml, task definitions of ECS and what
Elastic Beanstalk makes some of.

Facts from the reference pages of the platforms. A value that is looked up while it is deployed (``${ssm:…}``, a secret)
is set, but not known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from connlint.languages.deployment.shell import listed, read_commands
from connlint.languages.deployment.yaml_nodes import Yaml, documents
from connlint.model.deployment import Command, Dependency, Deployment, Known, Port, Service, Word
from connlint.model.source import Source
from connlint.patterns import regex

_CHANGES_INTO = regex(r"\s*cd\s+([\w@./-]+)\s*(?:&&|;)")
_FILES_TO_FUNCTIONS = ("dotenv", "env-generator", "export-env")
"""Words in the names of plugins that hand the variables of files to functions."""

_CONDITIONS = {"START": "service_started", "HEALTHY": "service_healthy", "COMPLETE": "service_completed_successfully",
               "SUCCESS": "service_completed_successfully"}
"""What compose calls the conditions of a container's dependency."""


def read_serverless(source: Source) -> Deployment:
    """``serverless.yml``: its functions as one service, with what any of them is given.

    They are deployed from one folder, and which code each of them needs is not told from the file; but what none of
    them is given, none has.
    """
    services = []
    for document in documents(source):
        provider = document.get("provider")
        if provider is None or (document.get("functions") is None and document.get("service") is None):
            continue
        environment: dict[str, Known] = {}
        open_: list[str] = []
        given = [provider.get("environment")]
        functions = document.get("functions")
        tables = [functions] if functions is not None else []
        if functions is not None and functions.node.id == "sequence":
            tables = list(functions.list())
        for table in tables:
            if table.node.id != "mapping":
                open_.append("functions of another file")
            given += [function.get("environment") for _, function in table.items()]
        at = provider.key("environment")
        for node in given:
            if node is not None and node.node.id != "mapping":
                open_.append("variables of another file")
            elif node is not None:
                environment |= _table(node)
        plugins = document.get("plugins")
        names = plugins.texts() if plugins is not None else ()
        if any(word in name for name in names for word in _FILES_TO_FUNCTIONS):
            open_.append("variables of a .env file")
        if (loads := document.get("useDotenv")) is not None and loads.text != "false":
            open_.append("variables of a .env file")
        named = document.get("service")
        name = (named.get("name") or named) if named is not None and named.node.id == "mapping" else named
        services.append(Service((name.text if name is not None else None) or "functions", "serverless",
                                (name or provider).place, environment, at.place if at is not None else None,
                                tuple(open_), build=posixpath.dirname(source.path) or "."))
    return Deployment(source.path, tuple(services[:1]))


def read_vercel(source: Source) -> Deployment:
    """``vercel.json``: ``env`` is set at run time; the dashboard mostly sets more."""
    for document in _json(source):
        table = document.get("env")
        at = document.key("env")
        if table is None or at is None or table.node.id != "mapping":
            continue
        environment = {name: Known(None, known.place, known.written) if known.written.startswith("@") else known
                       for name, known in _table(table).items()}
        name = document.get("name")
        folder = posixpath.dirname(source.path)
        build = posixpath.normpath(posixpath.join(folder, _vercel_folder(document)))
        service = Service((name.text if name is not None else None) or posixpath.basename(folder) or "vercel", "vercel",
                          at.place, environment, at.place, ("variables of the dashboard",), build=build)
        return Deployment(source.path, (service,))
    return Deployment(source.path)


def _vercel_folder(document: Yaml) -> str:
    """The folder of what is built, seen from the file: of the one build's source, or where the build is run."""
    rows = builds.list() if (builds := document.get("builds")) is not None else []
    sources = {posixpath.dirname(src.text) for row in rows if (src := row.get("src")) is not None and src.text}
    if len(sources) == 1 and not any("*" in source or "{" in source for source in sources):
        return sources.pop() or "."
    command = document.get("buildCommand")
    changed = _CHANGES_INTO.match(command.text or "") if command is not None and not sources else None
    return changed[1] if changed is not None else "."


def read_task_definition(source: Source) -> Deployment:
    """A task definition of ECS, as it is registered or described; in ``awsvpc`` its containers share a loopback."""
    services: list[Service] = []
    for document in _json(source):
        task = document.get("taskDefinition") or document
        rows = task.get("containerDefinitions")
        if rows is None:
            continue
        network = task.get("networkMode")
        mode = network.text if network is not None else None
        containers = [row for row in rows.list() if row.get("name") is not None]
        names = [text for row in containers if (name := row.get("name")) is not None and (text := name.text)]
        for row in containers:
            service = _container(row, source.path, names if mode == "awsvpc" else [], mode == "host")
            if service is not None:
                services.append(service)
    return Deployment(source.path, tuple(services))


def _container(row: Yaml, path: str, names: list[str], host: bool) -> Service | None:
    name = row.get("name")
    if name is None or not name.text:
        return None
    environment = _pairs(row.get("environment"), "value") | _pairs(row.get("secrets"), None)
    image = row.get("image")
    text = image.text if image is not None else None
    ports: list[Port] = []
    mappings = row.get("portMappings")
    for mapping in mappings.list() if mappings is not None else ():
        inside, outside = _number(mapping.get("containerPort")), _number(mapping.get("hostPort"))
        if inside is not None:
            ports.append(Port(inside, outside, mapping.place))
    dependencies: list[Dependency] = []
    needs = row.get("dependsOn")
    for need in needs.list() if needs is not None else ():
        other, condition = need.get("containerName"), need.get("condition")
        if other is not None and other.text:
            awaited = _CONDITIONS.get(condition.text or "") if condition is not None else None
            dependencies.append(Dependency(other.text, awaited, other.place))
    check = row.get("healthCheck")
    program = _words(row.get("entryPoint"))
    words = (*program, *_words(row.get("command")))
    at = row.key("environment") or row.key("secrets")
    return Service(
        name.text, "ecs", name.place, environment, at.place if at is not None else None,
        ("environmentFiles",) if row.get("environmentFiles") is not None else (),
        image=Known(_unless_filled(text), image.place, text or "") if image is not None else None,
        commands=listed(words, words[0].place, row.source.data) if words else (), entrypoint=() if program else None,
        ports=tuple(ports),
        dependencies=tuple(dependencies), mates=tuple(other for other in names if other != name.text),
        host_network=host, healthcheck=check.place if check is not None else None, group=path,
    )


def read_dockerrun(source: Source) -> Deployment:
    """``Dockerrun.aws.json`` of Elastic Beanstalk: one image, built beside it unless it is named, or a task of several
    containers, which reach those that they link. The environment's own properties reach all of them.

    Facts: reference of the versions 1 and 2 (3 only says where an archive lies).
    """
    opened = ("properties of the environment",)
    task = read_task_definition(source)
    if task.services:
        linked = _linked(source)
        return Deployment(source.path, tuple(
            replace(one, kind="beanstalk", hosts=(one.name, *linked.get(one.name, ())), open=(*one.open, *opened))
            for one in task.services))
    folder = posixpath.dirname(source.path)
    for document in _json(source):
        if document.get("AWSEBDockerrunVersion") is None:
            continue
        image = document.get("Image", "Name")
        rows = ports.list() if (ports := document.get("Ports")) is not None else []
        numbers = [(row, _number(row.get("ContainerPort"))) for row in rows]
        words = (*_shell_words(document.get("Entrypoint")), *_shell_words(document.get("Command")))
        name = posixpath.basename(folder) or "app"
        place = (image or document.key("AWSEBDockerrunVersion") or document).place
        service = Service(
            name, "beanstalk", place, open=opened, build=None if image is not None else folder or ".",
            image=Known(_unless_filled(image.text), image.place, image.text or "") if image is not None else None,
            commands=listed(words, words[0].place, source.data) if words else (),
            entrypoint=() if document.get("Entrypoint") is not None else None,
            # the platform asks the first
            ports=tuple(Port(number, 80 if at == 0 else None, row.place) for at, (row, number) in enumerate(numbers)
                        if number is not None),
            group=source.path)
        return Deployment(source.path, (service,))
    return Deployment(source.path)


def _linked(source: Source) -> dict[str, list[str]]:
    """The names by which containers are linked, by the container."""
    found: dict[str, list[str]] = {}
    for document in _json(source):
        rows = document.get("containerDefinitions")
        for row in rows.list() if rows is not None else ():
            links = row.get("links")
            for text in links.texts() if links is not None else ():
                name, _, alias = text.partition(":")
                if alias:
                    found.setdefault(name, []).append(alias)
    return found


def _unless_filled(text: str | None) -> str | None:
    """The text, where nothing is put into it before it is deployed."""
    return None if text is not None and ("<" in text or "$" in text) else text


def _shell_words(node: Yaml | None) -> tuple[Word, ...]:
    """The words of a text, as they stand between blanks, or of a list."""
    if node is None or node.text is None:
        return _words(node)
    return tuple(Word(word, node.place, word) for word in node.text.split())


def read_app_runner(source: Source) -> Deployment:
    """``apprunner.yaml``: what is run from the source, with its variables and port."""
    folder = posixpath.dirname(source.path)
    for document in documents(source):
        run = document.get("run")
        if run is None or document.get("runtime") is None:
            continue
        environment = _pairs(run.get("env"), "value") | _pairs(run.get("secrets"), None)
        start = run.get("command")
        commands: tuple[Command, ...] = ()
        if start is not None and start.text and start.is_plain:
            commands = read_commands(start.text.encode(), source.path, start.inner_offset(), folder=folder)
        port = run.get("network", "port")
        number = _number(port)
        at = run.key("env") or document.key("run")
        service = Service(posixpath.basename(folder) or "app", "app-runner", (at or run).place, environment,
                          at.place if at is not None else None, ("settings of the service",), build=folder or ".",
                          commands=commands, folder=folder,
                          ports=(Port(number, None, port.place),) if port is not None and number is not None else ())
        return Deployment(source.path, (service,))
    return Deployment(source.path)


def _json(source: Source) -> Iterator[Yaml]:
    """The document of a JSON file with its places: JSON is YAML, but for tabs between its words."""
    yield from documents(Source.decode(source.path, source.data.replace(b"\t", b" ")))


def _table(node: Yaml) -> dict[str, Known]:
    """``A: b``; what holds ``${…}`` or is no scalar is set, but not known."""
    found = {}
    for key, value in node.items():
        if key.text:
            text = value.text
            found[key.text] = Known(None if text is None or "${" in text else text, key.place, text or "")
    return found


def _pairs(node: Yaml | None, value_key: str | None) -> dict[str, Known]:
    """``[{name: A, value: b}]``; without ``value_key`` the values are kept elsewhere."""
    found = {}
    for row in node.list() if node is not None else ():
        name = row.get("name")
        if name is not None and name.text:
            value = row.get(value_key) if value_key is not None else None
            text = value.text if value is not None else None
            known = text if text is not None and "${" not in text else None
            found[name.text] = Known(known, name.place, text or "")
    return found


def _words(node: Yaml | None) -> tuple[Word, ...]:
    """The words of a list."""
    if node is None or node.node.id != "sequence":
        return ()
    return tuple(Word(item.text, item.place, item.text or "") for item in node.list())


def _number(node: Yaml | None) -> int | None:
    return int(node.text) if node is not None and node.text is not None and node.text.isdigit() else None
