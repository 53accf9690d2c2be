"""Start commands whose target is there, and is no application of the kind that the server runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connlint.cards import Card, Rules
from connlint.checks.entrypoints import Verdict, agreed, is_called, resolved
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.project.answer import Found, Unknown
from connlint.project.applications import Applications
from connlint.project.project import Project
from connlint.project.server_settings import in_configuration
from connlint.project.services import Services
from connlint.project.start import Start, Target


def check_interface(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Targets that exist and cannot be run by this server.

    Outcomes: "interface" (an application of another kind), "no-application" and "uncalled" (a factory that this server
    does not call). Slots: ``tool``, ``target``, ``has``, ``wants``, ``made`` (the constructor) and ``where``.
    """
    yield from agreed(project, rules, _misfit)


def _misfit(start: Start, target: Target, applications: Applications) -> Verdict:
    wants = _protocol(start, applications)
    if wants is None or not start.grounds or (target.is_path and start.entry["form"] != "path"):
        return None
    answers = [resolved(start, ground, target, applications) for ground in start.grounds]
    paths = {answer.path for answer in answers if isinstance(answer, Found)}
    # a guessed folder without the target is not where the command runs, if another one has it
    if len(paths) != 1 or (not start.loose and any(isinstance(answer, Unknown) for answer in answers)):
        return None
    path = paths.pop()
    names = [target.attribute] if target.attribute else start.listed("defaults")[:1]
    if not names or not path.endswith(".py"):
        return None
    slots = {"tool": start.tool, "target": target.text, "wants": wants.upper(), "where": path}
    made = applications.constructor(path, target, names[0])
    found = applications.definition(path, names[0])
    if made is not None and (target.call or is_called(start) or found is None or found[1].kind == "value"):
        name, has = made
        if "any" in (has, wants) or has == wants:
            return None
        slots |= {"has": has.upper(), "made": name}
        return Draft("interface", target.place, slots, f"{start.tool} {target.text}", related=_related(found, name))
    if found is None or target.call or target.deeper or is_called(start):
        return None
    definition = found[1]
    kind = type(definition.value)
    if definition.kind == "value" and kind in (p.Number, p.Text, p.Sequence, p.Record):
        slots["has"] = {p.Number: "a number", p.Text: "a text", p.Sequence: "a list", p.Record: "a dictionary"}[kind]
        related = _related(found, slots["has"])
        return Draft("no-application", target.place, slots, f"{start.tool} {target.text}", related=related)
    if definition.kind == "value" and (own := applications.own_class(found[0], definition.value)) is not None:
        slots["has"] = f"an object of {own}"
        return Draft("no-application", target.place, slots, f"{start.tool} {target.text}",
                     related=_related(found, slots["has"]))
    function: Any = definition.value
    if definition.kind == "class" and applications.is_plain(function, wants):
        slots["has"] = f"the class {function.name}"
        return Draft("no-application", target.place, slots, f"{start.tool} {target.text}",
                     related=_related(found, slots["has"]))
    if definition.kind == "function" and (speaks := _speaks(function)) not in (None, wants) and wants != "any":
        slots |= {"has": str(speaks).upper(), "made": function.name or "a function"}
        return Draft("interface", target.place, slots, f"{start.tool} {target.text}",
                     related=_related(found, f"an application for {str(speaks).upper()}"))
    if wants != "wsgi" or start.entry.get("lenient"):
        return None
    if definition.kind == "function" and type(function) is p.Function:
        if not function.decorators and _most(function) < 2:
            slots["has"] = "a function that makes one"
            related = _related(found, slots["has"])
            return Draft("uncalled", target.place, slots, f"{start.tool} {target.text}", related=related)
    return None


def _speaks(function: Any) -> str | None:
    """The protocol of a function that is an application itself, as its parameters are called; None where it is none."""
    if type(function) is not p.Function or function.decorators:
        return None
    names = [param.target.id.lstrip("_") if type(param.target) is p.Name and param.kind in ("positional", "either")
             else "" for param in function.params]
    if function.is_async:
        return "asgi" if names == ["scope", "receive", "send"] else None
    return "wsgi" if len(names) == 2 and names[0] in ("environ", "env") and names[1].startswith("start") else None


def _most(function: p.Function) -> int:
    """How many positional arguments a function takes at most."""
    if any(param.kind == "rest" for param in function.params):
        return 99
    return sum(param.kind in ("positional", "either") for param in function.params)


def _related(found: Any, what: str) -> tuple[Step, ...]:
    return () if found is None else (Step(Place(found[0].path, found[1].at), f"this is {what}"),)


def _protocol(start: Start, applications: Applications) -> str | None:
    """What the server speaks to its application; None where that is not plain."""
    speaks = start.entry.get("protocol")
    if start.loose and any(one.gives(name) for name in start.listed("protocol_env")
                           for one in Services.of(applications.project).running()):
        return None  # who runs the script says it
    if speaks in (None, "any") or start.variable("protocol_env") is not None:
        prefixes = start.entry.get("prefixes", {})
        written = next((w.value or "" for w in start.options.plain[:1]), "")
        plain = speaks == "any" and not start.configured and not start.options.unknown
        return next((kind for prefix, kind in prefixes.items() if written.startswith(prefix)), "any" if plain else None)
    word = start.options.first(start.listed("protocol_flags"))
    if start.options.has(start.listed("protocol_flags")):
        return start.entry["protocols"].get(word.value) if word is not None and word.value is not None else None
    if start.options.has(start.listed("worker_flags")):
        word = start.options.first(start.listed("worker_flags"))
        return applications.workers.get(word.value) if word is not None and word.value is not None else None
    if start.options.unknown or not start.configured:
        return None if start.options.unknown else speaks
    # a configuration that can be read may say nothing of it
    said = in_configuration(start, start.listed("worker_names"), applications.project)
    if said is None or said.value is None:
        return None
    return applications.workers.get(said.value) if said.value else speaks
