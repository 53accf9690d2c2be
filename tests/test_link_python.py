"""What Python imports mean: small projects, in which every line that must be reported says so.

A case is one text; ``--- path`` starts a file. Everything that carries no mark must stay silent.
"""

from __future__ import annotations

import ast
import re
import time

import pytest

from connlint.checks.symbols import faults
from connlint.languages.edits import applied
from connlint.languages.python.imports import read_imports
from connlint.languages.python.outline import outline, scan, scan_imports
from connlint.languages.python.syntax import parse
from connlint.model.source import Source
from connlint.project.answer import Found, Missing, Unknown
from connlint.project.linker import ImportUse
from connlint.project.python_modules import PythonLinker
from connlint.project.python_roots import read_roots
from connlint.project.tree import MemoryTree
from projects import disagreements


def test_a_name_that_something_far_away_has_as_well_is_not_taken_from_there():
    tree = MemoryTree({
        "apps/ops/__init__.py": "", "apps/ops/models.py": "Job = 1\n", "apps/ops/base.py": "Plan = 1\n",
        "apps/terminal/__init__.py": "", "apps/terminal/models.py": "Task = 1\n", "apps/manage.py": "",
    })
    text = b"from ops.models import Plan, Task\n"
    plan, task = faults(PythonLinker(tree), "apps/ops/views.py", text)
    assert plan.fix is not None and plan.slots["hint"] == "; apps/ops/base.py defines it"
    assert task.fix is None and task.slots["hint"] == "; apps/terminal/models.py defines it"


def test_a_folder_without_init_is_part_of_the_package_around_it():
    """Even where the package holds a ``setup.py`` of its own: `shop` is what stands around the importing file."""
    tree = MemoryTree({
        "back/shop/__init__.py": "", "back/shop/setup.py": "", "back/shop/prices.py": "VAT = 1\n",
        "back/shop/web/api/__init__.py": "", "back/shop/web/api/main.py": "", "back/requirements.txt": "flask\n",
    })
    (draft,) = faults(PythonLinker(tree), "back/shop/web/api/main.py", b"from shop.prices import VAT, RATE\n")
    assert draft.slots["name"] == "RATE"


def test_a_folder_inside_a_package_is_not_taken_for_one_of_the_same_name_elsewhere():
    """What a launcher puts on the path is a template of the package, not the package's own folder."""
    tree = MemoryTree({
        "game/__init__.py": "", "game/kinds/__init__.py": "", "game/contrib/__init__.py": "",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["game"]\n',
        "game/template/kinds/__init__.py": "", "game/template/kinds/rooms.py": "",
    })
    text = b"from kinds import rooms\nfrom game.kinds import exits\n"
    (draft,) = faults(PythonLinker(tree), "game/contrib/maps.py", text)
    assert draft.slots["name"] == "exits"


UNKNOWN = [
    ("import os\nimport requests\nfrom shop import prices\n", 0),
    ("from shop import prices\nimport redis\n", 0),  # required, although a folder is called so
    ("from . import local_settings\nfrom .api_pb2 import Order\nfrom shop import gone\n", 1),
    ("import tables\n", 1),
    ("from ... import above\nimport tables\n", 2),
]


@pytest.mark.parametrize(("text", "number"), UNKNOWN)
def test_imports_that_lead_nobody_knows_where_are_counted(text, number):
    linker = PythonLinker(MemoryTree({
        "shop/__init__.py": "", "shop/prices.py": "", "shop/main.py": text, "redis/lock.py": "", "bin/tables/x.py": "",
        "requirements.txt": "redis\nrequests\n",
    }))
    linker.imports("shop/main.py", text.encode())
    assert linker.unknown == number


ONLY = frozenset({"missing-symbol", "missing-module"})


