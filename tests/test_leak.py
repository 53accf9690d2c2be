"""What a report of a lost handle says: the step that loses it, in words and as steps, and the edit that mends it."""

from __future__ import annotations

import pytest

from connlint.model.finding import Edit, Finding
from projects import report

RULES = (
    "interval-not-cleared", "task-not-cancelled", "connection-not-released", "handle-not-closed",
    "listener-not-removed",
)


def findings(name: str, text: str, **others: str) -> list[Finding]:
    """What the lifecycle rules say about one file, beside ``others``."""
    files = {name: text, **{k.replace("__", "/").replace("_", "."): v for k, v in others.items()}}
    return [f for f in report(files).findings if f.rule in RULES and f.place.path == name]


def only(name: str, text: str) -> Finding:
    (finding,) = findings(name, text)
    return finding


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    data = text.encode()
    for edit in sorted(edits, key=lambda e: e.place.at, reverse=True):
        data = data[: edit.place.at[0]] + edit.text.encode() + data[edit.place.at[1] :]
    return data.decode()


def js(body: str, head: str = "async function run(work, other, done) {") -> str:
    return f"{head}\n{body}\n}}\n"


WITNESSES = {
    "an await": (
        "a.js", js("const t = setInterval(done, 1);\nawait work();\nclearInterval(t);"),
        "`await work()` on line 3 may throw, and `clearInterval(t)` on line 4 is not reached"),
    "an await before a call": (
        "a.js", js("const t = setInterval(done, 1);\nJSON.parse(other);\nawait work();\nclearInterval(t);"),
        "`await work()` on line 4 may throw, and `clearInterval(t)` on line 5 is not reached"),
    "a call that is known to throw": (
        "a.js", js("const t = setInterval(done, 1);\nJSON.parse(other);\nclearInterval(t);"),
        "`JSON.parse(other)` on line 3 may throw, and `clearInterval(t)` on line 4 is not reached"),
    "a throw": (
        "a.js", js("const t = setInterval(done, 1);\nif (other) throw other;\nclearInterval(t);"),
        "line 3 throws, and `clearInterval(t)` on line 4 is not reached"),
    "a return": (
        "a.js", js("const t = setInterval(done, 1);\nif (other) return;\nclearInterval(t);"),
        "line 3 returns, and `clearInterval(t)` on line 4 is not reached"),
    "a promise": (
        "a.js", js("const t = setInterval(done, 1);\nreturn work().then(() => clearInterval(t));"),
        "`work()` on line 3 may be rejected, and `clearInterval(t)` on line 3 is not reached"),
    "another handle in its place": (
        "a.js", js("let t = setInterval(done, 1);\nt = setInterval(done, 2);\nclearInterval(t);"),
        "line 3 overwrites it, and `clearInterval(t)` on line 4 is not reached"),
    "a Python call": (
        "a.py", "def run(path, work):\n    f = open(path)\n    work(f.name)\n    f.close()\n",
        "`work(f.name)` on line 3 may raise, and `f.close()` on line 4 is not reached"),
    "what mostly raises before what hardly does": (
        "a.py",
        "import sqlite3\ndef run(path, made):\n    c = sqlite3.connect(path)\n    query = made.of(path)\n"
        "    c.execute(query)\n    c.close()\n",
        "`c.execute(query)` on line 5 may raise, and `c.close()` on line 6 is not reached"),
    "what asks somebody before what reads a number": (
        "a.py",
        "import socket\ndef run(host, port, row):\n    s = socket.socket()\n    s.connect((host, int(port)))\n"
        "    s.close()\n",
        "`s.connect((host, int(port)))` on line 4 may raise, and `s.close()` on line 5 is not reached"),
    "the first of two, where a handler goes on": (
        "a.py",
        "import sqlite3\ndef run(start, names):\n    for name in names:\n        if start(name):\n            try:\n"
        "                c = sqlite3.connect(name)\n                c.execute('x')\n                c.close()\n"
        "            except Exception:\n                print(name)\n        else:\n"
        "            c = sqlite3.connect(name)\n            c.close()\n",
        "`c.execute('x')` on line 7 may raise, and `c.close()` on line 8 is not reached"),
    "a helper that gives back": (
        "a.py",
        "import asyncio\nasync def run(work, aio):\n    t = asyncio.create_task(work())\n    await work()\n"
        "    await aio.cancel_and_wait(t)\n",
        "`await work()` on line 4 may raise, and `aio.cancel_and_wait(t)` on line 5 is not reached"),
}


