"""The words of a report: the draft of a lost handle, and the steps that lose it."""

from __future__ import annotations

from typing import Any

from connlint.checks.lifecycles import Api, last_word
from connlint.checks.meanings import names_of
from connlint.checks.repeats import Why
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Level, Place
from connlint.model.finding import Step as Evidence
from connlint.model.flow import Loss, Step
from connlint.patterns import regex
from connlint.project.module import Module

_LONGEST = 60
_OPENED = regex(r"(?<=[\s(,])\{")
"""The brace at which the body of a function begins, or an object that is written out."""


class Telling:
    """Words about one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.names = names_of(module)

    def clause(self, step: Step, loss: Loss) -> str:
        line = self.module.source.line(step.at[0])
        python = self.module.program.language == "python"
        text = self._short_at(step.at)
        if step.kind == "end":
            return "the function ends"
        if step.kind == "return":
            return f"line {line} returns"
        if step.kind in ("break", "continue"):
            return f"line {line} leaves the loop"
        if step.kind == "raise":
            return f"line {line} {'raises' if python else 'throws'}"
        if step.kind == "reject":
            return f"`{text}` on line {line} may be rejected"
        if step.kind == "stop":
            return f"whoever goes through what this yields may stop at `{text}` on line {line}"
        if step.kind == "yield":
            return f"`{text}` on line {line} raises what its user raises"
        if step.kind == "assign" or loss.cause is None:
            return f"line {line} overwrites it"
        return f"`{text}` on line {line} may {'raise' if python else 'throw'}"

    def because(self, call: p.Call, why: Why) -> tuple[Evidence, ...]:
        if why.answer != "again" or why.node is None or why.node is call:
            return ()
        at = why.node.at
        return (Evidence(Place(self.module.path, (at[0], min(at[1], at[0] + 60))), why.clause),) if at else ()

    def short(self, it: Any) -> str:
        return self._short_at(it.at)

    def _short_at(self, at: tuple[int, int]) -> str:
        text = " ".join(self.module.source.slice((at[0], min(at[1], at[0] + 400))).split())
        # the body of a function and an object are left out; a brace in a text, as in f"{x}", is part of it
        opened = _OPENED.search(text, 0, 60) if len(text) > 60 else None
        head = text if opened is None else f"{text[:opened.start()].rstrip()} …"
        return head if len(head) <= 60 else head[:57] + "…"

    def draft(self, outcome: str, call: p.Call, api: Api, handle: str, *, why: str = "", where: str = "",
              undo: str = "", steps: tuple[Evidence, ...] = (), level: Level | None = None,
              fix: Fix | None = None) -> Draft:
        name = self.names.text(call.callee)
        name = name if len(name) <= 60 else last_word(call.callee) or "call"
        slots = {
            "call": name, "handle": handle or f"the {api.what}", "what": api.what,
            "undo": undo or api.undo(handle or api.what), "why": why or "it can run again", "where": where,
        }
        return Draft(outcome, Place(self.module.path, call.at), slots, handle or name, steps, level=level, fix=fix)
