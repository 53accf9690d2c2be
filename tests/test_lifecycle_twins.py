"""Twins of lifecycles: one flow in Python and in TypeScript, one expectation.

A task that must be cancelled stands for a timer that must be cleared. ``GAIN`` marks where the handle is taken,
``CAUSE`` the step that loses it. A case without ``CAUSE`` but with ``GAIN`` is one where nothing ever gives it back;
a case without either is in order.
"""

from __future__ import annotations

import pytest

from connlint.model.finding import Finding
from projects import report

RULES = {"py": "task-not-cancelled", "ts": "interval-not-cleared"}
HEADS = {
    "py": "import asyncio\n\nasync def run(work, other, beat, kept, flag):\n",
    "ts": "export async function run(work: any, other: any, beat: any, kept: any, flag: any) {\n",
}
GAIN = {"py": "t = asyncio.create_task(beat())  # GAIN", "ts": "const t = setInterval(beat, 1); // GAIN"}
TAKE = {"py": "t = asyncio.create_task(beat())", "ts": "const t = setInterval(beat, 1);"}

# name: (Python, TypeScript); "@" takes the handle, "@!" takes it and loses it.
FLOWS = {
    "given back in finally": (
        "@\ntry:\n    await work()\nfinally:\n    t.cancel()",
        "@\ntry {\n  await work();\n} finally {\n  clearInterval(t);\n}"),
    "given back on success": (
        "@!\nawait work()  # CAUSE\nt.cancel()",
        "@!\nawait work(); // CAUSE\nclearInterval(t);"),
    "given back in both arms": (
        "@\ntry:\n    await work()\n    t.cancel()\nexcept Exception:\n    t.cancel()\n    raise",
        "@\ntry {\n  await work();\n  clearInterval(t);\n} catch (e) {\n  clearInterval(t);\n  throw e;\n}"),
    "given back after an error was swallowed": (
        "@\ntry:\n    await work()\nexcept Exception:\n    pass\nt.cancel()",
        "@\ntry {\n  await work();\n} catch {\n}\nclearInterval(t);"),
    "only one kind of error is swallowed": (
        "@!\ntry:\n    await work()  # CAUSE\nexcept ValueError:\n    pass\nt.cancel()",
        "@!\ntry {\n  await work(); // CAUSE\n} catch (e) {\n  if (!(e instanceof TypeError)) throw e;\n}\n"
        "clearInterval(t);"),
    "caught, and not given back": (
        "@!\ntry:\n    await work()  # CAUSE\n    t.cancel()\nexcept Exception:\n    print(1)",
        "@!\ntry {\n  await work(); // CAUSE\n  clearInterval(t);\n} catch {\n  console.log(1);\n}"),
    "a flag kept what was asked before": (
        "own = not kept\nx = 0\nif own:\n    x = 1\nif not kept:\n    @\n    try:\n        await work(x)\n"
        "    finally:\n        if own:\n            t.cancel()",
        "const own = !kept;\nlet x = 0;\nif (own) {\n  x = 1;\n}\nif (!kept) {\n  @\n  try {\n    await work(x);\n"
        "  } finally {\n    if (own) {\n      clearInterval(t);\n    }\n  }\n}"),
    "a flag kept something else": (
        "own = not flag\nx = 0\nif own:\n    x = 1\nif not kept:\n    @!\n    try:\n        await work(x)\n"
        "    finally:\n        if own:\n            t.cancel()",
        "const own = !flag;\nlet x = 0;\nif (own) {\n  x = 1;\n}\nif (!kept) {\n  @!\n  try {\n    await work(x);\n"
        "  } finally {\n    if (own) {\n      clearInterval(t);\n    }\n  }\n}"),
    "an early return": (
        "@!\nif flag:\n    return 1  # CAUSE\nt.cancel()",
        "@!\nif (flag) {\n  return 1; // CAUSE\n}\nclearInterval(t);"),
    "an early return before it is taken": (
        "if flag:\n    return 1\n@\nt.cancel()",
        "if (flag) {\n  return 1;\n}\n@\nclearInterval(t);"),
    "a return through finally": (
        "@\ntry:\n    return await work()\nfinally:\n    t.cancel()",
        "@\ntry {\n  return await work();\n} finally {\n  clearInterval(t);\n}"),
    "an await before the try": (
        "@!\nx = await other()  # CAUSE\ntry:\n    await work(x)\nfinally:\n    t.cancel()",
        "@!\nconst x = await other(); // CAUSE\ntry {\n  await work(x);\n} finally {\n  clearInterval(t);\n}"),
    "continue in a loop": (
        "for x in kept:\n    @!\n    if flag:\n        continue\n    t.cancel()",
        "for (const x of kept) {\n  @!\n  if (flag) {\n    continue;\n  }\n  clearInterval(t);\n}"),
    "break out of a loop, given back behind it": (
        "@\nwhile True:\n    if flag:\n        break\nt.cancel()",
        "@\nwhile (true) {\n  if (flag) {\n    break;\n  }\n}\nclearInterval(t);"),
    "finally in a loop with break and continue": (
        "for x in kept:\n    @\n    try:\n        if await work(x):\n            continue\n        break\n"
        "    finally:\n        t.cancel()",
        "for (const x of kept) {\n  @\n  try {\n    if (await work(x)) continue;\n    break;\n  } finally {\n"
        "    clearInterval(t);\n  }\n}"),
    "an inner finally that gives back nothing": (
        "@!\ntry:\n    try:\n        await work()  # CAUSE\n    finally:\n        print(1)\n    t.cancel()\n"
        "except KeyError:\n    t.cancel()\n    raise\nelse:\n    print(2)",
        "@!\ntry {\n  await work(); // CAUSE\n} finally {\n  console.log(1);\n}\nclearInterval(t);"),
    "a function inside that is called on success": (
        "def stop():\n    t.cancel()\n@!\nawait work()  # CAUSE\nstop()",
        "const stop = () => clearInterval(t);\n@!\nawait work(); // CAUSE\nstop();"),
    "a function inside that is called in finally": (
        "@\ndef stop():\n    t.cancel()\ntry:\n    await work()\nfinally:\n    stop()",
        "@\nfunction stop() {\n  clearInterval(t);\n}\ntry {\n  await work();\n} finally {\n  stop();\n}"),
    "returned": (
        "@\nawait_ = other\nreturn t",
        "@\nconst await_ = other;\nreturn t;"),
    "returned among other things": (
        "@\nreturn {'task': t, 'x': 1}",
        "@\nreturn { task: t, x: 1 };"),
    "put in a collection": (
        "@\nkept.append(t)\nawait work()",
        "@\nkept.push(t);\nawait work();"),
    "passed to somebody unknown": (
        "@\nother(t)\nawait work()",
        "@\nother(t);\nawait work();"),
    "passed to a function that only looks": (
        "@!\nlook(t)\nawait work()  # CAUSE\nt.cancel()",
        "@!\nlook(t);\nawait work(); // CAUSE\nclearInterval(t);"),
    "passed to a function that gives it back, in finally": (
        "@\ntry:\n    await work()\nfinally:\n    stop(t)",
        "@\ntry {\n  await work();\n} finally {\n  stop(t);\n}"),
    "passed to a function that gives it back, on success": (
        "@!\nawait work()  # CAUSE\nstop(t)",
        "@!\nawait work(); // CAUSE\nstop(t);"),
    "made by a function of the file": (
        "t = start(beat)  # GAIN\nawait work()  # CAUSE\nt.cancel()",
        "const t = start(beat); // GAIN\nawait work(); // CAUSE\nclearInterval(t);"),
    "one condition twice": (
        "t = None\nif flag:\n    t = asyncio.create_task(beat())\ntry:\n    await work()\nfinally:\n    if flag:\n"
        "        t.cancel()",
        "let t: any = null;\nif (flag) {\n  t = setInterval(beat, 1);\n}\ntry {\n  await work();\n} finally {\n"
        "  if (flag) clearInterval(t);\n}"),
    "given back where there is something to give back": (
        "t = None\ntry:\n    await other()\n    t = asyncio.create_task(beat())\n    await work()\nfinally:\n"
        "    if t is not None:\n        t.cancel()",
        "let t: any = null;\ntry {\n  await other();\n  t = setInterval(beat, 1);\n  await work();\n} finally {\n"
        "  if (t !== null) clearInterval(t);\n}"),
    "an error that is raised on purpose": (
        "@!\nif flag:\n    raise ValueError(flag)  # CAUSE\nt.cancel()",
        "@!\nif (flag) {\n  throw new Error(flag); // CAUSE\n}\nclearInterval(t);"),
    "finally waits for something else first": (
        "@!\ntry:\n    await work()\nfinally:\n    await other()  # CAUSE\n    t.cancel()",
        "@!\ntry {\n  await work();\n} finally {\n  await other(); // CAUSE\n  clearInterval(t);\n}"),
    "a return inside finally": (
        "@!\ntry:\n    await work()  # CAUSE\n    t.cancel()\nfinally:\n    return 1",
        "@!\ntry {\n  await work(); // CAUSE\n  clearInterval(t);\n} finally {\n  return 1;\n}"),
    "overwritten": (
        "@!\nt = asyncio.create_task(beat())  # CAUSE\nt.cancel()",
        "let t = setInterval(beat, 1); // GAIN\nt = setInterval(beat, 1); // CAUSE\nclearInterval(t);"),
    "nothing but sleep in between": (
        "@\nawait asyncio.sleep(1)\nt.cancel()",
        "@\nawait new Promise((resolve) => setTimeout(resolve, 1));\nclearInterval(t);"),
    "on a stack of things to undo": (
        "@\nkept.callback(t.cancel)\nawait work()",
        "@\nkept.defer(() => clearInterval(t));\nawait work();"),
    "given back by an event": (
        "@\nother.add_done_callback(lambda _: t.cancel())\nawait work()",
        "@\nother.on('close', () => clearInterval(t));\nawait work();"),
    "one arm of a choice forgets it": (
        "@!\nmatch flag:\n    case 1:\n        t.cancel()\n    case 2:\n        return 2  # CAUSE\n    case _:\n"
        "        t.cancel()",
        "@!\nswitch (flag) {\n  case 1:\n    clearInterval(t);\n    break;\n  case 2:\n    return 2; // CAUSE\n"
        "  default:\n    clearInterval(t);\n}"),
}
TAILS = {
    "py": "\n\ndef look(t):\n    print(t.get_name())\n\n\ndef stop(t):\n    t.cancel()\n\n\n"
          "def start(beat):\n    return asyncio.create_task(beat())\n",
    "ts": "\nfunction look(t: any) {\n  console.log(t.id);\n}\n\nfunction stop(t: any) {\n  clearInterval(t);\n}\n\n"
          "function start(beat: any) {\n  return setInterval(beat, 1);\n}\n",
}