@pytest.mark.parametrize("name", WITNESSES)
def test_the_step_that_loses_it_is_named(name: str) -> None:
    path, text, said = WITNESSES[name]
    finding = findings(path, text)[0]
    assert said in finding.message
    assert finding.steps[0].place == finding.place
    assert all(step.place.path == path for step in finding.steps)


def test_what_only_listens_is_not_named_as_what_would_give_it_back() -> None:
    text = ("import fs from 'node:fs';\n\nexport async function fetched(url, done) {\n"
            "  const file = fs.createWriteStream('x');\n  const response = await fetch(url);\n"
            "  file.on('finish', done);\n  response.body.pipeTo(file);\n}\n")
    assert only("a.js", text).message.endswith("`await fetch(url)` on line 5 may throw")


FIXES = {
    "beside each other, JavaScript": (
        "a.js",
        js("  const t = setInterval(done, 1);\n  const answer = await work();\n  clearInterval(t);\n  return answer;"),
        js("  const t = setInterval(done, 1);\n  try {\n    const answer = await work();\n    return answer;\n"
           "  } finally {\n    clearInterval(t);\n  }")),
    "inside a try that follows, JavaScript": (
        "a.js",
        js("  const t = setInterval(done, 1);\n  try {\n    await work();\n    clearInterval(t);\n    other();\n"
           "  } catch (error) {\n    done(error);\n  }"),
        js("  const t = setInterval(done, 1);\n  try {\n    await work();\n    other();\n"
           "  } catch (error) {\n    done(error);\n  } finally {\n    clearInterval(t);\n  }")),
    "beside each other, Python": (
        "a.py",
        "def run(path, rows):\n    f = open(path, 'w')\n    for row in rows:\n        f.write(row)\n    f.close()\n",
        "def run(path, rows):\n    with open(path, 'w') as f:\n        for row in rows:\n            f.write(row)\n"),
    "inside a try that follows, Python": (
        "a.py",
        "def run(path, rows):\n    f = open(path, 'w')\n    try:\n        f.writelines(rows)\n        f.close()\n"
        "    except ValueError:\n        raise RuntimeError(path)\n",
        "def run(path, rows):\n    f = open(path, 'w')\n    try:\n        f.writelines(rows)\n"
        "    except ValueError:\n        raise RuntimeError(path)\n    finally:\n        f.close()\n"),
}


@pytest.mark.parametrize("name", FIXES)
def test_the_edit_moves_the_release_and_mends_it(name: str) -> None:
    path, before, after = FIXES[name]
    fix = only(path, before).fix
    assert fix is not None and not fix.safe
    assert edited(before, fix.edits) == after
    assert findings(path, after) == []


NO_FIX = {
    "given back in two places": js(
        "const t = setInterval(done, 1);\nif (other) {\n  clearInterval(t);\n  return;\n}\n"
        "await work();\nclearInterval(t);"),
    "never given back": "app.get('/', (request, response) => {\n  setInterval(done, 1);\n});\n",
}


@pytest.mark.parametrize("name", NO_FIX)
def test_no_edit_is_better_than_a_wrong_one(name: str) -> None:
    assert only("a.js", NO_FIX[name]).fix is None


