"""Programs that are run before and after their fix: the fault shows, and then it does not."""

# ruff: noqa: E501 - programs, some of them on one line
from __future__ import annotations

import os
import subprocess
import sys
from shutil import which

import pytest

from test_cli import write
from test_fixing import mended

NODE = which("node")

SETTINGS = 'import os\n\nURL = os.environ.get("DATABASE_URL", "postgres://localhost/app")\n'
READS = {"settings.py": SETTINGS, "main.py": "import settings\n\nprint(settings.URL)\n"}
POOL = """\
class Connection:
    def cursor(self):
        raise OSError("no such table")

    def close(self):
        print("closed")


def connect(dsn):
    return Connection()
"""
FAKE_DOTENV = {
    "node_modules/dotenv/package.json": '{"name": "dotenv", "type": "module", "exports": {".": "./index.js", "./config": "./config.js"}}',
    "node_modules/dotenv/index.js": "const config = () => { process.env.API_URL = 'https://api.example.com' }\nexport default { config }\n",
    "node_modules/dotenv/config.js": "import dotenv from './index.js'\ndotenv.config()\n",
}  # fmt: skip

PYTHON = {
    "a variable is required": (
        "env-localhost-fallback", READS, "postgres://localhost/app", "KeyError: 'DATABASE_URL'"),
    "and taken where it is set": (
        "env-localhost-fallback", READS, "postgres://db/app", "postgres://db/app", {"DATABASE_URL": "postgres://db/app"}),
    "a connection is closed after an error": (
        "connection-not-released", {"psycopg2.py": POOL, "main.py": """\
import psycopg2


def names(dsn):
    connection = psycopg2.connect(dsn)
    rows = connection.cursor().fetchall()
    connection.close()
    return rows


try:
    names("dbname=app")
except OSError as error:
    print(error)
"""}, "no such table", "closed\nno such table"),
    "a file is closed after an error": (
        "handle-not-closed", {"main.py": """\
from pathlib import Path


def save(path, rows):
    out = open(path, "w")
    for row in rows:
        out.write(row)
    out.close()


try:
    save("out.txt", ["all", None])
except TypeError as error:
    print(repr(Path("out.txt").read_text()), error is None)
"""}, "'' False", "'all' False"),
    "a task is kept until it is done": (
        "task-not-cancelled", {"main.py": """\
import asyncio
import gc


async def work():
    await asyncio.get_running_loop().create_future()


def begin():
    asyncio.create_task(work())


async def main():
    begin()
    await asyncio.sleep(0)
    gc.collect()
    print(len(asyncio.all_tasks()))


asyncio.run(main())
"""}, "1", "2"),
    "variables are loaded first": (
        "late-env-load", {"dotenv.py": "import os\n\n\ndef load_dotenv():\n    os.environ['DATABASE_URL'] = 'postgres://db/app'\n",
                          "config.py": "import os\n\nURL = os.getenv('DATABASE_URL')\n",
                          "main.py": "import config\nfrom dotenv import load_dotenv\n\nload_dotenv()\nprint(config.URL)\n"},
        "None", "postgres://db/app"),
    "variables are loaded first, by a function of another file": (
        "late-env-load", {"dotenv.py": "import os\n\n\ndef load_dotenv():\n    os.environ['DATABASE_URL'] = 'postgres://db/app'\n",
                          "config.py": "import os\n\nURL = os.getenv('DATABASE_URL')\n",
                          "begin.py": "from dotenv import load_dotenv\n\n\ndef begin():\n    load_dotenv()\n",
                          "main.py": 'import begin\nimport config\n\nif __name__ == "__main__":\n    begin.begin()\n    print(config.URL)\n'},
        "None", "postgres://db/app"),
    "a client that other files take is built when it is needed": (
        "module-scope-pool", {"redis.py": "class Redis:\n    def __init__(self, host):\n        print('built')\n\n    def get(self, key):\n        return key\n",
                              "store.py": "import os\n\nimport redis\n\ncache = redis.Redis(host=os.environ.get('REDIS_HOST', 'localhost'))\n",
                              ".env.example": "REDIS_HOST=cache\n",
                              "rows.py": "from store import cache\n\n\ndef row(key):\n    return cache.get(key)\n",
                              "main.py": "import rows\nimport store\n\nprint('imported')\n\n\ndef main():\n    print(rows.row('a'), store.cache.get('b'))\n\n\nmain()\n"},
        "built\nimported\na b", "imported\nbuilt\na b", {"REDIS_HOST": "cache"}),
    "a client is built when it is needed": (
        "module-scope-pool", {"redis.py": "class Redis:\n    def __init__(self, host):\n        print('built')\n\n    def get(self, key):\n        return key\n",
                              "store.py": "import os\n\nimport redis\n\ncache = redis.Redis(host=os.environ['REDIS_HOST'])\n\n\n"
                                          "def get(key):\n    return cache.get(key)\n",
                              "main.py": "import store\n\nprint('imported')\nprint(store.get('a'), store.get('b'))\n"},
        "built\nimported\na b", "imported\nbuilt\na b", {"REDIS_HOST": "cache"}),
}  # fmt: skip


def run(command, at, environment):
    plain = {k: v for k, v in os.environ.items() if not k.endswith(("_URL", "_HOST"))}
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=60,
                          env={**plain, **environment})
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def shown(tmp_path, rule, files, before, after, command, environment):
    """Run ``command`` in the project as it is and as it is mended."""
    outcome = mended({name: text for name, text in files.items() if not name.startswith("node_modules")}, select=(rule,))
    assert outcome.after, outcome.left
    write(tmp_path, files)
    assert run(command, tmp_path, environment) == before
    write(tmp_path, outcome.after)
    assert after in run(command, tmp_path, environment)