CLASSES = {
    "kept by an object that stops it": (
        "class A:\n    def start(self):\n        self.t = asyncio.create_task(self.loop())\n"
        "    async def loop(self):\n        while True:\n            await asyncio.sleep(1)\n"
        "    def stop(self):\n        self.t.cancel()\n",
        "export class A {\n  start() {\n    this.t = setInterval(this.loop, 1);\n  }\n  loop() {}\n"
        "  stop() {\n    clearInterval(this.t);\n  }\n}\n"),
    "kept by an object that forgets it": (
        "class A:\n    def start(self):\n        self.t = asyncio.create_task(self.loop())  # GAIN\n"
        "    async def loop(self):\n        while True:\n            await asyncio.sleep(1)\n"
        "    def stop(self):  # CAUSE\n        print(1)\n",
        "export class A {\n  start() {\n    this.t = setInterval(this.loop, 1); // GAIN\n  }\n  loop() {}\n"
        "  stop() { // CAUSE\n    console.log(1);\n  }\n}\n"),
    "kept by an object that empties a list of them": (
        "class A:\n    ts = []\n    def start(self):\n        self.ts.append(asyncio.create_task(self.loop()))\n"
        "    async def loop(self):\n        while True:\n            await asyncio.sleep(1)\n"
        "    def stop(self):\n        for t in self.ts:\n            t.cancel()\n",
        "export class A {\n  ts: any[] = [];\n  start() {\n    this.ts.push(setInterval(this.loop, 1));\n  }\n"
        "  loop() {}\n"
        "  stop() {\n    this.ts.forEach(clearInterval);\n  }\n}\n"),
}


