"""Regular expressions that wait to be compiled are right ones, and behave like compiled ones."""

import pkgutil
import re
import subprocess
import sys

import connlint
from connlint.patterns import Led, Words, lines_with, regex


def test_every_pattern_of_a_module_compiles() -> None:
    names = [module.name for module in pkgutil.walk_packages(connlint.__path__, "connlint.")
             if "__main__" not in module.name]
    script = (f"import re, importlib, connlint.patterns as patterns\npatterns.regex = re.compile\n"
              f"for name in {names!r}: importlib.import_module(name)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_waiting_pattern_is_like_a_compiled_one() -> None:
    waiting, compiled = regex(rb"(a)(b)?", re.IGNORECASE), re.compile(rb"(a)(b)?", re.IGNORECASE)
    for name in ("match", "search", "fullmatch", "findall", "split"):
        one, other = getattr(waiting, name)(b"xAbab"), getattr(compiled, name)(b"xAbab")
        assert getattr(one, "span", lambda one=one: one)() == getattr(other, "span", lambda other=other: other)()
    assert waiting.sub(rb"\1", b"xAbab") == compiled.sub(rb"\1", b"xAbab")
    assert (waiting.pattern, waiting.flags) == (compiled.pattern, compiled.flags)


def test_a_led_pattern_finds_what_it_finds_alone() -> None:
    text = rb"\b(?:env|getenv)\(?(\w+)\)?|onfig\.\w+"
    led = Led((b"env", b"getenv", b"onfig"), text)
    for data in (b"", b"env", b"getenv(A) env(B)", b"xenv(A) getenv(getenv) Config.a onfig.b", b"env(A" * 100_000):
        assert [m.span() for m in led.finditer(data)] == [m.span() for m in re.finditer(text, data)]
        first = re.search(text, data)
        assert getattr(led.search(data), "span", lambda: None)() == getattr(first, "span", lambda: None)()


def test_texts_that_hold_a_word() -> None:
    texts = [("a", b"one two"), ("b", b"two"), ("c", b"-" * 300_000 + b"one"), ("d", b"")]
    assert list(Words([b"one"]).held_by(texts)) == ["a", "c"]
    assert Words([b"aba", b"ab"]).places(b"ababa") == [0, 2]


def test_lines_that_hold_a_word_are_given_once_each():
    data = b"one two\nthree\n two two \nfour\ntwo"
    assert list(lines_with(re.compile(b"two"), data)) == [b"one two", b" two two ", b"two"]
    assert list(lines_with(re.compile(b"five"), data)) == []
