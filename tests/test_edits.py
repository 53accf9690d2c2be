"""What edits of every language share: a proof that takes a long file's length once, not once an edit."""

from __future__ import annotations

import pytest

from connlint.languages.edits import proved
from connlint.languages.javascript.read import read as read_javascript
from connlint.languages.python.read import read as read_python
from connlint.model import program as p
from connlint.model.finding import Edit, Fix, Place
from connlint.model.source import Source

PYTHON = "".join(f"def task_{n}(first, second):\n    return first.work(second, {n})\n\n\n" for n in range(60))
JAVASCRIPT = "".join(f"function task{n}(first, second) {{\n  return first.work(second, {n})\n}}\n" for n in range(60))


@pytest.mark.parametrize(("path", "text", "read"),
                         [("a.py", PYTHON, read_python), ("a.js", JAVASCRIPT, read_javascript)])
def test_an_edit_is_proved_on_what_stands_around_it(path, text, read):
    seen: list[int] = []

    def counting(source: Source) -> p.Program:
        seen.append(len(source.data))
        return read(source)

    source = Source.decode(path, text.encode())
    for n in range(0, 60, 2):
        at = source.data.index(f", {n})".encode()) + 2
        place = Place(path, (at, at + len(str(n))))
        assert proved(source, Fix("Another number", (Edit(place, "7"),)), counting, keeps=False)
        assert not proved(source, Fix("A loose end", (Edit(place, "("),)), counting, keeps=False)
        assert not proved(source, Fix("A name is gone", (Edit(place, "7"),)), counting) or n == 7
    assert sum(seen) < 20 * len(text)


@pytest.mark.parametrize(("put", "holds"), [("", False), (" ;", True)])
def test_what_reads_on_into_the_next_statement_is_no_proof(put, holds):
    """Without its semicolon, the line above goes on in parentheses: the file says another thing than its parts."""
    text = "".join(f"function g{n}() {{ return {n} }}\n" for n in range(60)) + "const z = f;\n(h)\n"
    source = Source.decode("a.js", text.encode())
    at = source.data.index(b";\n(h)")
    fix = Fix("Another end", (Edit(Place("a.js", (at, at + 1)), put),))
    assert (proved(source, fix, read_javascript) is not None) is holds