def text(case: str, language: str) -> str:
    place = 0 if language == "py" else 1
    if case in CLASSES:
        return ("import asyncio\n\n" if language == "py" else "") + CLASSES[case][place]
    body = FLOWS[case][place].replace("@!", GAIN[language]).replace("@", TAKE[language])
    indent = "    " if language == "py" else "  "
    lines = "\n".join(f"{indent}{line}" for line in body.split("\n"))
    return HEADS[language] + lines + ("\n}\n" if language == "ts" else "\n") + TAILS[language]


def line_of(mark: str, code: str) -> int | None:
    return next((number for number, line in enumerate(code.split("\n"), 1) if line.endswith(mark)), None)


def findings(case: str, language: str) -> tuple[str, list[Finding], dict[Finding, int]]:
    code = text(case, language)
    found = report({f"case.{language}": code})
    ours = [f for f in found.findings if f.rule == RULES[language]]
    source = found.sources.get(f"case.{language}")
    return code, ours, {f: source.line(f.place.at[0]) for f in ours} if source else {}


@pytest.mark.parametrize("case", [*FLOWS, *CLASSES])
def test_both_languages_lose_it_on_the_same_step(case: str) -> None:
    seen = []
    for language in ("py", "ts"):
        code, found, lines = findings(case, language)
        gain, cause = line_of("GAIN", code), line_of("CAUSE", code)
        assert [lines[f] for f in found] == ([] if gain is None else [gain]), (language, [f.message for f in found])
        if cause is not None:
            starts = [code.encode()[: step.place.at[0]].count(b"\n") + 1 for step in found[0].steps]
            assert cause in starts, (language, found[0].message)
        seen.append((gain is not None, cause is not None))
    assert seen[0] == seen[1]


def test_there_are_thirty_and_both_kinds() -> None:
    marks = ["GAIN" in text(case, "py") for case in [*FLOWS, *CLASSES]]
    assert len(marks) >= 30
    assert 10 < sum(marks) < len(marks) - 10