def files(text: str) -> dict[str, str]:
    """The project that a case spells out."""
    parts = re.split(r"^--- (\S+)\n", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def cases(text: str) -> list:
    """``=== title`` starts a case."""
    parts = re.split(r"^=== (.+)\n", text, flags=re.M)[1:]
    return [pytest.param(files(body), id=title) for title, body in zip(parts[::2], parts[1::2], strict=True)]


NAMES = cases('''
=== what binds a name at the top level
--- shop/__init__.py
--- shop/names.py
import os, sys as system, a.b.c, d.e as f
from g import h as i
from g import (
    k,  # the first
    l as m,
)
def function(): inner = 1
async def coroutine(): pass
class Class: member = 1
one = two = 1
(three, [four, *five]) = six[0] = range(9)
seven: int = 7
eight: int
for nine, ten in (): eleven = 11
else: twelve = 12
while (thirteen := 0): fourteen = 14
with open("x") as fifteen, open("y") as (sixteen, seventeen): eighteen = 18
try: nineteen = 19
except ValueError as twenty: twentyone = 21
else: twentytwo = 22
finally: twentythree = 23
if one: thirty = 1
elif two: thirtyone = 1
else: thirtytwo = 1
match one:
    case [x1, *x2]: x3 = 1
    case {"k": x4, **x5}: pass
    case Class(member=x6) as x7: pass
def setter():
    global made
    made = 1
print([y := 1, (hidden for hidden in ())])
one += 1
--- shop/use.py
from .names import os, system, a, f, i, k, m, function, coroutine, Class, one, two, three, four, five
from .names import seven, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen, eighteen
from .names import nineteen, twenty, twentyone, twentytwo, twentythree, thirty, thirtyone, thirtytwo
from .names import x1, x2, x3, x4, x5, x6, x7, made, y
from .names import __name__, __file__, __doc__, __spec__
from .names import sys  # want missing-symbol
from .names import (
    h,  # want missing-symbol
    b as c,  # want missing-symbol
)
from .names import l, inner, member  # want missing-symbol
from .names import six  # want missing-symbol
from .names import eight  # want missing-symbol
from .names import hidden  # want missing-symbol
=== a name that stands in a docstring or comment is not defined, an import that stands there is none
--- a.py
"""
Use it so:

    from b import nothing

class Shown: ...
"""
x = """
from b import nothing
"""
--- b.py
"""
    def gone(): ...
"""
# gone = 1
kept = 1
--- c.py
from b import gone, kept  # want missing-symbol
=== names for type checkers do not exist when the program runs
--- pkg/__init__.py
--- pkg/types.py
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from pkg.base import Base
else:
    Other = 1
if not TYPE_CHECKING:
    Third = 1
--- pkg/base.py
class Base: pass
--- pkg/use.py
from __future__ import annotations
import typing
from pkg.types import Other, Third
if typing.TYPE_CHECKING:
    from pkg.types import Base
    from pkg.gone import Gone
from pkg.types import Base  # want missing-symbol
=== packages offer their submodules
--- pkg/__init__.py
from .inner import shown
--- pkg/inner.py
shown = 1
--- pkg/plain/leaf.py
--- pkg/data/readme.txt
--- main.py
from pkg import inner, shown, plain, data, hidden  # want missing-symbol
from pkg.plain import leaf, left  # want missing-symbol
import pkg.inner
import pkg.outer  # want missing-module
=== star imports bring __all__, or what has no underscore
--- pkg/__init__.py
from .listed import *
from .plain import *
--- pkg/listed.py
__all__ = ["a"] + []
__all__ = ["a", "_b"]
__all__ += ["c"]
__all__.append("d")
__all__.extend(("e", "f"))
a = _b = c = d = e = f = g = 1
--- pkg/plain.py
from .deep import *
p = _q = 1
--- pkg/deep.py
r = 1
--- main.py
from pkg import a, _b, c, d, e, f, p, r
from pkg import g  # want missing-symbol
from pkg import _q  # want missing-symbol
=== any name may exist
--- with_getattr.py
def __getattr__(name): return name
--- with_globals.py
for n in "abc": globals()[n] = 1
--- with_vars.py
vars().update(x=1)
--- with_exec.py
exec("x = 1")
--- with_setattr.py
import sys
setattr(sys.modules[__name__], "x", 1)
--- with_replacement.py
import sys
sys.modules[__name__] = object()
--- with_class.py
import sys, types
class M(types.ModuleType): pass
sys.modules[__name__].__class__ = M
--- with_star.py
from installed import *
--- with_computed_all.py
from inner import *
--- inner.py
import outside
__all__ = outside.names + ["a"]
--- with_lazy_loader.py
import lazy_loader as lazy
__getattr__, __dir__, __all__ = lazy.attach(__name__, submodules=["x"])
--- with_error.py
def broken(:
--- with_stub.py
--- with_stub.pyi
x: int
--- compiled.pyx
--- made_pb2.py
--- fast.cpython-311-x86_64-linux-gnu.so
--- main.py
from with_getattr import x1
from with_globals import x2
from with_vars import x3
from with_exec import x4
from with_setattr import x5
from with_replacement import x6
from with_class import x7
from with_star import x8
from with_computed_all import x9
from with_lazy_loader import x10
from with_error import x11
from with_stub import x12
from compiled import x13
from made_pb2 import x14
from fast import x15
=== looking something up makes no name
--- a.py
import sys
exec("x = 1", {})
loaded = "json" in sys.modules
main = sys.modules.get("__main__")
class Lazy:
    def __getattr__(self, name): return name
--- main.py
from a import loaded, main, x  # want missing-symbol
=== a package asks itself
--- pkg/__init__.py
from . import inner, outer  # want missing-symbol
from . import inner as alias
--- pkg/inner.py
--- main.py
from pkg import alias, inner
from pkg import outer  # want missing-symbol
=== what a test puts on a module is there for a test only
--- a.py
--- test_a.py
from unittest import mock
import a
def test(monkeypatch):
    monkeypatch.setattr(a, "x", 1, raising=False)
    a.x()
--- b.py
from a import y  # want missing-symbol
=== a name that another file sets on the module
--- settings.py
--- start.py
import settings
settings.DEBUG = True
--- main.py
from settings import DEBUG
from settings import OTHER  # want missing-symbol
''')

EXCUSES = cases('''
=== failures that the code expects
--- a.py
--- b.py
import contextlib, os, platform, sys
from contextlib import suppress
from unittest import mock
import pytest
try:
    from a import x1
except ImportError:
    x1 = None
try:
    from a import x2
except (ValueError, builtins.ModuleNotFoundError):
    from a import x3
try:
    import a.x4
except:
    pass
try:
    from a import x5
except Exception as e:
    pass
with suppress(ImportError):
    from a import x6
with contextlib.suppress(ModuleNotFoundError, ValueError):
    from a import x7
with pytest.raises(ImportError):
    from a import x8
if sys.version_info >= (3, 12):
    from a import x9
else:
    from a import x10
if installed.version_info < (2, 0):
    from a import x9a
if installed.__version__.startswith("1."):
    from a import x9b
if sys.platform == "win32":
    from a import x11
if os.name == "nt":
    from a import x12
if platform.system() == "Darwin":
    from a import x13
if False:
    from a import x14
def never():
    return
    from a import x15
from a import x16  # type: ignore
from a import x17  # pylint: disable=no-name-in-module
from a import (
    x18,  # pyright: ignore
)
if hasattr(os, "fork"):
    from a import x19
=== failures that it does not expect
--- a.py
--- b.py
try:
    pass
except ImportError:
    pass
else:
    from a import x1  # want missing-symbol
finally:
    from a import x2  # want missing-symbol
try:
    from a import x3  # want missing-symbol
except ValueError:
    from a import x4  # want missing-symbol
def later():
    from a import x5  # want missing-symbol
class Class:
    from a import x6  # want missing-symbol
if later():
    from a import x7  # want missing-symbol
=== comments that quiet another checker for the whole file
--- a.py
--- b.py
# pylint: disable=no-name-in-module
from a import x
--- c.py
# mypy: ignore-errors
from a import x
--- d.py
# pylint: disable=line-too-long
from a import x  # want missing-symbol
=== nothing runs after the end
--- a.py
--- test_a.py
import pytest
if True:
    pytest.skip("not here", allow_module_level=True)
    from a import x1
raise SystemExit
from a import x2
=== modules that a program or a conftest puts in, and that no file is
--- setup.cfg
[metadata]
name = pkg
--- pkg/__init__.py
--- conftest.py
import sys
sys.modules["pkg.faked"] = object()
--- tests/test_it.py
from pkg.faked import x
from pkg.gone import y  # want missing-module
import sys
sys.modules.setdefault("pkg.gone", object())
=== modules that a test puts in
--- a.py
--- test_a.py
import sys
from a import x1  # want missing-symbol
sys.modules["b"] = object()
from a import x2
def test(monkeypatch):
    monkeypatch.setitem(sys.modules, "a", object())
    from a import x3
=== code that is data
--- a.py
--- tests/fixtures/b.py
from a import x
--- {{cookiecutter.name}}/c.py
from .gone import x
--- tests/data/d.py
from .gone import x
''')

ROOTS = cases('''
=== relative imports
--- pkg/__init__.py
--- pkg/a.py
from . import b, c  # want missing-symbol
from .b import x
from .b.d import y  # want missing-module
from .gone import z  # want missing-module
from ..other import w  # want missing-module
from .. import pkg, nothing  # want missing-symbol
from ...above import v
import pkg.gone  # want missing-module
--- pkg/b.py
x = 1
=== a script finds what lies beside it
--- scripts/__main__.py
from cli import main, gone  # want missing-symbol
import requests
import helpers.tools
--- scripts/cli.py
main = 1
--- scripts/helpers/tools.py
=== a folder used as a package is no root
--- app/main.py
from .db import connect
from redis import Redis
import docker
docker.from_env()
--- app/db.py
def connect(): pass
--- app/redis.py
--- docker/build.py
=== the name of an installed package, declared
--- requirements.txt
Docker-py>=4 ; python_version > "3"
redis[hiredis]==5.0
--- redis/__init__.py
--- docker/__init__.py
--- celery/__init__.py
--- main.py
from redis import Redis
from docker import from_env
from celery import Celery  # want missing-symbol
=== an installed package of the same name, which the project does not declare
--- redis.py
--- agents/__init__.py
--- agents/mcp/__init__.py
--- apps/bot/requirements.txt
openai-agents
--- apps/bot/main.py
from agents import Agent
import agents.tools
--- services/telegram.py
from telegram.ext import Application
--- services/__init__.py
--- services/start.py
import telegram
import telegram.error
telegram.Bot
=== the standard library
--- platform/__init__.py
--- queue.py
--- main.py
from platform import system
from queue import Queue, gone
=== namespace packages over several roots
--- one/pyproject.toml
[project]
name = "acme-one"
[tool.setuptools]
package-dir = {"" = "src"}
--- one/src/acme/one/__init__.py
x = 1
--- one/src/acme/one/use.py
from acme.two import y
from acme.one import x
from acme.two import gone  # want missing-symbol
from acme.three import z  # want missing-module
--- two/pyproject.toml
[tool.poetry]
name = "acme-two"
packages = [{ include = "acme", from = "lib" }]
--- two/lib/acme/two.py
y = 1
=== a package inside a namespace does not shadow the installed one of its name
--- plugins/google/pyproject.toml
[project]
name = "acme-plugins-google"
--- plugins/google/acme/plugins/google/__init__.py
from .stt import STT
--- plugins/google/acme/plugins/google/stt.py
import google.auth
from google.cloud import speech
from openai import OpenAI
from acme.plugins.google import STT, TTS  # want missing-symbol
class STT: pass
--- plugins/google/acme/plugins/openai/__init__.py
=== folders of tests that are called like a package hide nothing of it
--- app/pyproject.toml
[project]
name = "words"
--- app/src/words/__init__.py
--- app/src/words/util/__init__.py
--- app/src/words/util/url.py
def fix(): ...
--- app/tests/words/util/url/test_fix.py
from words.util.url import fix, gone  # want missing-symbol
from words.util import url, test_text
import words.util.url
words.util.url.fix()
--- app/tests/words/util/test_text.py
from words.util import url, more  # want missing-symbol
from words.util.ready import prepared
--- app/tests/words/util/ready.py
prepared = 1
=== nor where nothing says that the package stands at a root
--- app/source/python/words/__init__.py
--- app/source/python/words/util/url.py
def fix(): ...
--- app/tests/python/words/util/url/__init__.py
--- app/tests/python/words/util/url/test_fix.py
from words.util.url import fix
from words.util.url.ready import prepared, gone  # want missing-symbol
--- app/tests/python/words/util/url/ready.py
prepared = 1
=== folders of projects are called like the packages in them
--- acme/types/pyproject.toml
[project]
name = "acme-types"
--- acme/types/acme/types/__init__.py
Item = 1
--- acme/types/acme/types/core.py
x = 1
from acme.types import Item, Items  # want missing-symbol
--- acme/api/pyproject.toml
[project]
name = "acme-api"
dependencies = ["acme-types"]
--- acme/api/acme/api/__init__.py
--- acme/api/acme/api/app.py
from acme.types import core, Item
from acme.types.core import x
import acme.types
acme.types.Item
--- acme/api/tests/test_app.py
from acme.types import core
from acme.api import app, apps  # want missing-symbol
from acme.api.app import Item, gone  # want missing-symbol
=== the folder of a project is no package, what is in it may be
--- backend/pyproject.toml
[project]
name = "shop"
--- backend/models.py
x = 1
--- backend/main.py
from backend.models import x
--- frontend/models.py
--- tests/test_all.py
from backend import models, shop
from frontend import models, shop  # want missing-symbol
from frontend.models import gone  # want missing-symbol
--- tests/test_more.py
from frontend import models
from frontend.models import gone  # want missing-symbol
=== portions of a namespace are one
--- one/setup.py
--- one/acme/plugins/here.py
x = 1
--- one/acme/plugins/use.py
from acme.plugins import here, there
from acme.plugins import nowhere  # want missing-symbol
from acme.plugins.here import x
from . import here, there
from .there import y
from .nowhere import y  # want missing-module
from . import nowhere  # want missing-symbol
--- two/pyproject.toml
--- two/acme/plugins/there.py
y = 1
=== folders without an __init__.py in projects that are started by themselves
--- a/Dockerfile
--- a/app/models.py
x = 1
--- a/app/main.py
from app.models import x, y  # want missing-symbol
--- a/tests/test_main.py
from app.models import x, y  # want missing-symbol
--- b/Dockerfile
--- b/app/models.py
x = y = 1
--- b/app/main.py
from app.models import x, y, z  # want missing-symbol
=== src layout
--- pyproject.toml
[project]
name = "acme"
--- src/acme/__init__.py
--- src/acme/core.py
x = 1
--- tests/test_core.py
from acme.core import x, y  # want missing-symbol
from acme.cores import x  # want missing-module
=== a path that a Dockerfile or pytest puts on sys.path
--- backend/Dockerfile
FROM python:3.12
ENV PYTHONPATH=/app/source
--- backend/source/acme/__init__.py
--- backend/tests/test_it.py
from acme import gone  # want missing-symbol
--- tools/pytest.ini
[pytest]
pythonpath = lib
--- tools/lib/other.py
--- tools/tests/test_it.py
from other import gone  # want missing-symbol
=== a file that changes sys.path finds things elsewhere, and nothing is judged
--- lib/acme.py
--- scripts/run.py
import sys
sys.path.insert(0, "../lib")
from acme import gone
=== what every module has as an object, and a folder without a file of its own
--- pkg/__init__.py
--- pkg/parts/one.py
one = 1
--- use.py
import pkg
import pkg.parts as parts
from pkg.parts import __path__, __name__
from pkg.parts import __file__  # want missing-symbol
print(pkg.__dir__(), pkg.__hash__(), parts.__path__, parts.__doc__)
print(pkg.__call__())  # want missing-symbol
=== packages that extend themselves
--- pkg/__init__.py
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
--- pkg/a.py
from pkg import b, c
from pkg.d import e
from .f import g
=== generated and ignored modules
--- pkg/__init__.py
--- pkg/a.py
from ._version import version
from .api_pb2 import Request
from . import api_pb2_grpc, _version
from ._speedups import fast
--- setup.py
from setuptools import Extension, setup
setup(name="pkg", ext_modules=[Extension("pkg._speedups", ["pkg/_speedups.c"])])
=== modules that a build compiles, and others
--- setup.py
from setuptools import Extension, setup
NAME = "pkg"
setup(name=NAME, ext_modules=[Extension(f"{NAME}._core", ["src/core.c"])])
--- pkg/__init__.py
from ._core import dot
from ._missing import also_unknown
from .speed.fast import run
from .plain import x  # want missing-module
--- pkg/speed/__init__.py
--- native/speed/fast.rs
=== an ignore file names it, and a linter's settings do not
--- .gitignore
pkg/local.py
--- pyproject.toml
[tool.ruff.lint.per-file-ignores]
"pkg/gone.py" = ["F401"]
--- pkg/__init__.py
from .local import x
from .gone import x  # want missing-module
=== installed packages in the repository
--- venv/lib/python3.11/site-packages/installed/__init__.py
--- main.py
from installed import anything
=== manage.py stands beside the packages
--- backend/manage.py
--- backend/shop/__init__.py
--- backend/shop/models.py
class Order: pass
--- backend/cart/__init__.py
--- backend/cart/views.py
from shop.models import Order, Orders  # want missing-symbol
from shop.model import Order  # want missing-module
import cart.models  # want missing-module
''')

MEMBERS = cases('''
=== members of modules
--- pkg/__init__.py
from .a import x
--- pkg/a.py
x = 1
--- pkg/sub/__init__.py
--- pkg/sub/deep.py
z = 1
--- use.py
import pkg
import pkg.a as alias
import pkg.sub.deep
from pkg import a, sub
from pkg import x
def f():
    alias.x, a.x, pkg.a, pkg.x, pkg.sub.deep.z, pkg.sub
    x.anything
    alias.y  # want missing-symbol
    a.y  # want missing-symbol
    pkg.y  # want missing-symbol
    pkg.sub.deep.y  # want missing-symbol
    sub.gone()  # want missing-symbol
    self.a.y
    "a.y"
=== the package gives the module's name to something else
--- pkg/__init__.py
from .config import config
--- pkg/config.py
class Config: url = ""
config = Config()
--- use.py
import pkg.config as config
from pkg import config as other
config.url
other.url
=== the module is probed, or its name means something else
--- a.py
--- b.py
--- c.py
--- d.py
--- e.py
--- use.py
import a, b, c, d, e
if hasattr(a, "x"):
    a.x()
def f(b):
    b.x()
c.x = 1
c.x()
try:
    d.x()
except AttributeError:
    pass
e.y()  # type: ignore[attr-defined]
''')

NEW_SYNTAX = cases('''
=== syntax that is newer than the interpreter
--- pkg/__init__.py
--- pkg/generic.py
type Pair[T] = tuple[T, T]
class Box[T: (int, str),
          *Ts]:
    pass
def first[T](items: list[T]) -> T:
    return f"{items["a"]}" f"{
        items
    }"
try:
    pass
except ValueError, TypeError:
    pass
last = 1
--- pkg/use.py
from pkg.generic import Box, Pair, first, last
from pkg.generic import gone  # want missing-symbol
type Mine = int
def f[T](x: T):
    text = f"{x["a"]}"
    from pkg import nothing  # want missing-symbol
lazy from pkg.generic import never  # want missing-symbol
''')


EDITS = cases('''
=== the name that was meant
--- pkg/__init__.py
--- pkg/a.py
def get_pool(): pass
--- pkg/b.py
from .a import get_pol, get_pool as p
from . import a
a.get_pol()
--- pkg/b.py.fixed
from .a import get_pool as get_pol, get_pool as p
from . import a
a.get_pool()
=== the module that has it
--- pkg/__init__.py
--- pkg/a.py
kept = 1
--- pkg/sub/__init__.py
--- pkg/sub/c.py
class Moved: pass
class Other: pass
--- pkg/b.py
from .a import Moved
def f():
    from pkg.a import kept, Other as o
--- pkg/b.py.fixed
from .sub.c import Moved
def f():
    from pkg.sub.c import Other as o
    from pkg.a import kept
=== one line of a list
--- pkg/__init__.py
--- pkg/a.py
kept = 1
--- pkg/c.py
class Moved: pass
--- pkg/b.py
from .a import (
    kept,  # stays
    Moved,  # goes
)
--- pkg/b.py.fixed
from .c import Moved
from .a import (
    kept,  # stays
)
=== the module that was meant
--- pkg/__init__.py
--- pkg/databases.py
x = 1
--- pkg/b.py
from .database import x
import pkg.database
--- pkg/b.py.fixed
from .databases import x
import pkg.database
=== nothing is offered where more than one module has it, or the names are not alike
--- pkg/__init__.py
--- pkg/a.py
kept = 1
--- pkg/c.py
Moved = 1
--- pkg/d.py
Moved = 1
--- pkg/b.py
from .a import Moved, unlike
--- pkg/b.py.fixed
from .a import Moved, unlike
''')


@pytest.mark.parametrize("project", EDITS)
def test_edits(project):
    [(path, want)] = [(p.removesuffix(".fixed"), text) for p, text in project.items() if p.endswith(".fixed")]
    data = project[path].encode()
    linker = PythonLinker(MemoryTree({p: text for p, text in project.items() if not p.endswith(".fixed")}))
    fixes = [draft.fix for draft in faults(linker, path, data) if draft.fix is not None]
    assert not any(fix.safe for fix in fixes), "another name may do something else"
    edits = [edit for fix in fixes for edit in fix.edits]
    assert applied(Source.decode(path, data), edits).decode() == want


@pytest.mark.parametrize("project", [*NAMES, *EXCUSES, *ROOTS, *MEMBERS, *NEW_SYNTAX])
def test_reported_as_marked(project):
    assert disagreements(project, ONLY) == []


LAYOUTS = {
    "setuptools": '[tool.setuptools]\npackage-dir = {"" = "lib"}',
    "setuptools find": '[tool.setuptools.packages.find]\nwhere = ["lib"]',
    "poetry": '[tool.poetry]\npackages = [{include = "x", from = "lib"}]',
    "hatch packages": '[tool.hatch.build.targets.wheel]\npackages = ["lib/x"]',
    "hatch sources": '[tool.hatch.build]\nsources = ["lib"]',
    "hatch mapping": '[tool.hatch.build.targets.wheel.sources]\n"lib" = ""',
    "pdm": '[tool.pdm.build]\npackage-dir = "lib"',
    "uv": '[tool.uv.build-backend]\nmodule-root = "lib"',
    "maturin": '[tool.maturin]\npython-source = "lib"',
    "pytest": '[tool.pytest.ini_options]\npythonpath = "lib"',
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_declared_root(text):
    assert read_roots(MemoryTree({"a/pyproject.toml": text, "a/lib/x.py": ""})).declared == {"a/lib": {"a"}}


def test_dependencies_are_read_under_their_import_names():
    tree = MemoryTree({
        "pyproject.toml": '[project]\nname="own"\ndependencies=["own", "Foo-Bar>1", "x[y]"]\n'
                          '[tool.poetry.group.dev.dependencies]\nten="*"\n'
                          '[dependency-groups]\nd=["eleven", {include-group="x"}]',
        "requirements/base.txt": "one==1\n-r other.txt\n# no\ngit+https://example.com/r.git#egg=two\n",
        "Pipfile": '[packages]\nthree = "*"\n', "poetry.lock": '[[package]]\nname = "python-four"\n',
        "setup.cfg": "[options]\ninstall_requires =\n    five>=1\n", "environment.yml": "dependencies:\n  - six=1\n",
        "setup.py": 'setup(name="seven", install_requires=["eight>=1", "seven"])', "broken/pyproject.toml": "[",
    })
    installed = read_roots(tree).installed
    assert {"foo_bar", "x", "one", "two", "three", "four", "five", "six", "eight", "ten", "eleven"} <= installed
    assert not {"own", "seven", "no", "other"} & installed


MEANT = [
    ("from a import log_to_ndjsn", "log_to_ndjson", ()),
    ("from a import elsewhere", None, ("b.py",)),
    ("from a import nowhere", None, ()),
]


@pytest.mark.parametrize(("statement", "near", "tried"), MEANT)
def test_missing_says_what_was_meant_and_who_defines_it(statement, near, tried):
    tree = MemoryTree({"a.py": "def log_to_ndjson(): pass\n", "b.py": "elsewhere = 1\n", "c.py": statement})
    linker = PythonLinker(tree)
    [use] = linker.imports("c.py", statement.encode())
    answer = linker.lookup("c.py", use, use.names[0].name)
    assert isinstance(answer, Missing) and (answer.near, answer.tried) == (near, tried)


def test_found_is_the_file_that_defines_the_name():
    linker = PythonLinker(MemoryTree({
        "pkg/__init__.py": "from .api import *\nfrom .inner import thing as other\n",
        "pkg/api.py": "from .inner import thing\n", "pkg/inner.py": "def thing(): pass\n",
        "pkg/leaf.py": "", "main.py": "",
    }))
    for name, path in {"thing": "pkg/inner.py", "other": "pkg/inner.py", "leaf": "pkg/leaf.py"}.items():
        use = ImportUse("pkg", (0, 0), ())
        assert linker.lookup("main.py", use, name) == Found(path)
    assert linker.resolve("main.py", "pkg.leaf") == Found("pkg/leaf.py")
    assert isinstance(linker.resolve("main.py", "requests.adapters"), Unknown)


WHERE = {
    ("pyproject.toml", "scripts/all.py"): "lib/words/core.py",  # what is installed goes before a bare folder
    ("scripts/Dockerfile", "scripts/all.py"): "scripts/words/core.py",  # a project of its own
    ("pyproject.toml", "tests/test_core.py"): "lib/words/core.py",
}


@pytest.mark.parametrize(("also", "path"), WHERE)
def test_the_first_package_goes_before_folders(also, path):
    files = {
        "setup.cfg": "[options.packages.find]\nwhere = lib\n", "lib/words/__init__.py": "", "lib/words/core.py": "",
        "scripts/words/core.py": "", "tests/words/core/test_x.py": "", also: "",
    }
    assert PythonLinker(MemoryTree(files)).resolve(path, "words.core") == Found(WHERE[also, path])


SYNTAX = [
    b"class A[T,\n   U = int](B): pass\nx = 1\n",
    b"type X[\n T] = int\nx = 1\n",
    "\ufeffdef f[T](): pass\ny = 'ä' + f\"{x[\"ö\"]}\"; x = 1\n".encode(),
    b'x = f"{\n  y["a"]}" + t"{z}"\r\nx = 1\r\n',
    b'names = ["t"]\ny = t"a {b}" t"c"\nx = rt"{z}" "d"\r\n',
    b"try: pass\nexcept A, B, C: pass\nx = 1\n",
    b"lazy import a\nlazy from b import c\nx = 1\n",
]


@pytest.mark.parametrize("data", SYNTAX)
def test_newer_syntax_keeps_every_line_and_column(data):
    tree = parse(data)
    assert tree is not None
    last = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)][-1]
    assert last.lineno == len(data.splitlines()) and "x" in outline(tree).names


