"""Streams of services that are injected: who subscribes to one in a component has to end that with the component.

A service that is provided in the root of the application outlives every component, and a subject that it keeps never
ends unless the service completes it.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.checks.lifecycles import Api, Lifecycles, argument, completes, holds, last_word
from connlint.checks.origins import attribute_values, class_of, origins, returned
from connlint.model import program as p
from connlint.project.callees import Thing, thing
from connlint.project.module import Module
from connlint.project.project import Project

_DEPTH = 3


class Injected:
    """Answers about the subscriptions of one module."""

    def __init__(self, module: Module, project: Project, table: Lifecycles, roles: frozenset[str]) -> None:
        self.module = module
        self.project = project
        self.apis = [api for api in table.apis if api.role in roles and api.injected]

    def acquired(self, call: p.Call) -> Api | None:
        """What ``call`` acquires, where it subscribes to a stream of a service that outlives its component."""
        callee = call.callee
        if not self.apis or type(callee) is not p.Member:
            return None
        api = next((it for it in self.apis if callee.name in it.injected), None)
        if api is None or completes(api, callee, origins(self.module, self.project)):
            return None
        stream: Any = _source(callee.of, api)
        member = stream.callee if type(stream) is p.Call else stream
        if type(member) is not p.Member or type(member.of) is not p.Member or last_word(member.of.of) != "this":
            return None
        service = self._service(call, member.of.name)
        if service is None or not _is_shared(service, api) or self._stays(call, api):
            return None
        return api if self._never_ends(service, member.name, api, _DEPTH, method=member is not stream) else None

    def _service(self, call: p.Call, name: str) -> Thing | None:
        """The class of what is kept under an attribute: ``constructor(private name: Service)``, ``inject(Service)``."""
        owner = class_of(self.module, call)
        found = attribute_values(self.module, owner).get(name, ()) if owner is not None else ()
        # a parameter of the constructor that is a field is set to itself as well
        kept = [it for it in found if it[1] is not None or last_word(it[0]) != name]
        if len(kept) != 1:
            return None
        value, wanted = kept[0]
        if type(value) is p.Call and type(value.callee) is p.Name and len(value.args) == 1:
            wanted = value.args[0].value
        return thing(self.module, wanted, self.project) if wanted is not None else None

    def _never_ends(self, service: Thing, name: str, api: Api, depth: int, *, method: bool = False) -> bool:
        """Whether an attribute of a service, or what a ``method`` returns, is a subject that nothing completes."""
        owner, home = service.node, service.module
        values: list[Any] = [value for value, _ in attribute_values(home, owner).get(name, ())]
        if method:
            found = [it.value for it in owner.body if type(it) is p.Define and it.name == name]
            values = list(returned(found[0])) if len(found) == 1 and type(found[0]) is p.Function else []
        completed = (it for it in home.nodes(p.Member) if it.name in api.done and last_word(it.of) == name)
        if depth <= 0 or len(values) != 1 or (not method and next(completed, None) is not None):
            return False
        value = _source(values[0], api)
        if type(value) is p.Member and last_word(value.of) == "this":
            return self._never_ends(service, value.name, api, depth - 1)
        return value is not None and origins(home, self.project).of(value) in api.subjects

    def _stays(self, call: p.Call, api: Api) -> bool:
        """Whether the component around ``call`` brings services of its own, or stands on the page as long as the page:
        in the template of the root component."""
        owner = class_of(self.module, call)
        for decorator in owner.decorators if owner is not None else ():
            if type(decorator) is not p.Call:
                continue
            if any(argument(decorator, key) is not None for key in api.options):
                return True
            selector = argument(decorator, "selector")
            if type(selector) is p.Text:
                pages = (path for path in self.project.tree.paths if path.endswith(api.pages))
                return any(self._holds(path, selector.value) for path in pages)
        return False

    def _holds(self, path: str, selector: str) -> bool:
        """Whether a template has an element of that name which stands there under no condition."""
        tag = re.compile(rb"<%s\b([^>]*)" % re.escape(selector.encode()))
        return any(b"*ngIf" not in it[1] for it in tag.finditer(self.project.tree.read(path) or b""))


def _is_shared(service: Thing, api: Api) -> bool:
    """Whether one object of a class is there for the whole application."""
    return type(service.node) is p.Class and any(
        type(it) is p.Call and service.module.qualified(it.callee) in api.shared and holds(api, it)
        for it in service.node.decorators)


def _source(stream: Any, api: Api) -> Any:
    """What a stream is made of, without what is done to its values; None where a step may end it."""
    while type(stream) is p.Call and type(stream.callee) is p.Member and stream.callee.name in api.passing:
        if any(last_word(given.value) in api.completes for given in stream.args):
            return None
        stream = stream.callee.of
    return stream
