"""Command lines that deploy: what ``gcloud run deploy``, ``docker run`` and their like tell a service.

Facts from the reference pages of the tools named. A command that adds to what is already set (``--update-env-vars``)
leaves the rest open.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from connlint.languages.deployment.dotenv import read_dotenv
from connlint.model.deployment import Command, Known, Port, Service, ServiceKind, Word
from connlint.model.finding import Place

Read = Callable[[str], bytes | None]


def services_of(command: Command, read: Read) -> tuple[Service, ...]:
    """The services that ``command`` deploys or starts in a container; mostly none."""
    texts = [word.value for word in command.words]
    program = posixpath.basename(texts[0] or "") if texts else ""
    if program == "gcloud" and "run" in texts[1:4]:
        if "deploy" in texts or ("update" in texts and "replace" not in texts):
            return _cloud_run(command, texts, read)
    if program == "docker" and len(texts) > 1 and (texts[1] == "run" or texts[1:3] == ["container", "run"]):
        return _docker_run(command, read)
    if program == "az" and texts[1:2] == ["containerapp"] and len(texts) > 2 and texts[2] in ("create", "up", "update"):
        return _container_app(command, texts)
    if program == "heroku" and texts[1:2] in (["config:set"], ["config:add"]):
        return _settings(command, 2, "heroku", ("-a", "--app", "-r", "--remote"))
    if program in ("fly", "flyctl") and texts[1:3] in (["secrets", "set"], ["secret", "set"]):
        return _settings(command, 3, "fly", ("-a", "--app", "-c", "--config"))
    return ()


class _Flags:
    """``--name value`` and ``--name=value`` of a command line, with the words that are no flags."""

    def __init__(self, words: tuple[Word, ...], switches: frozenset[str] = frozenset()) -> None:
        self.values: dict[str, list[Word]] = {}
        self.plain: list[Word] = []
        at = 0
        while at < len(words):
            word = words[at]
            text = word.value if word.value is not None else word.written
            if text.startswith("-") and len(text) > 1:
                name, equals, value = text.partition("=")
                if equals:
                    known = value.strip("\"'") if word.value is not None else None
                    self.values.setdefault(name, []).append(Word(known, word.place, value))
                elif at + 1 < len(words) and not _is_flag(words[at + 1]) and name not in switches:
                    self.values.setdefault(name, []).append(words[at + 1])
                    at += 1
                else:
                    self.values.setdefault(name, [])
            else:
                self.plain.append(word)
            at += 1

    def first(self, *names: str) -> Word | None:
        return next((rows[0] for name in names if (rows := self.values.get(name))), None)

    def all(self, *names: str) -> list[Word]:
        return [word for name in names for word in self.values.get(name, ())]

    def has(self, *names: str) -> bool:
        return any(name in self.values for name in names)


def _is_flag(word: Word) -> bool:
    text = word.value if word.value is not None else word.written
    return text.startswith("-") and len(text) > 1


def _pairs(word: Word) -> tuple[dict[str, Known], bool]:
    """``A=1,B=2`` with gcloud's other delimiter (``^@^A=1@B=2``); and whether something in it is not known."""
    text = word.value
    whole = text is not None
    if text is None:
        text = word.written.strip("\"'")
    delimiter = ","
    if found := re.match(r"\^([^^]+)\^", text):
        delimiter, text = found[1], text[found.end():]
    pairs: dict[str, Known] = {}
    for part in text.split(delimiter):
        name, equals, value = part.strip().partition("=")
        if equals and re.fullmatch(r"[A-Za-z_]\w*", name):
            known = whole or "$" not in value
            pairs[name] = Known(value if known else None, word.place, value)
        elif "$" in part:
            return pairs, True
    return pairs, False


def _first_line(command: Command) -> Place:
    """The program's own words: a deploy command spans lines, and a finding stands on its first."""
    words = command.words[:4]
    return Place(command.place.path, (words[0].place.at[0], words[-1].place.at[1]))


def _cloud_run(command: Command, texts: list[str | None], read: Read) -> tuple[Service, ...]:
    flags = _Flags(command.words[1:], frozenset({
        "--allow-unauthenticated", "--no-allow-unauthenticated", "--quiet", "-q", "--async", "--no-traffic",
        "--cpu-boost", "--use-http2", "--tty",
    }))
    verbs = {"run", "deploy", "services", "jobs", "update", "beta", "alpha", "create", "worker-pools"}
    names = [word for word in flags.plain if word.value not in verbs]
    name = names[0].value if names else None
    environment: dict[str, Known] = {}
    open_: list[str] = []
    for word in flags.all("--set-env-vars", "--update-env-vars"):
        pairs, more = _pairs(word)
        environment |= pairs
        if more:
            open_.append("variables from the script's own variables")
    for word in flags.all("--set-secrets", "--update-secrets"):
        environment |= {key: Known(None, known.place) for key, known in _pairs(word)[0].items()}
    if flags.has("--update-env-vars", "--update-secrets") or "update" in texts:
        open_.append("what was set before stays set")
    for word in flags.all("--env-vars-file"):
        path = posixpath.normpath(posixpath.join(command.folder or "", word.value or "?"))
        data = read(path) if word.value else None
        if data is None:
            open_.append(f"--env-vars-file {word.written}")
        else:
            environment |= read_dotenv(path, data.replace(b": ", b"="))
    if flags.has("--flags-file"):
        open_.append("--flags-file")
    source, image, port = flags.first("--source"), flags.first("--image"), flags.first("--port")
    build = None
    if source is not None and source.value is not None and command.folder is not None:
        build = posixpath.normpath(posixpath.join(command.folder, source.value)).removeprefix("./")
    elif name is None and image is None and source is None:
        return ()
    number = port.value if port is not None else None
    ports = (Port(int(number), None, port.place),) if port is not None and number and number.isdigit() else ()
    return (Service(
        name=name or "?", kind="cloud-run", place=_first_line(command), environment=environment,
        environment_at=_first_line(command), open=tuple(open_), build=build,
        image=Known(image.value, image.place, image.written) if image is not None else None, ports=ports,
        one_shot="jobs" in texts,
    ),)


