"""Whether a program may well do without a variable: to require it would stop what works.

What says so is written down: a file of variables has it behind a comment, a manual calls it optional, another variable
takes its place, a key beside it may be empty, or what is done with it may fail and the program goes on.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.languages.edits import everything
from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.announced import named
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.values import Read

_PART = regex(r"_(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)$")
"""What variables of one part of an address end with."""
_WHOLE = r"_(?:URL|URI|DSN|CONNECTION_STRING|SENTINEL\w*|CLUSTER\w*|NODES|SOCKET|UNIX_SOCKET)"
_FAMILIES = (frozenset(("DB", "DATABASE", "POSTGRES", "POSTGRESQL", "PG", "MYSQL", "MARIADB", "SQL")),
             frozenset(("MONGO", "MONGODB")), frozenset(("RABBITMQ", "RABBIT", "AMQP", "CLOUDAMQP")))
"""First words of variables that mean the same server."""
_ADDRESS = regex(r"(?:_(?:API|BASE|SERVER|SERVICE))*_(?:URL|URI|HOST|HOSTNAME|ENDPOINT|ADDR|ADDRESS|DSN)$")
_EMPTY = regex(r"_(?:KEY|TOKEN|SECRET)[\"']?[\])]?\s*(?::\s*[\w\[\] |]+)?(?:\|\||\?\?|or\b|,|=)\s*"
               r"(?:\"\"|''|None\b|null\b|undefined\b)")
_MORE = regex(r"(?:_[A-Z]+)*")
_LAST_WORD = regex(r"\w+$")
_GOING_ON = regex(r"(?i)(?:continu|proceed|run|work|operat|start)\w*\s+without|in-memory"
                  r"|fall(?:ing|s)?[ -]?back\s+to\s+(?:memory|local|in\b|the database)|cach\w+ (?:is )?disabled")
_EXAMPLES = regex(r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*\.env|[\w-]*env[.-](?:example|sample|template|dist)[\w.]*)$")
_MANUALS = regex(r"\.(?:md|rst|adoc)$")
_OPTIONAL = regex(r"(?i)(?<![\w-])(?:optional|defaults?|fall(?:s|ing)?[ -]?backs?)\b")
"""Words of a manual; behind a hyphen they are part of a name, as of a rule's."""
_LOOPBACK = regex(r"localhost|127\.0\.0\.1")
_WORD = regex(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
_SET = regex(r"\s*(?:export\s+)?([A-Z][A-Z0-9_]+)\s*=")
_UNSET = regex(r"\s*#+\s*(?:export\s+)?([A-Z][A-Z0-9_]+)\s*=")
_LONGEST = 200
"""Letters of a variable."""
_LARGEST = 300_000
"""Bytes; longer files are written by machines."""
_BESIDE = regex(r"(?:^|_)(?:SMTP|E?MAIL|MAILER|MAILHOG|SENTRY|OTEL|OTLP|JAEGER|ZIPKIN|TEMPO|LOKI|STATSD|DATADOG|DD"
                r"|PUSHGATEWAY|LANGFUSE|LANGSMITH|PHOENIX)_")
"""Variables of what a program tells others, people or those who watch it: without them it does all else."""
_LOCAL = regex(r"(?:^|_)(?:OLLAMA|LM_?STUDIO|LLM_STUDIO|LOCAL_?AI|LLAMA_?CPP|CDP|REMOTE_DEBUGGING)_")
"""Variables of what mostly runs on the machine of whoever uses it: a model, or a browser."""
_WANTED = ("enabled", "enable", "active")
_BASES = ("base", "default", "defaults", "common", "development", "dev", "local")
_PRODUCTION = regex(r"(?:^|/)prod(?:uction)?\.\w+$")
_KINDS = ("provider", "backend", "driver", "engine", "type", "mode")
"""What a field is called that chooses among services."""
_FAILED = regex(r"INTERNAL_SERVER_ERROR|INTERNAL_ERROR|BAD_GATEWAY|SERVICE_UNAVAILABLE")
"""Names of answers that say that something failed."""
_ENDINGS = frozenset(("exit", "_exit", "abort", "quit", "fail", "next", "reject"))
"""What a program calls to give up, or to tell others of an error."""


def is_dispensable(project: Project, module: Module, read: Read) -> bool:
    """Whether a program may do without what ``read`` asks for."""
    name = read.variables[0]
    return (_is_beside(module, read)
            or _is_spared(module, read) or name in _said_to_be(project) or _has_an_empty_key(module, name)
            or _is_switched(project, module, read) or _is_chosen(module, read)
            or _has_a_switch(module, read) or _is_the_base(project, module)
            or _goes_on(module, name) or _is_survived(module, read.site.node) or _is_tested(module, read.site.node)
            or _is_cache(module))


def _is_spared(module: Module, read: Read) -> bool:
    """Whether the file has a variable that makes this one needless, as ``REDIS_URL`` does ``REDIS_HOST``, and the read
    does not stand in a function that has asked for it before."""
    name = read.variables[0]
    part = _PART.search(name)
    if part is None:
        return False
    stem = name[: part.start()]
    others = next((family for family in _FAMILIES if stem in family), frozenset()) - {stem}
    whole = re.compile(rf"\b{re.escape(stem)}{_WHOLE}\b" + "".join(
        rf"|(?:[\"']|\benv\.|(?m:^[ \t]*)(?=\w+\s*:)){other}{_WHOLE}\b" for other in sorted(others)))
    if not whole.search(module.source.text):
        return False
    function = module.function(read.site.node)
    asked = module.nodes(p.If) if function is not None else ()
    return not any(whole.search(module.source.slice(one.test.at)) and module.function(one) is function for one in asked)


def _said_to_be(project: Project) -> frozenset[str]:
    """The variables that manuals and examples of files of variables call optional, or give a default."""
    memo: dict[str, frozenset[str]] = project.memo.setdefault(_said_to_be, {})
    if "" not in memo:
        spared: set[str] = set()
        given: set[str] = set()
        for path in sorted(project.tree.paths):
            example = _EXAMPLES.search(path) is not None
            if not example and not _MANUALS.search(path):
                continue
            data = project.tree.read(path)
            if data is None or len(data) > _LARGEST:
                continue
            lines = data.decode("utf-8", "replace").splitlines()
            spared |= _spared_by_example(lines, given) if example else _spared_by_manual(lines)
        memo[""] = frozenset(spared - given)
    return memo[""]


def _spared_by_example(lines: list[str], given: set[str]) -> set[str]:
    """What a file of variables leaves to whoever needs it; what it sets without saying so is added to ``given``."""
    found: set[str] = set()
    optional = False
    for line in lines:
        if (unset := _UNSET.match(line)) is not None:
            found.add(unset[1])
        elif (known := _SET.match(line)) is not None:
            (found if optional or _OPTIONAL.search(line) else given).add(known[1])
        else:
            optional = line.lstrip().startswith("#") and "optional" in line.lower()
    return found


def _spared_by_manual(lines: list[str]) -> set[str]:
    """What a manual calls optional on the line that names it, or gives the machine itself for a default in a table."""
    found: set[str] = set()
    defaults = False
    for line in lines:
        if not line.startswith("|"):
            defaults = False
        elif "default" in line.lower():
            defaults = True
        if _OPTIONAL.search(line) or (defaults and _LOOPBACK.search(line)):
            found.update(_WORD.findall(line))
    return found


def _has_an_empty_key(module: Module, name: str) -> bool:
    """Whether the file lets the key of the same service be empty: then nobody has to have that service."""
    stem = _ADDRESS.sub("", name)
    return len(stem) > 2 and stem != name and any(
        key.startswith(stem) and _MORE.fullmatch(key, len(stem)) for key in _empty_keys(module))


def _empty_keys(module: Module) -> list[str]:
    """The variables of the file that hold a key and may be empty, each without its last word."""
    found: list[str] | None = module.memo.get(_empty_keys)
    if found is None:
        found = module.memo[_empty_keys] = []
        text, at = module.source.text, 0
        while (match := _EMPTY.search(text, at)) is not None:
            at = match.start() + 1
            if (word := _LAST_WORD.search(text, max(0, match.start() - _LONGEST), match.start())) is not None:
                found.append(word[0])
    return found


def _is_beside(module: Module, read: Read) -> bool:
    """Whether a variable is about what a program tells others, and is read as soon as the file is loaded, in which it
    stands with the addresses of what the program lives on."""
    if module.function(read.site.node) is not None:
        return False
    if _LOCAL.search(read.variables[0]) is not None:
        return True
    if _BESIDE.search(read.variables[0]) is None:
        return False
    return any(_ADDRESS.search(word[0]) and not _BESIDE.search(word[0]) for word in _WORD.finditer(module.source.text))


def _is_switched(project: Project, module: Module, read: Read) -> bool:
    """Whether another variable, or a setting of the file, switches the service off, as ``REDIS_ENABLED`` does, and the
    function that reads this one has not asked for it before."""
    name = read.variables[0]
    stem = _ADDRESS.sub("", name)
    if len(stem) < 3 or stem == name:
        return False
    switches = [f"{stem}_ENABLED", f"{stem}_ENABLE", f"{stem}_DISABLED", f"ENABLE_{stem}", f"DISABLE_{stem}",
                f"USE_{stem}", f"WITH_{stem}"]
    # what a file calls shortly, it may name at length
    words = [word.replace("_", "_?") for word in switches] + [
        f"{first}_?ENABLED" for first in [stem.partition("_")[0]] if first != stem and len(first) > 2]
    text = _run_together(module)
    holds = any(word.lower().replace("_?", "").replace("_", "") in text for word in words)
    written = re.compile(rf"(?i)(?<![a-z0-9])(?:{'|'.join(words)})(?![a-z0-9])") if holds else None  # that takes long
    if (written is None or not written.search(module.source.text)) and not any(
            named(project, switch) or importers(project).mentions(switch, module.path) for switch in switches):
        return False
    function = module.function(read.site.node)
    before = module.source.slice((function.at[0], read.site.node.at[0])) if function is not None else ""
    return written is None or not written.search(before)


def _run_together(module: Module) -> str:
    """The text of a file in small letters, without what stands between words."""
    found: str | None = module.memo.get(_run_together)
    if found is None:
        found = module.memo[_run_together] = module.source.text.lower().replace("_", "")
    return found


def _has_a_switch(module: Module, read: Read) -> bool:
    """Whether an object that says where a service is says beside it whether the service is wanted at all."""
    record = next((one for one in module.parents(read.site.node) if type(one) is p.Record), None)
    return record is not None and any(type(one.key) is p.Text and one.key.value.lower() in _WANTED
                                      for one in record.entries)


def _is_the_base(project: Project, module: Module) -> bool:
    """Whether the file holds what all stages begin with, and another one beside it what production has."""
    folder, _, name = module.path.rpartition("/")
    if name.partition(".")[0] not in _BASES:
        return False
    return any(path.rpartition("/")[0] == folder and _PRODUCTION.search(path) for path in project.tree.paths)


def _is_chosen(module: Module, read: Read) -> bool:
    """Whether the class that declares the variable for a field names its service as one that may be chosen, as
    ``backend: Literal["memory", "redis"]`` does, or ``chat_provider`` beside ``chat_url``: who chooses another has no
    such variable."""
    declared = read.site.node
    owner = next((one for one in module.parents(declared) if type(one) is p.Class), None)
    stem = _ADDRESS.sub("", read.variables[0]).lower()
    if type(declared) is not p.Let or owner is None or len(stem) < 3:
        return False
    last = stem.rpartition("_")[2]
    fields = {one.target.id.lower() for one in owner.body if type(one) is p.Let and type(one.target) is p.Name}
    if not fields.isdisjoint(f"{stem}_{kind}" for kind in _KINDS):
        return True
    return re.search(rf"[\"'](?:{re.escape(stem)}|{re.escape(last)})[\"']", module.source.slice(owner.at)) is not None


def _goes_on(module: Module, name: str) -> bool:
    """Whether a text or a comment of the file says that it goes on without the service."""
    service = name.partition("_")[0].lower()
    return any(service in line or "cach" in line for line in _said_to_go_on(module))


def _said_to_go_on(module: Module) -> list[str]:
    """What stands around the words of the file that say that something goes on without something else."""
    found: list[str] | None = module.memo.get(_said_to_go_on)
    if found is None:
        text = module.source.text
        found = module.memo[_said_to_go_on] = [
            text[max(0, match.start() - 120) : match.end() + 60].lower() for match in _GOING_ON.finditer(text)]
    return found


def _is_cache(module: Module) -> bool:
    """Whether the file keeps what can be had again, and goes on where that fails."""
    return "cach" in module.path.rpartition("/")[2].lower() and any(
        guard.handlers and not any(_gives_up(handler) for handler in guard.handlers) for guard in module.nodes(p.Try))


def _is_survived(module: Module, read: Any) -> bool:
    """Whether what is done with the value may fail, and the program goes on: the read stands in front of that, or
    right in it; an object keeps the value, and its methods may fail."""
    statement = module.statement(read)
    target = statement.target if type(statement) is p.Let else None
    function = module.function(read)
    for guard in module.nodes(p.Try):
        if not guard.handlers or any(_gives_up(handler) for handler in guard.handlers):
            continue
        within = bool(guard.body) and guard.body[0].at[0] <= read.at[0] < guard.body[-1].at[1]
        same = module.function(guard) is function
        if same and within:
            return True
        nodes = everything(guard.body)
        if type(target) is p.Name and same and guard.at[0] > read.at[1]:
            if any(type(node) is p.Name and node.id == target.id for node in nodes):
                return True
        elif type(target) is p.Member and type(target.of) is p.Name and target.of.id in ("self", "this"):
            if _owner(module, guard) is _owner(module, read) and any(
                    type(node) is p.Member and node.name == target.name for node in nodes):
                return True
    return False


def _owner(module: Module, node: Any) -> Any:
    """The class that something stands in."""
    return next((one for one in module.parents(node) if type(one) is p.Class), None)


def _gives_up(handler: p.Handler) -> bool:
    """Whether what handles an error ends the program, or hands the error on; an answer that tells of it does."""
    for node in everything(handler.body):
        if type(node) is p.Raise or (type(node) is p.Number and 500 <= node.value < 600):
            return True
        if type(node) is p.Member and _FAILED.search(node.name):
            return True
        if type(node) is p.Return and node.value is not None and type(handler.target) is p.Name and any(
                type(inner) is p.Name and inner.id == handler.target.id for inner in everything((node,))):
            return True
        callee = node.callee if type(node) is p.Call else None
        if getattr(callee, "name", getattr(callee, "id", None)) in _ENDINGS:
            return True
    return False


def _is_tested(module: Module, declared: Any) -> bool:
    """Whether a class that declares the variable for a field asks whether it has it: it may be empty there."""
    if type(declared) is not p.Let or type(declared.target) is not p.Name:
        return False
    owner: Any = next((one for one in module.parents(declared) if type(one) is p.Class), None)
    if owner is None:
        return False
    for test in (one for one in everything(owner.body) if type(one) is p.If):
        asked = test.test.value if type(test.test) is p.Not else test.test
        if type(asked) is p.Member and asked.name == declared.target.id and not any(
                type(node) is p.Raise for node in everything(test.then)):
            return True
    return False
