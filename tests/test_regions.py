"""What a file's text shows of its functions, and the search by names that rests on it."""

from __future__ import annotations

import pytest

from connlint.languages.javascript.regions import regions as javascript
from connlint.languages.python.regions import regions as python


def around(found, data, word):
    """The names of the innermost region around ``word``; None at the top level."""
    at = data.index(word)
    holding = [region for region in found if region.start <= at < region.end]
    return holding[-1].names if holding else None


@pytest.mark.parametrize(("text", "names"), [
    (b"HERE()", None),
    (b"def f():\n    HERE()", ("f",)),
    (b"def f(\n    a=HERE(),\n):\n    pass", None),
    (b"@HERE()\ndef f():\n    pass", None),
    (b"class A:\n    x = HERE()", None),
    (b"class A:\n    def __init__(self):\n        HERE()", ("A",)),
    (b"class A:\n    async def m(self):\n        HERE()", ("m",)),
    (b"class A:\n    def m(self):\n        pass\n    x = HERE()", None),
    (b"def f():\n    def g():\n        pass\n    HERE()", ("f",)),
    (b"def f():\n    def g():\n        HERE()", ("g",)),
    (b"if x:\n    def f():\n        pass\n    HERE()", None),
    (b"def f():\n    pass\n\nHERE()", None),
    (b"def f():\n    x = [\n]\n    HERE()", ("f",)),
    (b"classes = HERE()", None),
])
def test_python(text, names):
    assert around(python(text), text, b"HERE") == names


@pytest.mark.parametrize(("text", "names"), [
    (b"HERE()", None),
    (b"function f() { HERE() }", ("f",)),
    (b"const f = async () => { HERE() }", ("f",)),
    (b"exports.f = function () { HERE() }", ("f",)),
    (b"const o = { f() { HERE() } }", ("f",)),
    (b"const o = { f: () => HERE() }", ("f",)),
    (b"(() => { HERE() })()", None),
    (b"(async function () { HERE() }).call(this)", None),
    (b"list.forEach((x) => HERE(x))", None),
    (b"const p = new Promise((resolve) => { HERE() })", None),
    (b"app.get('/', () => HERE())", ()),
    (b"const get = once(() => HERE())", ("get",)),
    (b"class A { constructor() { HERE() } }", ("A",)),
    (b"const A = class { x = HERE() }", ("A",)),
    (b"class A { static x = HERE() }", None),
    (b"class A { get pool() { return HERE() } }", ("pool",)),
    (b"function f(x = HERE()) {}", None),
    (b"export default () => HERE()", ()),
])
def test_javascript(text, names):
    assert around(javascript(text, "tsx"), text, b"HERE") == names


def test_what_else_a_region_says():
    assert [(r.getter, r.owner) for r in javascript(b"class A { get x() { return 1 } y() {} }", "tsx")] == [
        (True, "A"), (False, "A")]
    assert [(r.getter, r.owner) for r in python(b"class A:\n    @property\n    def x(self):\n        return 1\n")] == [
        (True, "A")]
    exported = javascript(b"module.exports = function () {}; const f = () => 1", "tsx")
    assert [r.default for r in exported] == [True, False]
    assert [r.inner for r in python(b"def f():\n    def g():\n        pass\n")] == [False, True]