def test_a_string_beside_a_template_keeps_its_text():
    assert b"'t'" in ast.unparse(parse(b'__all__ = ["t"]\ny = t"a {b}" t"c"\n')).encode()


ANYTHING = [b"", b"\0", b"\xff\xfe", b"x = (", b"import", b"from . import", b"from x import (a, b", b"\xef\xbb\xbf"]


@pytest.mark.parametrize("data", ANYTHING)
def test_anything_can_be_read(data):
    lines = scan_imports(data)
    scan(data, lines)
    tree = parse(data)
    if tree is not None:
        read_imports(tree, data)
        outline(tree)


HOSTILE = [
    b"from x import (\n" + b"# comment\n" * 60,
    b"from x import (\n" * 20_000,
    b"from x import (#)\n" * 20_000,
    b"import " * 50_000,
    b"x import y; " * 20_000,
    b"class A[" * 5_000,
    b"from " + b"." * 50_000,
    b"x = " + b"(" * 5_000,
    b"if x:\n  pass\n" + b"elif x:\n  pass\n" * 3_000 + b"from . import gone\n",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_takes_no_time(data):
    start = time.process_time()
    linker = PythonLinker(MemoryTree({"pkg/__init__.py": data, "pkg/a.py": b"from . import x\n" + data}))
    for path in ("pkg/__init__.py", "pkg/a.py"):
        list(faults(linker, path, linker.files.read(path)))
    assert time.process_time() - start < 10


def test_lines_and_tree_agree_on_where_imports_stand():
    data = ("\ufeffimport a, b.c as d; from e import f\nif x:\n    from .g import (h,  # h\n        ü as j,\n    )\n"
            "from k import l, \\\n    m\nfrom . import n\nfrom ..o.p import *\n").encode()
    tree = parse(data)
    assert tree is not None
    exact = {(i.module, n[0], n[2][0]) for i in read_imports(tree, data).imports for n in i.names}
    lines = {(line.module, name, at) for line in scan_imports(data) for name, _, at in line.names}
    assert lines - {("..o.p", "*", data.index(b"*"))} == {e for e in exact if e[1] != "*"}
    assert {i.module for i in read_imports(tree, data).imports} == {line.module for line in scan_imports(data)}