def test_the_level_follows_the_evidence() -> None:
    two = "import asyncio\nasync def run(a, b):\n    x = asyncio.create_task(a())\n    y = asyncio.create_task(b())\n"
    assert only("a.py", two + "    return [await x, await y]\n").level == "note"
    assert only("a.py", two + "    await x\n    y.cancel()\n").level == "warning"


def test_other_files_are_asked_who_calls_and_who_gives_back() -> None:
    sweep = "export function sweep() {\n  setInterval(() => console.log(1), 1000);\n}\n"
    once = "import { sweep } from './a.js';\nsweep();\n"
    again = "import { sweep } from './a.js';\napp.get('/', () => {\n  sweep();\n});\n"
    assert findings("a.js", sweep, main_js=once) == []
    assert len(findings("a.js", sweep, main_js=again)) == 1
    kept = "export class A {\n  open() {\n    this.beat = setInterval(done, 1);\n  }\n  close() {}\n}\n"
    assert len(findings("a.js", kept)) == 1
    assert findings("a.js", kept, main_js="import { A } from './a.js';\nclearInterval(a.beat);\n") == []


@pytest.mark.parametrize(("start", "level"), [
    ("if __name__ == '__main__':\n    load('x')\n", "note"),
    ("import asyncio\n\n\ndef main():\n    load('x')\n\n\nif __name__ == '__main__':\n    main()\n", "note"),
    ("def main():\n    while True:\n        try:\n            load('x')\n        except OSError:\n            pass\n\n"
     "if __name__ == '__main__':\n    main()\n", "warning"),
    ("try:\n    load('x')\nexcept KeyboardInterrupt:\n    pass\n", "note"),
    ("try:\n    load('x')\nexcept (KeyboardInterrupt, OSError):\n    pass\n", "warning"),
    ("@app.get('/')\ndef index():\n    load('x')\n", "warning"),
    ("", "warning"),
])
def test_where_the_program_ends_with_the_function_it_is_a_note(start, level):
    load = "import psycopg2\n\n\ndef load(dsn):\n    c = psycopg2.connect(dsn)\n    c.execute('x')\n    c.close()\n\n\n"
    assert only("a.py", load + start).level == level
    # of a module that has something of its own nobody knows who imports it; one that has nothing starts a program
    assert findings("a.py", load + start, b_py="from a import load\n\nROWS = load('y')\n")[0].level == "warning"
    assert findings("a.py", load, b_py="from a import load\n\nload('y')\n")[0].level == "note"


@pytest.mark.parametrize(("body", "why"), [
    ("    await bus.send(event)\n", "its exception is lost"),
    ("    try:\n        await bus.send(event)\n    except ValueError:\n        pass\n", "its exception is lost"),
    ("    try:\n        await bus.send(event)\n    except Exception:\n        log(event)\n",
     "it may be collected before it is done"),
    ("    while True:\n        try:\n            await bus.send(event)\n        except:\n            log(event)\n",
     "nothing ends its loop when the program shuts down"),
    ("    while True:\n        await asyncio.sleep(9)\n        try:\n            await bus.send(event)\n"
     "        except asyncio.CancelledError:\n            break\n        except Exception:\n            log(event)\n",
     "nothing ends its loop when the program shuts down"),
    ("    while True:\n        await asyncio.sleep(9)\n        await bus.send(event)\n", "its exception is lost"),
    ("    while True:\n        try:\n            if await bus.send(event):\n                break\n"
     "        except Exception:\n            log(event)\n", "it may be collected before it is done"),
])
def test_an_exception_that_the_coroutine_catches_itself_is_not_lost(body, why):
    text = f"import asyncio\n\n\nasync def send(event):\n{body}\n\ndef f(e):\n    asyncio.create_task(send(e))\n"
    assert only("a.py", text).message.endswith(why)