@pytest.mark.parametrize("case", PYTHON.values(), ids=PYTHON)
def test_python(tmp_path, case):
    rule, files, before, after, *environment = case
    shown(tmp_path, rule, files, before, after, [sys.executable, "-B", "main.py"], *environment or [{}])


READ_JS = {"main.js": "const base = process.env.API_URL || 'http://localhost:3000'\n\nconsole.log(new URL('/a', base).href)\n"}
JAVASCRIPT = {
    "a guard": ("env-localhost-fallback", READ_JS, "http://localhost:3000/a", "Node.js"),
    "a guard where it is set": (
        "env-localhost-fallback", READ_JS, "https://api/a", "https://api/a", {"API_URL": "https://api"}),
    "a function for several": (
        "env-localhost-fallback", {"main.js": """\
const config = {
  api: process.env.API_URL || "http://localhost:3000",
  cache: process.env.CACHE_URL || "redis://localhost:6379",
};

console.log(config.api, config.cache);
"""}, "https://api redis://localhost:6379", "Node.js", {"API_URL": "https://api"}),
    "a timer is stopped after an error": (
        "interval-not-cleared", {"main.js": """\
async function work(job) {
  const beat = setInterval(() => job.beat(), 20);
  await job.run();
  clearInterval(beat);
}

let beats = 0;
const job = { beat: () => { beats += 1; }, run: async () => { throw new Error('away'); } };
work(job).catch(() => setTimeout(() => { console.log(beats > 0); process.exit(); }, 120));
"""}, "true", "false"),
    "a client of a pool is given back after an error": (
        "connection-not-released", {"main.js": """\
const { Pool } = require('pg');

async function names(pool) {
  const client = await pool.connect();
  const result = await client.query('SELECT name FROM users');
  client.release();
  return result.rows;
}

names(new Pool()).catch((error) => console.log(error.message));
""", "node_modules/pg/index.js": """\
exports.Pool = class { async connect() { return { query: async () => { throw new Error('refused') }, release: () => console.log('released') } } };
"""}, "refused", "released\nrefused"),
    "variables are loaded first": (
        "late-env-load", {**FAKE_DOTENV, "package.json": '{"name": "app", "type": "module"}',
                          "config.js": "export const url = process.env.API_URL\n",
                          "main.js": "import dotenv from 'dotenv'\nimport { url } from './config.js'\n\ndotenv.config()\nconsole.log(url)\n"},
        "undefined", "https://api.example.com"),
    "variables are loaded where the program starts": (
        "late-env-load", {**FAKE_DOTENV, "package.json": '{"type": "module", "scripts": {"start": "node main.js"}, "dependencies": {"dotenv": "17"}}',
                          "config.js": "export const url = process.env.API_URL\n",
                          "mail.js": "import dotenv from 'dotenv'\n\ndotenv.config()\nexport const mail = () => process.env.MAIL_URL\n",
                          "main.js": "import { url } from './config.js'\nimport { mail } from './mail.js'\n\nconsole.log(url, mail())\n"},
        "undefined undefined", "https://api.example.com undefined"),
    "a transaction is rolled back before the pool lends its client on": (
        "connection-not-released", {"main.js": """\
const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL });

async function move(to) {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query('update', [to]);
  await client.query('COMMIT');
  client.release();
}

move('a').catch((error) => console.log(error.message));
""", "node_modules/pg/index.js": """\
class Client {
  async query(text) {
    console.log(text);
    if (text === 'update') throw new Error('locked');
  }
  release() { console.log('released'); }
}
exports.Pool = class {
  async connect() { return new Client(); }
};
"""}, "BEGIN\nupdate\nlocked", "BEGIN\nupdate\nROLLBACK\nreleased\nlocked", {"DATABASE_URL": "postgres://db/app"}),
    "a client that other files take is built when it is needed": (
        "module-scope-pool", {"store.js": """\
const Redis = require('ioredis');

const cache = new Redis(process.env.REDIS_URL);
cache.on('error', (error) => console.error(error));

module.exports = { cache, size: 2 };
""", "main.js": """\
const { cache, size } = require('./store');

const get = async (id) => cache.get(id);

console.log('imported');
get('a').then((value) => console.log(value, size));
""", "node_modules/ioredis/index.js": """\
module.exports = class {
  constructor() { console.log('built'); }
  on(name) { console.log(name); }
  get(id) { return id; }
};
"""}, "built\nerror\nimported\na 2", "imported\nbuilt\nerror\na 2", {"REDIS_URL": "redis://cache"}),
    "a client is built when it is needed": (
        "module-scope-pool", {"store.js": """\
const Redis = require('ioredis');

const cache = new Redis(process.env.REDIS_URL);

exports.get = (key) => cache.get(key);
""", "main.js": """\
const { get } = require('./store');

console.log('loaded');
console.log(get('a'), get('b'));
""", "node_modules/ioredis/index.js": "module.exports = class { constructor() { console.log('built') } get(key) { return key } };\n"},
        "built\nloaded\na b", "loaded\nbuilt\na b", {"REDIS_URL": "redis://cache"}),
}  # fmt: skip


@pytest.mark.skipif(NODE is None, reason="there is no node to run the fixed JavaScript with")
@pytest.mark.parametrize("case", JAVASCRIPT.values(), ids=JAVASCRIPT)
def test_javascript(tmp_path, case):
    rule, files, before, after, *environment = case
    shown(tmp_path, rule, files, before, after, [NODE, "main.js"], *environment or [{}])
