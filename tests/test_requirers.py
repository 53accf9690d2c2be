"""Which functions of a project take the place of a default: those that return the variable or stop, and no others."""
# ruff: noqa: E501 - a table of functions, each on one line

from __future__ import annotations

import pytest

from test_fixing import mended

READ = "export const api = process.env.API_URL || 'http://localhost:3000';\n"
CALLED = "export const api = need('API_URL');\n"


def fixed(files, path="src/config.ts"):
    outcome = mended(files, select=("env-localhost-fallback",))
    assert outcome.first.reported, "the rule reports nothing, so that nothing is shown"
    return outcome.after[path].decode()


REQUIRING = {
    "a test and an error": "function need(name: string): string { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "an arrow function": "const need = (name: string): string => { const v = process.env[name]; if (v === undefined || v === '') { throw new Error(`${name} is missing`); } return v; };",
    "an expression that throws": "const need = (name: string) => process.env[name] || (() => { throw new Error(name); })();",
    "the process exits": "function need(name: string) { const v = process.env[name]?.trim(); if (!v) { console.error('no', name); process.exit(1); } return v; }",
    "a way for each": "function need(name: string) { let v = process.env[name]; if (v) { return v.trim(); } else { throw new Error(name); } }",
    "a default that is not given": "function need(name: string, other?: string): string { const v = process.env[name] ?? other; if (!v) throw new Error(name); return v; }",
    "a demand that is the usual one": "function need(name: string, required = true) { const v = process.env[name]; if (!v && required) throw new Error(name); return v as string; }",
    "a reader of the project": "function look(key: string) { return process.env[key]; }\nfunction need(name: string) { const v = look(name); if (typeof v !== 'string' || v.trim() === '') throw new Error(name); return v; }",
    "its own name for the environment": "import { env } from 'node:process';\nfunction need(name: string) { const v = env[name]; if (!v) throw new Error(name); return v; }",
}

OTHERS = {
    "an object made from it": "function need(name: string) { function key() { const v = process.env[name]; if (!v) throw new Error(name); return Buffer.from(v); } return { seal: (text: string) => key() + text }; }",
    "an address made from it": "function need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); return new URL(v); }",
    "a number made from it": "function need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); return Number(v); }",
    "something before it": "function need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); return `https://${v}`; }",
    "a check alone": "function need(name: string) { if (!process.env[name]) throw new Error(name); }",
    "another variable than the one that is named": "function need(name: string) { const v = process.env['APP_' + name]; if (!v) throw new Error(name); return v; }",
    "more than the name": "function need(name: string, where: string) { const v = process.env[name]; if (!v) throw new Error(name + where); return v; }",
    "later": "async function need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "bit by bit": "function* need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "no error in one way": "function need(name: string) { const v = process.env[name]; if (!v && process.env.NODE_ENV === 'production') throw new Error(name); return v as string; }",
    "no error unless asked": "function need(name: string, required = false) { const v = process.env[name]; if (!v && required) throw new Error(name); return v as string; }",
    "a default of its own": "function need(name: string, other = 'none') { const v = process.env[name] || other; if (!v) throw new Error(name); return v; }",
    "no error where it is empty": "function need(name: string) { const v = process.env[name]; if (v === undefined) throw new Error(name); return v; }",
    "an error that is caught": "function need(name: string) { try { const v = process.env[name]; if (!v) throw new Error(name); return v; } catch { return ''; } }",
    "certain texts alone": "function need(name: string) { const v = process.env[name]; if (!v || v.length !== 64) throw new Error(name); return v; }",
    "what another function lets through": "import { check } from 'check';\nfunction need(name: string) { const v = process.env[name]; if (!v) throw new Error(name); check(v); return v; }",
    "certain names alone": "type Known = 'A' | 'B';\nfunction need(name: Known): string { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "said to be nothing at times": "function need(name: string): string | undefined { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "another environment": "function need(name: string, process = { env: {} as Record<string, string> }) { const v = process.env[name]; if (!v) throw new Error(name); return v; }",
    "what was kept": "const kept: Record<string, string> = {};\nfunction need(name: string) { if (kept[name]) return kept[name]; const v = process.env[name]; if (!v) throw new Error(name); return v; }",
}


@pytest.mark.parametrize("function", REQUIRING.values(), ids=REQUIRING)
def test_a_function_that_requires_a_variable_is_called(function):
    assert fixed({"src/config.ts": f"{function}\n{READ}"}) == f"{function}\n{CALLED}"


@pytest.mark.parametrize("function", OTHERS.values(), ids=OTHERS)
def test_another_function_is_not(function):
    assert "API_URL is not set" in fixed({"src/config.ts": f"{function}\n{READ}"}), "it is required, in another way"


NEED = "export function need(name: string): string { const v = process.env[name]; if (!v) throw new Error(name); return v; }\n"
CONFIG = "import { join } from 'node:path';\n" + READ + "export const root = join('a', 'b');\n"
SERVE = "import express from 'express';\nimport { api, root } from './config';\nexpress().get('/', () => fetch(api + root));\n"

PLACES = {
    "beside it": ({"src/env.ts": NEED}, "./env"),
    "in a folder": ({"src/lib/env.ts": NEED}, "./lib/env"),
    "in a test": ({"tests/env.ts": NEED}, None),
    "in another package": ({"packages/a/package.json": "{}", "packages/a/env.ts": NEED}, None),
    "in a file that imports others": ({"src/env.ts": "import { root } from './config';\n" + NEED + "export const at = () => root;\n"}, None),
    "in a file that requires more": ({"src/env.ts": NEED + "export const key = need('KEY');\n"}, None),
    "in a file that takes a package along": ({"src/env.ts": "import 'server-only';\n" + NEED}, None),
    "in a file for the browser": ({"src/env.ts": "'use client';\n" + NEED}, None),
    "not exported": ({"src/env.ts": NEED.removeprefix("export ")}, None),
    "twice": ({"src/env.ts": NEED, "src/other.ts": NEED}, None),
}


@pytest.mark.parametrize(("others", "module"), PLACES.values(), ids=PLACES)
def test_where_it_can_be_imported_from(others, module):
    text = fixed({"package.json": "{}", "src/config.ts": CONFIG, "src/server.ts": SERVE, **others})
    if module is None:
        assert "API_URL is not set" in text and "need" not in text
    else:
        assert f"import {{ need }} from '{module}';\n{CALLED}" in text


def test_a_name_that_means_something_else_where_the_default_stands():
    files = {"src/env.ts": NEED, "src/config.ts": (
        "import { need } from './env';\nexport const key = need('KEY');\n"
        "export function call(need: number) {\n  const api = process.env.API_URL || 'http://localhost:3000';\n  return fetch(api + need);\n}\n")}
    assert "need('API_URL')" not in fixed(files)


def test_python_needs_no_function_for_it():
    files = {"config.py": (
        "import os\n\ndef need(name):\n    value = os.environ.get(name)\n    if not value:\n        raise KeyError(name)\n    return value\n\n"
        "api = os.environ.get('API_URL', 'http://localhost:3000')\n")}
    assert fixed(files, "config.py").endswith("\napi = os.environ['API_URL']\n")