def _docker_run(command: Command, read: Read) -> tuple[Service, ...]:
    flags = _Flags(command.words[1:], frozenset({"-d", "--detach", "--rm", "-i", "-t", "-it", "-ti", "--init",
                                                "--privileged", "-P", "--read-only", "-dit", "-itd"}))
    environment: dict[str, Known] = {}
    open_: list[str] = []
    for word in flags.all("-e", "--env"):
        variable, equals, value = (word.value if word.value is not None else word.written.strip("\"'")).partition("=")
        if variable:
            environment[variable] = Known(value if equals and word.value is not None else None, word.place, value)
    for word in flags.all("--env-file"):
        data = read(posixpath.normpath(posixpath.join(command.folder or "", word.value or "?"))) if word.value else None
        if data is None:
            open_.append(f"--env-file {word.written}")
        else:
            environment |= read_dotenv(word.value or "", data)
    plain = [word for word in flags.plain if word.value not in ("run", "container")]
    if not plain:
        return ()
    network = flags.first("--network", "--net")
    name = flags.first("--name")
    ports: list[Port] = []
    for word in flags.all("-p", "--publish"):
        if found := re.match(r"(?:[\d.]+\.\d+:|\[[^\]]*\]:)?(?:(\d+):)?(\d+)(?:/(\w+))?$", word.value or ""):
            host = int(found[1]) if found[1] else None
            ports.append(Port(int(found[2]), host, word.place, protocol=found[3] or "tcp"))
    return (Service(
        name=(name.value if name is not None else plain[0].value) or "?", kind="docker-run", place=_first_line(command),
        environment=environment, environment_at=_first_line(command), open=tuple(open_),
        image=Known(plain[0].value, plain[0].place, plain[0].written),
        commands=(Command(tuple(plain[1:]), command.place, False),) if len(plain) > 1 else (), ports=tuple(ports),
        host_network=network is not None and network.value == "host",
        hosts=(name.value,) if name is not None and name.value else (),
    ),)


def _settings(command: Command, skipped: int, kind: ServiceKind, takes: tuple[str, ...]) -> tuple[Service, ...]:
    """``A=b C=d`` behind the verb of a platform that adds them to what an application has; ``takes`` name it."""
    environment: dict[str, Known] = {}
    name: str | None = None
    words = iter(command.words[skipped:])
    for word in words:
        text = word.value if word.value is not None else word.written.strip("\"'")
        flag, equals, value = text.partition("=")
        if flag.startswith("-"):
            behind = next(words, None) if flag in takes and not equals else None
            if flag in ("-a", "--app"):
                name = value if equals else behind.value if behind is not None else None
        elif equals and re.fullmatch(r"[A-Za-z_]\w*", flag):
            # the whole word may be in quotes, or its value alone
            environment[flag] = Known(value if word.value is not None else None, word.place, value)
    if not environment:
        return ()
    return (Service(name or kind, kind, _first_line(command), environment, _first_line(command),
                    ("what was set before stays set",)),)


def _container_app(command: Command, texts: list[str | None]) -> tuple[Service, ...]:
    environment: dict[str, Known] = {}
    open_: list[str] = ["what was set before stays set"] if "update" in texts[2:3] else []
    taking = False
    for word in command.words[2:]:
        text = word.value if word.value is not None else word.written.strip("\"'")
        if text.startswith("--"):
            taking = text in ("--env-vars", "--set-env-vars", "--replace-env-vars")
            continue
        if taking:
            variable, equals, value = text.partition("=")
            if equals:
                known = word.value is not None and not value.startswith("secretref:")
                environment[variable] = Known(value if known else None, word.place, value)
            elif "$" in text:
                open_.append("variables from the script's own variables")
    flags = _Flags(command.words[1:])
    name, source, image = flags.first("--name", "-n"), flags.first("--source"), flags.first("--image", "-i")
    build = None
    if source is not None and source.value and command.folder is not None:
        build = posixpath.normpath(posixpath.join(command.folder, source.value)).removeprefix("./")
    return (Service(
        name=(name.value if name is not None else None) or "?", kind="container-apps", place=_first_line(command),
        environment=environment, environment_at=_first_line(command), open=tuple(open_), build=build,
        image=Known(image.value, image.place, image.written) if image is not None else None,
    ),)