@pytest.mark.parametrize(("start", "level"), [
    ("if __name__ == '__main__':\n    load('x')\n", "note"),
    ("def main():\n    load('x')\n    load('y')\n\n\nif __name__ == '__main__':\n    main()\n", "note"),
    ("STEPS = ['x', 'y']\n\n\nif __name__ == '__main__':\n    for step in STEPS:\n        load(step)\n", "note"),
    ("if __name__ == '__main__':\n    for name in open('names'):\n        load(name)\n", "warning"),
    ("if __name__ == '__main__':\n    while more():\n        load('x')\n", "warning"),
])
def test_a_program_may_end_where_its_main_function_returns(start, level):
    load = ("import psycopg2\n\n\ndef load(d):\n    c = psycopg2.connect(d)\n    if d:\n        return\n"
            "    c.close()\n\n")
    assert only("a.py", load + start).level == level


def test_what_the_main_function_never_closes_is_a_note():
    text = "import pika\n\n\ndef main():\n    c = pika.BlockingConnection(PARAMETERS).channel()\n    c.start()\n\n\n"
    start = "if __name__ == '__main__':\n    main()\n"
    assert only("a.py", text + start).level == "note"
    assert only("a.py", text).level == "warning"
    # who imports the file may name a module like that
    others = findings("a.py", text + start, b_py="import a\nfrom app.main import router\n\nstart(a, router)\n")
    assert [it.level for it in others] == ["note"]
    assert findings("a.py", text + start, b_py="from a import main\n\nmain()\n")[0].level == "note"
    assert findings("a.py", text + start, b_py="from a import main\n\nDONE = main()\n")[0].level == "warning"


@pytest.mark.parametrize(("handler", "level"), [
    ("(error) => {\n  console.error(error);\n  process.exit(1);\n}", "note"),
    ("(error) => {\n  console.error(error);\n}", "warning"),
])
def test_a_handler_may_end_the_program_in_the_file_that_starts_it(handler, level):
    started = ("import { Client } from 'pg';\n\nexport async function load() {\n  const client = new Client();\n"
               "  await client.connect();\n  await client.query('x');\n  await client.end();\n}\n")
    main = ("import { load } from './a';\n\nasync function main() {\n  await load();\n}\n\n"
            f"main().catch({handler});\n")
    assert [it.level for it in findings("a.ts", started, main_ts=main)] == [level]


@pytest.mark.parametrize(("name", "level"), [("init_app.py", "note"), ("app.py", "warning")])
def test_a_short_program_is_started_by_hand_where_its_name_says_so(name, level):
    text = ("import psycopg2\n\n\ndef load(d):\n    try:\n        c = psycopg2.connect(d)\n        c.execute('x')\n"
            "        c.close()\n    except ValueError:\n        print(d)\n    except Exception:\n        pass\n\n\n"
            "if __name__ == '__main__':\n    load('x')\n")
    assert only(name, text).level == level


@pytest.mark.parametrize(("command", "level"), [
    ("    asyncio.run(ask(key))", "note"),
    ("    while True:\n        asyncio.run(ask(key))", "warning"),
    ("    for one in key:\n        asyncio.run(ask(one))", "warning"),
])
def test_what_a_command_runs_ends_with_it(command, level):
    text = ("import asyncio\n\nimport asyncpg\nimport click\n\n\nasync def ask(key):\n    try:\n"
            "        connection = await asyncpg.connect(key)\n        await connection.fetchrow('x')\n"
            "        await connection.close()\n    except Exception as error:\n        return str(error)\n\n\n"
            f"@click.group()\ndef cli():\n    pass\n\n\n@cli.command()\ndef check(key):\n{command}\n")
    assert only("api/diag.py", text).level == level


@pytest.mark.parametrize(("name", "listed", "level"), [
    ("run_checks.py", "[('one', load), ('two', load)]", "note"),
    ("run_worker.py", "[('one', load), ('two', load)]", "warning"),
    ("run_checks.py", "register('one', load)", "warning"),
])
def test_steps_that_are_written_out_are_run_once(name, listed, level):
    text = ("import psycopg2\n\n\ndef load():\n    try:\n        c = psycopg2.connect('')\n        c.execute('x')\n"
            "        c.close()\n    except Exception:\n        pass\n\n\ndef main():\n"
            f"    steps = {listed}\n    for name, step in steps:\n        step()\n\n\n"
            "if __name__ == '__main__':\n    main()\n")
    assert only(name, text).level == level


