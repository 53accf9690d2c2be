"""Regular expressions that wait to be compiled are right ones, and behave like compiled ones."""

import pkgutil
import re
import subprocess
import sys

import connlint
from connlint.patterns import regex


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
