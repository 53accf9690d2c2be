"""What an import of JavaScript or TypeScript means, and which names its module lacks.

A project is a mapping of path to text. `faults` says what is known to be missing, one text a fault: ``path: name``
for a name, ``path: 'specifier'`` for a module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from connlint.project.answer import Found, Missing
from connlint.project.javascript_modules import JavaScriptLinker
from connlint.project.linker import ImportUse
from connlint.project.tree import MemoryTree

CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")


def linker(files: Mapping[str, str], ignored: tuple[str, ...] = ()) -> JavaScriptLinker:
    return JavaScriptLinker(MemoryTree(files, ignored))


def faults(files: Mapping[str, str], ignored: tuple[str, ...] = ()) -> list[str]:
    links, found = linker(files, ignored), []
    for path, text in files.items():
        if path.endswith(CODE):
            for use in links.imports(path, text.encode()):
                if use.excused is None:
                    if isinstance(links.resolve(path, use.module), Missing):
                        found.append(f"{path}: {use.module!r}")
                    names = (n for n in use.names if isinstance(links.lookup(path, use, n.name), Missing))
                    found += [f"{path}: {n.name}" for n in names]
    return found


@pytest.mark.parametrize(("text", "number"), [
    ("import fs from 'node:fs';\nimport React from 'react';\nimport { a } from './a';\n", 0),
    ("import { made } from './generated/client';\nimport '../../above';\nimport './a';\n", 2),
    ("import { nothing } from './a';\nimport { made } from './generated/client';\n", 1),
])
def test_imports_that_lead_nobody_knows_where_are_counted(text, number):
    links = linker({"src/a.ts": "export const a = 1;", "src/main.ts": text})
    links.imports("src/main.ts", text.encode())
    assert links.unknown == number


def missing(files: Mapping[str, str], path: str, module: str, name: str) -> Missing:
    answer = linker(files).lookup(path, ImportUse(module, (0, 0), ()), name)
    assert isinstance(answer, Missing)
    return answer


# -- what a module exports ---------------------------------------------------------------------------------------------

EXPORTS = [
    ("export const a = 1, b = 2; export let { c, d: [e, ...f], g = 1 } = x", "a b c e f g", "d x"),
    ("export function a() {} export async function* b() {} export class c {}", "a b c", "d"),
    ("export abstract class a {}", "a", "b"),
    ("export type a = 1; export interface b {} export enum c {} export const enum d {} export namespace e.f {}",
     "a b c d e", "f"),
    ("export declare const a: number; export declare function b(): void; export import c = X.Y", "a b c", "Y"),
    ("const a = 1, b = 2; export { a, b as c, a as default }", "a c default", "b"),
    ("export default class a {}", "default", "a"),
    ("// export const a = 1\nexport const b = 'export const c = 1'", "b", ""),
    ("export { default as a, b as c } from './other'; export * as d from './other'", "a c d", "b"),
    ("export const a = 1\nexport function over(x: string): void\nexport function over(x: any) {}", "a over", "b"),
    ("exports.a = 1; module.exports.b = 2; exports['c'] = 3; if (x) exports.d = 4", "a b c d", "e"),
    ("module.exports = { a, b: 1, c() {}, 'd': 2, get e() { return 1 } }", "a b c d e default", "f"),
    ("exports = module.exports = { a }; exports.b = 1", "a b", "c"),
    ("module.exports = { ...require('./other'), a }", "a other", "b"),
    ("module.exports = require('./other')", "other", "b"),
    ("const o = require('./other'); module.exports = { ...o, a }", "a other", "b"),
    ("const api = { a }; api.b = () => {}; module.exports = api", "a b", "c"),
    ("Object.defineProperty(exports, '__esModule', { value: true }); exports.a = a", "a", "b"),
    ("Object.assign(module.exports, { a, b: 1 })", "a b", "c"),
    ("__exportStar(require('./other'), exports); exports.a = 1", "a other", "b"),
    ("const api = module.exports = {}; api.a = 1", "a", "b"),
    ("const e = module.exports; e.a = 1", "a", "b"),
    ("exports = { a: 1 }", "", "a"),
    ("export /** what */ function a() {}\nexport /**\n * what\n */\nasync function b() {}", "a b", "c"),
    ("exports.a = 1\nclass K { constructor() { this.b = 1 } }", "a", "b"),
    ("function helper() {}", "", "helper"),
    ("export const a = 1; module.exports = { b }", "a b", "c"),
    ("import x from 'x'; module.exports = { a }", "a", "b"),
    ("const module = 1; export const a = f(module)", "a", "b"),
    ("export const a = 'GENERATED'", "a", "b"),
]


@pytest.mark.parametrize(("text", "there", "not_there"), EXPORTS, ids=lambda v: v[:40])
def test_names_of_a_module(text, there, not_there):
    files = {"m.ts": text, "other.js": "exports.other = 1; exports.default = 2; exports.b = 3" if "* as" in text
             or "default as" in text else "exports.other = 1"}
    links = linker(files)
    use = ImportUse("./m", (0, 0), ())
    assert [n for n in there.split() if not isinstance(links.lookup("x.ts", use, n), Found)] == []
    assert [n for n in not_there.split() if not isinstance(links.lookup("x.ts", use, n), Missing)] == []


@pytest.mark.parametrize("text", [
    "module.exports = make()",
    "module.exports = class {}",
    "module.exports = function () {}; module.exports.a = 1",
    "exports[name] = 1",
    "Object.keys(all).forEach(k => { exports[k] = all[k] })",
    "const e = module.exports; fill(e)",
    "const api = module.exports = {}; fill(api)",
    "extend(module.exports, all)",
    "Object.assign(exports, all)",
    "module.exports = { ...all, a }",
    "module.exports = { [name]: 1 }",
    "this.a = 1; exports.b = 2",
    "exports.a = 1; eval(text)",
    "const api = { a }; fill(api); module.exports = api",
    "(function (root, factory) { if (typeof exports === 'object') factory(exports) })(this, f)",
    "define(['x'], function () { return {} })",
    "/* @generated */ export const a = 1",
    "export * from 'elsewhere'",
    "export = thing",
    "export const a = 1; module.exports = make()",
    "// this file was generated by x\nexport const a = 1",
    "window.a = 1",
    "export const a = <<<<",
    "onmessage = () => {}",
], ids=lambda v: v[:40])
def test_module_that_may_define_more(text):
    assert faults({"m.ts": text, "x.ts": "import { nothing } from './m'; nothing()"}) == []


def test_stars_reach_every_module_but_no_default():
    files = {
        "index.ts": "export * from './a'; export * from './b'",
        "a.ts": "export * from './c'; export * from './index'; export const a = 1; export default 1",
        "b.ts": "export type b = 1",
        "c.ts": "export const c = 1",
        "x.ts": "import d, { a, b, c, e } from './index'; d(a, c, e); let y: b = 1",
    }
    assert faults(files) == ["x.ts: default", "x.ts: e"]


def test_wrong_reexport_is_the_fault_of_the_module_that_writes_it():
    files = {
        "index.ts": "export { a, b } from './a'",
        "a.ts": "export const a = 1",
        "x.ts": "import { a, b } from './index'; a(b)",
    }
    assert faults(files) == ["index.ts: b"]


def test_found_names_the_file_that_defines():
    files = {"index.ts": "export { a as b } from './a'; export * from './c'",
             "a.ts": "export const a = 1", "c.ts": "export const c = 1"}
    links, use = linker(files), ImportUse("./index", (0, 0), ())
    assert [links.lookup("x.ts", use, n) for n in ("b", "c")] == [Found("a.ts"), Found("c.ts")]


def test_missing_says_what_was_meant_and_who_defines_it():
    files = {
        "src/a.ts": "export const createUser = 1; export const other = 2",
        "src/b.ts": "export const requestId = 1",
        "src/barrel.ts": "export * from './b'",
    }
    assert missing(files, "src/x.ts", "./a", "createuser").near == "createUser"
    assert missing(files, "src/x.ts", "./a", "requestId").tried == ("src/b.ts",)


def test_of_names_that_differ_in_capitals_alone_the_same_is_meant_in_every_run():
    exported = "".join(f"export const {name} = 1;\n" for number in range(8)
                       for name in (f"Order{number}Service", f"order{number}Service"))
    files = {"src/a.ts": exported}
    near = [missing(files, "src/x.ts", "./a", f"createOrder{number}Service").near for number in range(8)]
    assert near == [f"order{number}Service" for number in range(8)]


@pytest.mark.parametrize(("extra", "expected"), [
    ({"m.d.ts": "export const a: number"}, []),
    ({"m.js": "exports.a = 1"}, []),
    ({"types.ts": "import './m'; declare module './m' { interface a {} }"}, []),
    ({"types.ts": "declare module 'm' { interface a {} }"}, ["x.ts: a"]),
    ({"types.ts": "declare module 'm' { interface a {} }",
      "tsconfig.json": '{"compilerOptions": {"baseUrl": "."}}'}, []),
    ({"types.ts": "declare module './m';"}, []),
    ({"types.ts": "declare module './n';", "n.ts": "export {}"}, ["x.ts: a"]),
])
def test_names_that_another_file_adds(extra, expected):
    assert faults({"m.ts": "export const b = 1", "x.ts": "import { a } from './m'; a()", **extra}) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("<script setup lang='ts'>import { a } from './m'; a()</script><template>{{ b }}</template>", ["C.vue: a"]),
    ("<script>import { b } from './m'</script>", []),
    ("<!-- <script>import { a } from './m'</script> -->", []),
    ("<template><p>import { a } from './m'</p></template>", []),
])
def test_component_imports(text, expected):
    assert faults({"m.ts": "export const b = 1", "C.vue": text}) == expected


def test_component_exports():
    files = {
        "A.vue": "<script setup>const x = 1</script>",
        "B.svelte": "<script module>export const b = 1</script><script>export let prop</script>",
        "x.ts": "import A, { a } from './A.vue'; import B, { b } from './B.svelte'; f(A, a, B, b)",
    }
    assert faults(files) == ["x.ts: a"]


LEXED = [
    ("exports.x = 1", True),
    ("module.exports.x = f()", True),
    ("exports['x'] = 1", True),
    ("module.exports = { x, y }", True),
    ("module.exports = { x: foo() }", True),
    ("module.exports = { x() {} }", True),
    ("module.exports = { y: 1, x }", False),
    ("module.exports = { x: 1 }", False),
    ("module.exports = { y() {}, x }", False),
    ("module.exports = { y: foo, x }", True),
    ("module.exports = { ...require('./r') }", True),
    ("module.exports = require('./r')", True),
    ("__exportStar(require('./r'), exports)", True),
    ("Object.defineProperty(exports, 'x', { value: 1 })", True),
    ("Object.defineProperty(exports, 'x', { enumerable: true, get() { return a + b } })", False),
    ("Object.assign(module.exports, { x: 1 })", False),
    ("if (a) { exports.x = 1 }", True),
]


@pytest.mark.parametrize(("text", "seen"), LEXED)
@pytest.mark.parametrize(("path", "package", "native"), [
    ("a.mjs", {}, True),
    ("a.js", {"type": "module"}, True),
    ("a.js", {}, False),
    ("a.mjs", {"devDependencies": {"webpack": "5"}}, False),
    ("a.ts", {"type": "module"}, False),
])
def test_commonjs_name_that_node_sees_before_it_runs(text, seen, path, package, native):
    files = {"package.json": json.dumps(package), "m.cjs": text, "r.cjs": "exports.x = 1", "r.js": "exports.x = 1",
             path: "import { x } from './m.cjs'; x()"}
    if "./r" in text and package.get("type"):
        text = files["m.cjs"] = text.replace("./r", "./r.cjs")
    assert faults(files) == ([] if seen or not native else [f"{path}: x"])


# -- what an import takes ----------------------------------------------------------------------------------------------

M = "export const a = 1; export interface T {}"
IMPORTS = [
    ("import { a, b } from './m'; b()", "b"),
    ("import { b as c } from './m'; c()", "b"),
    ("import {\n  a, // why { not }\n  b,\n} from './m'\nb()", "b"),
    ("import d from './m'; d()", "default"),
    ("import { default as d } from './m'; d()", "default"),
    ("import * as ns from './m'; ns.a(); ns.b()", "b"),
    ("import * as ns from './m'; <ns.B />", "B"),
    ("import * as ns from './m'; f(ns); ns[k]; ns.toString()", ""),
    ("import * as ns from './m'; ns.b && ns.b(); ns.c?.(); typeof ns.d; if (ns.e) {}", ""),
    ("import * as ns from './m'; function f(ns) { ns.b() }", ""),
    ("import * as ns from './m'; let x: ns.T; let y: typeof ns.T", ""),
    ("export { b } from './m'", "b"),
    ("export { a as b } from './m'", ""),
    ("const { a, b: c, ...rest } = require('./m')", "b"),
    ("const m = require('./m'); m.a(); m.b()", "b"),
    ("const m = require('./m'); m.b = 1; m.b()", ""),
    ("let x = require('./m').b", "b"),
    ("const { b } = await import('./m')", "b"),
    ("const m = await import('./m'); m.b()", "b"),
    ("const p = import('./m'); p.then(m => m.b)", ""),
    ("import m = require('./m'); m.b()", "b"),
    ("import type { B } from './m'", ""),
    ("import { type B, a } from './m'; a()", ""),
    ("import { B } from './m'; let x: B", ""),
    ("import { B } from './m'; let x: B; new B()", "B"),
    ("import { B } from './m'", "B"),
    ("@Injectable()\nclass K { constructor(x: B) {} }\nimport { B } from './m'", "B"),
    ("const wide = css`\n  @media (width) {}\n`\nclass K { constructor(x: B) {} }\nimport { B } from './m'", ""),
    ("// import { b } from './m'", ""),
    ("const text = `import { b } from './m'`", ""),
    ("/** @type {import('./m').b} */", ""),
    ("let x: import('./m').B", ""),
    ("// @ts-ignore\nimport { b } from './m'; b()", ""),
    ("// eslint-disable-next-line import/named\nimport { b } from './m'; b()", ""),
    ("/* oxlint-disable import/default */\nimport d from './m'\n/* oxlint-enable import/default */\nd()", ""),
    ("try { const { b } = require('./m') } catch {}", ""),
    ("vi.mock('./m', () => ({ b: 1 }))\nimport { b } from './m'; b()", ""),
    ("object.require('./m').b; f.import('./m')", ""),
]


@pytest.mark.parametrize(("text", "names"), IMPORTS, ids=lambda v: v[:50])
def test_names_that_an_import_takes(text, names):
    assert faults({"m.ts": M, "x.tsx": text}) == [f"x.tsx: {n}" for n in names.split()]


def test_position_of_a_name_is_its_own():
    text = "import d, {\n  a,\n  b as c,\n} from './m'; c(d, a, ns.e); import * as ns from './m'"
    uses = linker({"m.ts": M, "x.ts": text}).imports("x.ts", text.encode())
    assert [(n.name, text[slice(*n.at)], n.in_import, u.breaks) for u in uses for n in u.names] == [
        ("default", "d", True, "import"), ("a", "a", True, "import"),
        ("b", "b", True, "import"), ("e", "e", False, "use"),
    ]


def test_positions_are_bytes_behind_other_characters():
    text = "const é = '☃'; import { b } from './m'; b()"
    data = text.encode()
    (use,) = linker({"m.ts": M, "x.ts": text}).imports("x.ts", data)
    assert data[slice(*use.names[0].at)] == b"b"
    assert data[slice(*use.module_at)] == b"./m"


@pytest.mark.parametrize(("setter", "expected"), [
    ("const c = require('./config'); c.late = 1", []),
    ("const c = require('./other'); c.late = 1", ["x.js: late"]),
])
def test_object_that_another_file_fills(setter, expected):
    files = {"config.js": "module.exports = { port: 1 }", "other.js": "module.exports = {}",
             "x.js": "const config = require('./config'); f(config.port, config.late)", "setter.js": setter}
    assert faults(files) == expected


@pytest.mark.parametrize(("importer", "imported", "expected"), [
    ('"type": "module", ', "", []),
    ("", "", ["app/x.js: default"]),
    ('"type": "module", ', '"type": "module", ', ["app/x.js: default"]),
])
def test_a_package_that_is_built_to_commonjs_gives_itself_as_the_default(importer, imported, expected):
    files = {"package.json": '{"workspaces": ["app", "files"]}',
             "app/package.json": f'{{{importer}"name": "app", "dependencies": {{"files": "1.0.0"}}}}',
             "app/x.js": "import pkg from 'files'; pkg.b()",
             "files/package.json": f'{{{imported}"name": "files", "version": "1.0.0", "main": "dist/index.js"}}',
             "files/src/index.js": "export const b = 1"}
    assert faults(files) == expected


# -- what a specifier means --------------------------------------------------------------------------------------------

TS = json.dumps
PATHS = [
    ("./b", "src/b.ts", {}),
    ("./b", "src/b/index.tsx", {}),
    ("./b.js", "src/b.ts", {}),
    ("./b.jsx", "src/b.tsx", {}),
    ("./b.mjs", "src/b.mts", {}),
    ("./b.ts", "src/b.ts", {}),
    ("./b.config", "src/b.config.js", {}),
    ("../lib", "lib/index.js", {}),
    (".", "src/index.ts", {}),
    ("./data.json", "src/data.json", {}),
    ("@/b", "src/b.ts", {"tsconfig.json": TS({"compilerOptions": {"paths": {"@/*": ["./src/*"]}}})}),
    ("@/b", "src/b.ts", {
        "jsconfig.json": '// a comment\n{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"],}}}',
    }),
    ("b/c", "src/b/c.ts", {"tsconfig.json": TS({"compilerOptions": {"baseUrl": "src"}})}),
    ("@/b", "src/b.ts", {"tsconfig.json": TS({"extends": ["./other.json", "./base"]}), "other.json": "{}",
                         "base.json": TS({"compilerOptions": {"paths": {"@/*": ["${configDir}/src/*"]}}})}),
    ("@/b", "src/b.ts", {
        "tsconfig.json": TS({"files": [], "references": [{"path": "./tsconfig.app.json"}]}),
        "tsconfig.app.json": TS({"include": ["src"], "compilerOptions": {"paths": {"@/*": ["./src/*"]}}}),
    }),
    ("@/b", "src/b.js", {
        "vite.config.js": "export default { resolve: { alias: { '@': path.resolve(__dirname, './src') } } }",
    }),
    ("~c", "src/c/index.js", {
        "webpack.config.js": "module.exports = { resolve: { alias: { '~c': path.join(__dirname, 'src', 'c') } } }",
    }),
    ("@/b", "src/b.js", {
        "vite.config.ts": "alias: [{ find: '@', replacement: fileURLToPath(new URL('./src', import.meta.url)) }]",
    }),
    ("@/b", "src/b.vue", {"package.json": "{}"}),
    ("$lib/b", "src/lib/b.ts", {"package.json": "{}"}),
    ("#b", "src/b.ts", {"package.json": TS({"imports": {"#b": "./src/b.js"}})}),
    ("#x/b", "src/b.ts", {"package.json": TS({"imports": {"#x/*": {"default": "./src/*.ts"}}})}),
    ("self/b", "src/b.ts", {"package.json": TS({"name": "self", "exports": {"./*": "./src/*.ts"}})}),
]


@pytest.mark.parametrize(("specifier", "target", "extra"), PATHS, ids=lambda v: str(v)[:30])
def test_specifier_leads_to(specifier, target, extra):
    assert linker({target: "", "src/a.ts": "", **extra}).resolve("src/a.ts", specifier) == Found(target)


WORKSPACE = {
    "package.json": TS({"workspaces": ["packages/*"]}),
    "packages/app/package.json": TS({"name": "app", "dependencies": {"@me/lib": "workspace:*"}}),
}


@pytest.mark.parametrize(("specifier", "package", "target"), [
    ("@me/lib", {"main": "index.ts"}, "packages/lib/index.ts"),
    ("@me/lib", {"main": "./dist/index.js"}, "packages/lib/src/index.ts"),
    ("@me/lib", {"source": "./code/main.ts", "main": "dist/x.js"}, "packages/lib/code/main.ts"),
    ("@me/lib/deep/x", {}, "packages/lib/deep/x.tsx"),
    ("@me/lib/x", {"exports": {"./x": {"types": "./dist/x.d.ts", "import": "./dist/esm/x.js"}}},
     "packages/lib/src/x.ts"),
    ("@me/lib/x", {"exports": {".": "./i.ts", "./*": "./src/*.ts"}}, "packages/lib/src/x.ts"),
    ("@me/lib/types", {"exports": {"./types": "./dist/types/index.js"}}, "packages/lib/src/types/index.ts"),
    ("@me/lib/esm", {"exports": {".": "./dist/index.js", "./esm": "./dist/esm/index.js"}},
     "packages/lib/src/esm/index.ts"),
    ("@me/lib", {"exports": "./main.js"}, "packages/lib/main.js"),
])
@pytest.mark.parametrize("root", [
    {}, {"package.json": "{}", "pnpm-workspace.yaml": "packages:\n  # all\n  - 'packages/*'\n"},
])
def test_package_of_the_workspace(specifier, package, target, root):
    files = {**WORKSPACE, **root, "packages/lib/package.json": TS({"name": "@me/lib", **package}), target: ""}
    assert linker(files).resolve("packages/app/src/a.ts", specifier) == Found(target)


def test_same_alias_means_another_folder_in_each_package():
    alias = TS({"compilerOptions": {"paths": {"@/*": ["./src/*"]}}})
    files = {"tsconfig.json": alias, "one/tsconfig.json": alias, "src/b.ts": "", "one/src/b.ts": ""}
    links = linker(files)
    assert links.resolve("one/src/a.ts", "@/b") == Found("one/src/b.ts")
    assert links.resolve("src/a.ts", "@/b") == Found("src/b.ts")


ALIAS = {"tsconfig.json": TS({"compilerOptions": {"paths": {"@/*": ["./src/*"], "@me/*": ["./src/*"]}}})}
NOTHING = [
    ("./b", {}, True),
    ("./B", {"src/b.ts": ""}, True),
    ("./b.css", {}, True),
    ("@/b", ALIAS, True),
    ("@me/b", ALIAS, True),
    ("@me/b", {**ALIAS, "package.json": TS({"dependencies": {"@me/b": "^1.0.0"}})}, False),
    ("@/b", {"vite.config.js": "alias: { '@': path.resolve(__dirname, 'src') }"}, True),
    ("@/b", {"package.json": "{}"}, False),
    ("b", {}, False),
    ("#b", {"package.json": TS({"imports": {"#b": "./src/b.js"}})}, True),
    ("./b?raw", {}, False),
    ("raw-loader!./b", {}, False),
    ("./b", {"src/b.graphql": ""}, False),
    ("./b.png", {"src/b@2x.png": ""}, False),
    ("./b.js", {"src/b.coffee": ""}, False),
    ("../dist/b", {}, False),
    ("../build/b", {}, False),
    ("../build/b", {"build/c.js": ""}, True),
    ("./generated/b", {}, False),
    ("./b.generated", {}, False),
    ("../node_modules/b/x.js", {}, False),
    ("../../b", {}, False),
    ("./{{name}}", {}, False),
    ("./__name__", {}, False),
    ("./secret", {}, False),
    ("../sub/b", {".gitmodules": '[submodule "sub"]\n\tpath = sub\n'}, False),
    ("./b", {"package.json": TS({"browser": {"./src/b.js": "./x.js"}})}, False),
    ("./$types", {}, False),
    ("./+types/b", {}, False),
    ("./b.svg", {"env.d.ts": "declare module '*.svg' { export default x }"}, False),
    ("@/b", {**ALIAS, "webpack.config.js": "alias: { '@': paid ? path.resolve(__dirname, 'paid') : false }"}, False),
    ("@/b", {**ALIAS, "webpack.config.js": "config.resolve.alias['@'] = false;"}, False),
    ("@/b", {**ALIAS, "webpack.config.js": "alias: { paid: false, '@': path.resolve(__dirname, 'src') }"}, True),
    ("../.made/b", {"package.json": TS({"scripts": {"test": "tsc src/b.ts --outDir .made && node --test"}})}, False),
    ("../made/b", {"package.json": TS({"scripts": {"test": "tsc src/b.ts --outDir made"}}), "made/c.js": ""}, True),
    *((name, {}, False) for name in (
        "virtual:pwa", "~icons/x/y", "$env/static", "$app/stores", "astro:content", "cloudflare:workers", "bun:test",
        ".prisma/client", "node:fs", "fs/promises", "https://x.y/z.js", "npm:x", "jsr:@x/y", "/src/b", "lodash/get",
    )),
]


@pytest.mark.parametrize(("specifier", "extra", "is_missing"), NOTHING, ids=lambda v: str(v)[:30])
def test_specifier_leads_nowhere(specifier, extra, is_missing):
    answer = linker({"src/a.ts": "", **extra}, ("src/secret.ts",)).resolve("src/a.ts", specifier)
    assert isinstance(answer, Missing) is is_missing, answer


@pytest.mark.parametrize(("text", "is_fault"), [
    ("import './b'", True),
    ("export * from './b'", True),
    ("require('./b')", True),
    ("const load = () => import('./b')", True),
    ("try { require('./b') } catch (e) {}", False),
    ("try { require('./b') } finally {}", True),
    ("import('./b').catch(() => null)", False),
    ("if (process.env.LOCAL) require('./b')", False),
    ("import type { B } from './b'", False),
    ("// @ts-expect-error\nimport './b'", False),
    ("/* eslint-disable import/no-unresolved */\nimport './b'", False),
    ("import(/* webpackIgnore: true */ './b')", False),
    ("jest.mock('./b', () => ({}), { virtual: true }); require('./b')", False),
    ("declare module 'x' { import { B } from './b' }", False),
    ("// require('./b')", False),
    ("require.resolve('./b')", False),
])
def test_module_that_is_not_there(text, is_fault):
    assert faults({"a.ts": text}) == (["a.ts: './b'"] if is_fault else [])


@pytest.mark.parametrize(("path", "plugin", "is_fault"), [
    ("src/a.stories.ts", "transform(code, id) { return id.endsWith('.stories.ts') ? code.slice(1) : null }", False),
    ("src/a.stories.ts", "resolveId(id) { return id.endsWith('.stories.ts') ? null : id }", True),
    ("src/a.ts", "transform(code, id) { return id.endsWith('.stories.ts') ? code.slice(1) : null }", True),
])
def test_stories_that_a_plugin_writes_anew(path, plugin, is_fault):
    files = {path: "import { told } from '../.storybook/tell'; told();",
             ".storybook/plugin.js": f"export const p = {{ {plugin} }};"}
    assert bool(faults(files)) is is_fault


@pytest.mark.parametrize(("specifier", "extra", "near"), [
    ("./components/header", "src/components/Header.jsx", "./components/Header"),
    ("./utls", "src/utils.ts", "./utils"),
    ("./b.css", "src/bb.css", "./bb.css"),
    ("./zebra", "src/utils.ts", None),
    ("../hooks/useUser", "lib/useUser.ts", "../lib/useUser"),
])
def test_module_that_was_probably_meant(specifier, extra, near):
    answer = linker({"src/a.ts": "", extra: ""}).resolve("src/a.ts", specifier)
    assert isinstance(answer, Missing)
    assert answer.near == near


@pytest.mark.parametrize("text", [
    "import" + " " * 20000 + "x",
    "import a" + " " * 20000 + "x",
    "import {" * 2000,
    "import(" + "/* a */ // b // c\n" * 300 + "x",
    "import { a" + " /* { } */ // b\n" * 300,
    "module.exports = {" + "/* a */ // b // c\n" * 300 + "...x }",
    "export const {" + " a," * 3000,
    "export { a" + " // b /* c */\n" * 300,
    "const { a" + ": b" * 3000 + " } = require('./m')",
], ids=lambda v: v[:20])
def test_text_that_fits_no_pattern_is_read_at_once(text):
    assert faults({"m.js": text, "x.js": f"import {{ z }} from './m'\n{text}"}) in ([], ["x.js: z"])


def test_configuration_full_of_comments_is_read_at_once():
    comments = "/* a */ // b // c\n" * 200
    config = comments + '{"compilerOptions": {' + comments + '"paths": {"@/*": ["./src/*"], ' + comments + "},}, }"
    assert linker({"tsconfig.json": config, "src/b.ts": ""}).resolve("a.ts", "@/b") == Found("src/b.ts")


@pytest.mark.parametrize("data", [
    b"", b"\xff\xfe", b"import {", b"import { a } from '", b"\x00" * 50, "import é from './é'".encode("latin-1"),
])
def test_any_bytes_are_read(data):
    links = JavaScriptLinker(MemoryTree({"m.ts": data, "x.ts": data}))
    links.imports("x.ts", data)
    links.lookup("x.ts", ImportUse("./m", (0, 0), ()), "a")