@pytest.mark.parametrize(("last", "level"), [("sys.exit(1)", "note"), ("raise", "note"), ("print(dsn)", "warning")])
def test_a_handler_that_ends_the_program_catches_nothing(last, level):
    text = ("import sys\n\nimport psycopg2\n\n\ndef load(dsn):\n    c = psycopg2.connect(dsn)\n"
            "    c.execute('x')\n    c.close()\n\n\ndef main(dsn):\n    try:\n        load(dsn)\n"
            f"    except Exception:\n        print(dsn)\n        {last}\n    while True:\n        pass\n\n\n"
            "if __name__ == '__main__':\n    main('x')\n")
    assert only("a.py", text).level == level


@pytest.mark.parametrize(("run", "level"), [
    ("    loop.run_until_complete(task)", "note"),
    ("    try:\n        loop.run_until_complete(task)\n    except asyncio.CancelledError:\n        pass", "note"),
    ("    try:\n        loop.run_until_complete(task)\n    except OSError:\n        pass", "warning"),
    ("    loop.call_later(1, task.cancel)\n    loop.run_forever()", "warning"),
])
def test_a_task_that_is_run_to_its_end_ends_the_program(run, level):
    text = ("import asyncio\n\nimport asyncpg\n\n\nasync def serve(dsn):\n    serve.asked = hasattr(serve, 'asked')\n"
            "    connection = await asyncpg.connect(dsn)\n    await connection.fetchrow('x')\n"
            "    await connection.close()\n\n\ndef main():\n    loop = asyncio.new_event_loop()\n"
            f"    task = loop.create_task(serve('x'))\n{run}\n\n\nif __name__ == '__main__':\n    main()\n")
    assert only("service.py", text).level == level


@pytest.mark.parametrize(("text", "level"), [
    ("def load(d):\n    try:\n        c = psycopg2.connect(d)\n        c.execute('x')\n        c.close()\n"
     "    except KeyError:\n        load('x')\n\n\nif __name__ == '__main__':\n    load('y')\n", "note"),
    ("def load(a):\n    try:\n        c = psycopg2.connect(a.d)\n        c.execute('x')\n        c.close()\n"
     "    except Exception:\n        print(a)\n\n\ndef main():\n    parser = ArgumentParser()\n"
     "    parser.set_defaults(func=load)\n    a = parser.parse_args()\n    a.func(a)\n\n\n"
     "if __name__ == '__main__':\n    main()\n", "note"),
    ("def load(a):\n    try:\n        c = psycopg2.connect(a.d)\n        c.execute('x')\n        c.close()\n"
     "    except Exception:\n        print(a)\n\n\ndef main():\n    on_message(func=load)\n\n\n"
     "if __name__ == '__main__':\n    main()\n", "warning"),
])
def test_a_short_program_may_name_its_functions(text, level):
    head = "from argparse import ArgumentParser\n\nimport psycopg2\n\n\n"
    assert only("report.py", head + text).level == level


@pytest.mark.parametrize(("call", "level"), [
    ("self.copy(options['path'])", "note"),
    ("[self.copy(path) for path in options['paths']]", "note"),
    ("map(self.copy, options['paths'])", "warning"),
])
def test_a_method_of_a_command_ends_with_it(call, level):
    text = ("import sqlite3\n\nfrom django.core.management.base import BaseCommand\n\n\nclass Command(BaseCommand):\n"
            f"    def handle(self, *args, **options):\n        {call}\n\n    def copy(self, path):\n"
            "        source = sqlite3.connect(path)\n        source.execute('VACUUM')\n        source.close()\n")
    assert only("management/commands/copy.py", text).level == level


