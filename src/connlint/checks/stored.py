"""Tasks that poll, kept by an object that holds whatever a program shares: ``app["poller"]``, ``app.state.poller``.

Nobody else is to name the key, in the whole project: whoever does may cancel what stands there.
"""

from __future__ import annotations

import re
from typing import Any

from connlint.checks.lifecycles import Api
from connlint.checks.repeats import Repeats
from connlint.checks.tasks import Tasks
from connlint.checks.telling import Telling
from connlint.model import program as p
from connlint.model.finding import Draft, Level, Place
from connlint.model.finding import Step as Evidence
from connlint.patterns import regex

_ALL = regex(rb"all_tasks\(|\.values\(\)|\.items\(\)|_state\b|vars\(|__dict__")
"""What goes through all tasks, or through whatever such an object holds."""


class Stored:
    """Judges the tasks of one module that are kept so."""

    def __init__(self, repeats: Repeats, tasks: Tasks, telling: Telling) -> None:
        self.repeats = repeats
        self.module = repeats.module
        self.tasks = tasks
        self.telling = telling

    def judge(self, call: p.Call, api: Api) -> Draft | None:
        """What is to be said about the task of ``call``, if a key of such an object is all that knows it."""
        store: Any = self.module.parent(call)
        function = self.module.function(call)
        if not api.awaiting or function is None or type(store) not in (p.Let, p.Assign) or store.value is not call:
            return None
        key = _key(store.target)
        if key is None or not self.tasks.polls(call) or self._is_named_elsewhere(key, store):
            return None
        behind = self._behind_yield(function, store)
        steps: tuple[Evidence, ...] = ()
        if behind is not None:
            steps = (Evidence(Place(self.module.path, behind.at), "what ends with the program is given back here"),)
        handle = self.telling.names.text(store.target)
        level: Level | None = None if behind is not None else "note"
        return self.telling.draft("stored", call, api, handle, steps=steps, level=level)

    def _is_named_elsewhere(self, key: str, store: Any) -> bool:
        word = re.compile(rb"(?<![\w])%s(?![\w])" % re.escape(key.encode()))
        project = self.repeats.project
        for path in self.repeats.holding(key):
            data = project.tree.read(path) or b""
            if path == self.module.path:
                data = data[: store.target.at[0]] + data[store.target.at[1]:]
            if any(self._is_key(data, it) for it in word.finditer(data)):
                return True
        own = project.tree.read(self.module.path) or b""
        return _ALL.search(own) is not None

    def _is_key(self, data: bytes, found: re.Match[bytes]) -> bool:
        """Whether a word may be the key: an attribute, or a text by itself."""
        before, after = data[max(found.start() - 1, 0) : found.start()], data[found.end() : found.end() + 1]
        return before == b"." or (before in (b'"', b"'") and after in (b'"', b"'"))

    def _behind_yield(self, function: p.Function, store: Any) -> Any:
        """The first statement behind the one ``yield`` of a context manager that comes after ``store``."""
        statements = list(function.body)
        for it in function.body:
            if type(it) is p.Try:
                statements += [*it.body, *it.always]
        own = [it for it in self.module.nodes_of(function, p.Yield) if it.at[0] > store.at[0]]
        behind = [it for it in statements if len(own) == 1 and it.at[0] > own[0].at[1] and type(it) is p.Evaluate]
        return min(behind, key=lambda it: it.at[0], default=None)


def _key(target: Any) -> str | None:
    """The key under which ``target`` keeps something: ``app["x"]``, ``app.state.x``; not an attribute of ``self``."""
    if type(target) is p.Index and type(target.of) is p.Name and type(target.key) is p.Text:
        return target.key.value or None
    holder = target.of if type(target) is p.Member else None
    if type(holder) is p.Member and holder.name == "state" and type(holder.of) is p.Name:
        return target.name
    return None
