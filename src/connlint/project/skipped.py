"""Code of tests that no run of them reaches: a mark leaves out the test, its class, or all of the file.

Facts: the documentation of pytest (``pytest.mark.skip``, ``pytestmark``), of unittest (``skip``), and of Jest, Vitest
and Mocha (``describe.skip``, ``it.skip``, ``test.skip``, ``xdescribe``, ``xit``, ``xtest``). A mark with a condition
(``skipif``) may not hold, and leaves nothing out.
"""

from __future__ import annotations

from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.timeline import is_main_test

_MARK = regex(r"(?:[\w.]+\.)?mark\.skip\b|(?:unittest\.)?skip\b(?!\.)")
_MARKS = regex(r"(?:[\w.]+\.)?mark\.skip(?![\w.])")
_LEFT_OUT = regex(r"(?:describe|it|test|suite|context)(?:\.\w+)*\.skip$|x(?:describe|it|test)$")


def is_skipped(project: Project, path: str, offset: int) -> bool:
    """Whether what stands at ``offset`` of the file ``path`` is part of a test that is always left out."""
    module = project.module(path)
    if module is None:
        return False
    around: list[p.Function | p.Class] = [*module.nodes(p.Function), *module.nodes(p.Class)]
    around = [node for node in around if node.at[0] <= offset < node.at[1]]
    if module.program.language == "python":
        return (any(_MARK.match(module.source.slice(mark.at)) for node in around for mark in node.decorators)
                or (bool(around) and _is_marked(module)))
    return any(_is_argument_of_skip(module, node) for node in around)


def is_of_program(project: Project, path: str, offset: int) -> bool:
    """Whether what stands at ``offset`` of the file ``path`` runs where somebody starts the file, and not where a
    runner imports it: ``if __name__ == "__main__":``."""
    module = project.module(path)
    return module is not None and any(
        type(it) is p.If and is_main_test(module, it.test) and any(one.at[0] <= offset < one.at[1] for one in it.then)
        for it in module.program.body)


def _is_marked(module: Module) -> bool:
    """Whether the mark of the module leaves out all of its tests: what stands at its top level runs all the same."""
    return any(type(s) is p.Let and type(s.target) is p.Name and s.target.id == "pytestmark" and s.value is not None
               and _MARKS.search(module.source.slice(s.value.at)) for s in module.program.body)


def _is_argument_of_skip(module: Module, function: Any) -> bool:
    argument = module.parent(function)
    call = module.parent(argument) if type(argument) is p.Argument else None
    return type(call) is p.Call and _LEFT_OUT.match(module.source.slice(call.callee.at)) is not None