@pytest.mark.parametrize(("around", "level"), [
    ("(async () => {\n%s})();\n", "note"),
    ("const main = async () => {\n%s};\nmain();\n", "note"),
    ("async function main() {\n%s}\nmain().catch(console.error);\n", "warning"),
    ("export async function main() {\n%s}\n", "warning"),
])
def test_a_rejection_that_nobody_handles_ends_the_program(around, level):
    body = "const t = setInterval(beat, 1);\nawait work();\nclearInterval(t);\n"
    assert only("a.js", around % body).level == level


@pytest.mark.parametrize(("version", "cleanup"), [
    ("^2.7.14", "beforeDestroy"), ("~3.4", "beforeUnmount"), ("latest", "beforeUnmount")])
def test_the_place_to_undo_it_is_named_as_the_version_of_the_framework_names_it(version, cleanup):
    page = ("<script>\nexport default {\n  mounted() { setInterval(() => this.load(), 1000); },\n"
            "  methods: { load() { fetch('/a'); } },\n};\n</script>\n")
    package = f'{{"dependencies": {{"vue": "{version}"}}}}'
    found = report({"src/Page.vue": page, "src/main.js": "import Page from './Page.vue';\nPage();\n",
                    "package.json": package}).findings
    assert [f.rule for f in found] == ["interval-not-cleared"] and f"`{cleanup}` is the place" in found[0].message


@pytest.mark.parametrize(("start", "count"), [
    ("if __name__ == '__main__':\n    serve(8000)\n", 0),  # no loop runs yet: this raises, and makes no task
    ("async def main():\n    serve(8000)\n\n\nif __name__ == '__main__':\n    asyncio.run(main())\n", 1),
    ("@app.get('/')\ndef index():\n    serve(8000)\n", 1),
])
def test_a_task_needs_a_loop_that_runs(start, count):
    text = ("import asyncio\nimport uvicorn\n\n\nasync def sweep():\n    await asyncio.sleep(9)\n"
            "    await store.sweep()\n\n\ndef serve(port):\n    asyncio.create_task(sweep())\n"
            "    uvicorn.run(app, port=port)\n\n\n")
    assert len(findings("a.py", text + start)) == count


@pytest.mark.parametrize(("loop", "count"), [
    ("while self.rows:\n            await store(self.rows.popleft())", 0),
    ("while self.rows:\n            while self.rows and self.fits():\n                store(self.rows.popleft())", 0),
    ("while self.rows:\n            await store(self.rows[0])", 1),
    ("while True:\n            await store(self.rows.popleft())", 1),
])
def test_a_task_that_works_something_off_ends_by_itself(loop, count):
    text = ("import asyncio\n\n\nclass Store:\n    def add(self, row):\n        self.rows.append(row)\n"
            "        self.writer = asyncio.create_task(self.write())\n\n"
            f"    async def write(self):\n        {loop}\n\n    def shutdown(self):\n        self.rows.clear()\n")
    assert len([it for it in findings("a.py", text) if it.level == "warning"]) == count


@pytest.mark.parametrize(("caller", "count"), [
    ("export default new Event(Events.ClientReady, async () => {\n  Presence.startBeat();\n});\n", 0),
    ("export default new Event(Events.MessageCreate, async (message) => {\n  Presence.startBeat();\n});\n", 1),
    ("export default { name: 'ready', once: true, run: () => Presence.startBeat() };\n", 0),
    ("export default { name: 'message', run: (message) => Presence.startBeat() };\n", 1),
    ("Presence.startBeat();\n", 0),
    ("", 1),
])
def test_what_a_file_hands_out_in_an_object_runs_as_often_as_it_is_called(caller, count):
    text = "const startBeat = () => {\n  setInterval(() => show(), 1000);\n};\nexport const Presence = { startBeat };\n"
    head = "import { Events } from 'discord.js';\nimport { Presence } from './a.js';\n"
    assert len(findings("a.js", text, ready_js=head + caller)) == count
