"""What runs while a module is imported: the second facts about a client, chains of calls, the order of evaluation."""

from __future__ import annotations

import pytest

from connlint.checks.import_chain import check
from connlint.config import Config
from connlint.engine import Options, Session
from connlint.model import program as p
from connlint.project.evaluation import evaluate
from connlint.project.timeline import at_import
from connlint.project.tree import MemoryTree
from projects import RULES, report

OURS = ("module-scope-pool", "import-time-connection", "oversized-pool", "sticky-singleton", "late-env-load")


def said(files: dict[str, str]) -> list[str]:
    """"RULE level path:line" of every finding of this family."""
    found = report(files)
    return sorted(f"{f.rule} {f.level} {f.place.path}:{found.sources[f.place.path].line(f.place.at[0])}"
                  for f in found.findings if f.rule in OURS)


def levels(text: str, path: str = "db.py", **others: str) -> list[str]:
    """The level of every module-scope-pool of a small project."""
    files = {path: text, **{name.replace("__", "."): body for name, body in others.items()}}
    return [f.level for f in report(files).findings if f.rule == "module-scope-pool"]


ENGINE = "import os\nfrom sqlalchemy import create_engine\n"


@pytest.mark.parametrize(("code", "level"), [
    # where
    ("e = create_engine(os.environ['U'])", ["note"]),
    ("class Db:\n    e = create_engine(os.environ['U'])", ["note"]),
    ("if os.environ.get('U'):\n    e = create_engine(os.environ['U'])", ["note"]),
    ("if os.environ.get('X'):\n    e = create_engine(os.environ['U'])", []),  # opened by those alone who ask for it
    ("try:\n    e = create_engine(os.environ['U'])\nexcept Exception:\n    e = None", ["note"]),
    ("def f(e=create_engine(os.environ['U'])):\n    return e", ["note"]),
    ("def wrap(e):\n    return lambda f: f\n\n@wrap(create_engine(os.environ['U']))\ndef f():\n    pass", ["note"]),
    ("e = [create_engine(u) for u in os.environ['U'].split()]", ["note"]),
    ("def f():\n    return create_engine(os.environ['U'])", []),
    ("e = lambda: create_engine(os.environ['U'])", []),
    ("class Db:\n    def __init__(self):\n        self.e = create_engine(os.environ['U'])", []),
    ("if __name__ == '__main__':\n    e = create_engine(os.environ['U'])", []),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    e = create_engine(os.environ['U'])", []),
    # what
    ("e = create_engine('sqlite:///app.db')", []),
    ("e = create_engine('sqlite://')", []),
    ("e = create_engine(os.environ.get('U', 'sqlite:///app.db'))", []),
    ("e = create_engine(os.environ.get('U', 'postgresql://localhost/app'))", ["error"]),
    ("e = create_engine(os.environ.get('U') or 'postgresql://127.0.0.1/app')", ["error"]),
    ("e = create_engine(os.environ.get('U', 'postgresql://db/app'))", ["note"]),
    ("e = create_engine(os.environ.get('U'))", ["warning"]),
    ("u = os.environ.get('U')\nif not u:\n    raise SystemExit('U is not set')\ne = create_engine(u)", ["note"]),
    ("e = create_engine(os.environ['U'])\ne.connect()", ["warning"]),
])
def test_levels_python(code, level):
    assert levels(ENGINE + code) == level


@pytest.mark.parametrize(("code", "level"), [
    ("import psycopg2\nc = psycopg2.connect(host='db')", ["warning"]),
    ("import aiohttp\ns = aiohttp.ClientSession()", ["warning"]),
    ("from psycopg_pool import AsyncConnectionPool\np = AsyncConnectionPool('postgres://db', open=False)", ["note"]),
    ("from psycopg_pool import AsyncConnectionPool\np = AsyncConnectionPool('postgres://db')", ["warning"]),
    ("from psycopg_pool import ConnectionPool\np = ConnectionPool('postgres://db', min_size=0)", ["note"]),
    ("from psycopg_pool import ConnectionPool\np = ConnectionPool('postgres://db', min_size=1)", ["warning"]),
    ("from psycopg_pool import NullConnectionPool\np = NullConnectionPool('postgres://db')", ["note"]),
    ("from aiokafka import AIOKafkaProducer\np = AIOKafkaProducer(bootstrap_servers='kafka:9092')", ["warning"]),
    ("from pymongo import MongoClient\nc = MongoClient('mongodb://db')", ["warning"]),
    ("import redis\nc = redis.Redis(host='redis')", ["note"]),
    ("from celery import Celery\nc = Celery('x', broker='redis://redis')", []),
    ("import boto3\nc = boto3.client('s3')", []),
    ("import requests\ns = requests.Session()", []),
    ("import redis\nc = redis.Redis(host='redis')\ndef handler(event, context):\n    return c.get('x')", []),
    ("import psycopg2\nc = psycopg2.connect(host='db')\ndef lambda_handler(event, context):\n    c.cursor()", []),
    ("import psycopg2\nc = psycopg2.connect(host='db')\ndef handler(signum, frame):\n    c.close()", ["warning"]),
    ("import functions_framework, psycopg2\nc = psycopg2.connect(host='db')\n"
     "@functions_framework.http\ndef sync(request):\n    c.cursor()", []),
    ("import functions_framework, aiohttp\ns = aiohttp.ClientSession()\n"
     "@functions_framework.http\ndef sync(request):\n    s.get('x')", ["warning"]),
    ("import redis, sys\nc = redis.Redis(host='redis')\nprint(c.get(sys.argv[1]))", []),
])
def test_levels_of_other_clients(code, level):
    assert levels(code) == level


POOL = "import { Pool } from 'pg';\n"
PRISMA = "import { PrismaClient } from '@prisma/client';\n"


@pytest.mark.parametrize(("code", "level"), [
    (POOL + "export const pool = new Pool();", ["note"]),
    (POOL + "export class Db { static pool = new Pool(); }", ["note"]),
    (POOL + "export class Db { pool = new Pool(); }", []),
    (POOL + "export const pool = (() => new Pool())();", ["note"]),
    (POOL + "export const pool = () => new Pool();", []),
    (POOL + "let pool; export const get = () => pool ??= new Pool();", []),
    (POOL + "export const pool = new Pool({ host: process.env.H || 'localhost' });", ["error"]),
    (POOL + "const { H = 'localhost' } = process.env; export const pool = new Pool({ host: H });", ["error"]),
    (POOL + "const h = process.env.NODE_ENV === 'production' ? process.env.H : 'localhost';\n"
            "export const pool = new Pool({ host: h });", ["warning"]),
    (POOL + "export const pool = new Pool({ connectionString: process.env.H });", ["warning"]),
    (POOL + "if (!process.env.H) throw new Error('H');\n"
            "export const pool = new Pool({ connectionString: process.env.H });", ["note"]),
    (PRISMA + "export const prisma = globalThis.prisma ?? new PrismaClient();", []),
    (PRISMA + "export const prisma = globalThis.prisma || new PrismaClient();\nglobalThis.prisma = prisma;", []),
    (PRISMA + "const g = globalThis as unknown as { prisma: PrismaClient };\n"
              "export const prisma = g.prisma || new PrismaClient();\n"
              "if (process.env.NODE_ENV !== 'production') g.prisma = prisma;", []),
    (PRISMA + "let prisma: PrismaClient;\nif (process.env.NODE_ENV === 'production') prisma = new PrismaClient();\n"
              "else { if (!global.prisma) global.prisma = new PrismaClient(); prisma = global.prisma; }\n"
              "export default prisma;", []),
    (PRISMA + "export const prisma = new PrismaClient();\nglobalThis.prisma = prisma;", []),
    (PRISMA + "const prisma = new PrismaClient();\nasync function main() {}\n"
              "main().finally(() => prisma.$disconnect());", []),
    ("import Redis from 'ioredis';\nexport const r = new Redis({ host: 'redis', lazyConnect: true });", ["note"]),
    ("import Redis from 'ioredis';\nexport const r = new Redis('redis://redis');", ["warning"]),
    ("import { Queue } from 'bullmq';\nimport { connection } from './redis';\n"
     "export const q = new Queue('mail', { connection });", []),
    ("import { MongoClient } from 'mongodb';\nexport const c = new MongoClient(process.env.MONGO_URL!);", ["warning"]),
    ("import { MongoClient } from 'mongodb';\nconst u = process.env.MONGO_URL;\nif (!u) throw new Error('MONGO_URL');\n"
     "export const c = new MongoClient(u);", ["note"]),
    ("import { createClient } from 'redis';\nexport const c = createClient({ url: 'redis://redis' });\n"
     "await c.connect();", ["warning"]),
    ("const { onRequest } = require('firebase-functions/v2/https');\nconst Redis = require('ioredis');\n"
     "const redis = new Redis('redis://redis');\nexports.sync = onRequest((req, res) => redis.get('x'));", []),
    ("import { createClient } from '@supabase/supabase-js';\n"
     "export const c = createClient(process.env.SUPABASE_URL!, 'key');", ["warning"]),
    ("import knex from 'knex';\nexport const k = knex({ client: 'better-sqlite3', connection: { filename: 'a' } });",
     []),
    ("import mongoose from 'mongoose';\nimport express from 'express';\nmongoose.connect('mongodb://db');\n"
     "express().listen(3000);", []),
])
def test_levels_javascript(code, level):
    assert levels(code, "db.ts") == level


@pytest.mark.parametrize(("files", "found"), [
    ({"package.json": '{ "dependencies": { "next": "15" } }',
     "lib/db.ts": PRISMA + "export const p = new PrismaClient();",
      "app/page.tsx": "import { p } from '../lib/db';\nexport default () => p.user.count();"},
     ["module-scope-pool warning lib/db.ts:2"]),
    # no page imports it
    ({"package.json": '{ "dependencies": { "next": "15" } }',
     "lib/db.ts": PRISMA + "export const p = new PrismaClient();"},
     ["module-scope-pool note lib/db.ts:2"]),
    ({"package.json": '{ "dependencies": { "express": "5" } }',
     "lib/db.ts": PRISMA + "export const p = new PrismaClient();"},
     ["module-scope-pool note lib/db.ts:2"]),
    ({"package.json": '{ "name": "db" }', "src/db.ts": PRISMA + "export const p = new PrismaClient();",
      "prisma/schema.prisma": 'datasource db {\n  provider = "sqlite"\n}'}, []),
    ({"packages/db/package.json": '{ "name": "@app/db" }',
     "packages/db/index.ts": POOL + "export const p = new Pool();",
      "apps/web/package.json": '{ "dependencies": { "next": "15", "@app/db": "*" } }'},
     ["module-scope-pool warning packages/db/index.ts:2"]),
    ({"Procfile": "web: gunicorn --preload app:app", "db.py": ENGINE + "e = create_engine(os.environ['U'])"},
     ["module-scope-pool warning db.py:3"]),
    ({"Procfile": "web: gunicorn --preload app:app", "db.py": "import redis\nr = redis.Redis(host='cache')"},
     ["module-scope-pool note db.py:2"]),  # it sees that it was forked, and connects anew
    ({"gunicorn.conf.py": "preload_app = True\ndef post_fork(server, worker):\n    from db import e\n    e.dispose()\n",
      "db.py": ENGINE + "e = create_engine(os.environ['U'])"}, ["module-scope-pool note db.py:3"]),
    ({"Procfile": "web: gunicorn app:app # --preload", "db.py": ENGINE + "e = create_engine(os.environ['U'])"},
     ["module-scope-pool note db.py:3"]),
    ({"shop/management/commands/erase.py": "import redis\nr = redis.Redis(host='cache')\nclass Command: ...",
      "shop/cache.py": "import redis\nr = redis.Redis(host='cache')"}, ["module-scope-pool note shop/cache.py:2"]),
    # loaded by a program that has got ready, and asked back by what it imports itself
    ({"package.json": '{ "type": "module", "scripts": { "start": "node index.js" } }',
      "index.js": "await ready();\nconst { app } = await import('./app.js');\napp.listen(1);",
      "app.js": "import { connect } from './db.js';\nimport './stop.js';\nexport const c = connect();\n"
                "export const app = {};",
      "stop.js": "import { c } from './app.js';\nprocess.on('SIGTERM', () => c.quit());",
      "db.js": "import Redis from 'ioredis';\nexport const connect = () => new Redis('r');"}, []),
    # a class that calls itself by another name, and a context manager
    ({"db.py": "import os, psycopg2\nfrom contextlib import contextmanager\nclass Repo:\n    def __init__(self):\n"
               "        self.c = psycopg2.connect(os.environ['U'])\n    @classmethod\n    def make(cls):\n"
               "        return cls()\n@contextmanager\ndef session():\n    yield Repo()\n",
      "store.py": "from fastapi import APIRouter\nfrom db import Repo, session\napp = APIRouter()\nr = Repo.make()\n"
                "with session() as s:\n    s.c\nlater = session()\n"},
     ["import-time-connection warning store.py:4", "import-time-connection warning store.py:5"]),
    # a thin starter, and what it starts
    ({"package.json": '{ "type": "module", "scripts": { "start": "node index.js" } }',
      "index.js": "import './server.js';", "server.js": "import { connect } from './db.js';\nconnect();",
      "job.js": "import { connect } from './db.js';\nexport const c = connect();",
      "db.js": "import Redis from 'ioredis';\nexport const connect = () => new Redis('r');"},
     ["import-time-connection warning job.js:2"]),
    ({"tests/db.py": ENGINE + "e = create_engine(os.environ['U'])",
      "migrations/env.py": ENGINE + "e = create_engine(os.environ['U'])"}, []),
    ({"helpers/pool.ts": POOL + "export const p = new Pool();", "a.test.ts": "import { p } from './helpers/pool';"},
     []),
])
def test_surroundings(files, found):
    assert said(files) == found


@pytest.mark.parametrize(("body", "level"), [
    ("", "warning"),
    ("    def model_post_init(self, _):\n        if not self.URL:\n"
     "            self.URL = f'postgresql://{self.HOST}/app'\n", "note"),
    ("    @field_validator('URL', mode='before')\n    def fill(cls, v, info):\n"
     "        return v or f\"postgresql://{info.data['HOST']}/app\"\n", "note"),
])
def test_an_address_that_the_settings_fill_themselves_is_not_missing(body, level):
    assert levels(
        "from sqlalchemy import create_engine\nfrom settings import settings\nengine = create_engine(settings.URL)\n",
        main__py="from fastapi import FastAPI\nimport db\napp = FastAPI()\n",
        settings__py="from pydantic import field_validator\nfrom pydantic_settings import BaseSettings\n"
        f"class S(BaseSettings):\n    HOST: str\n    URL: str | None = None\n{body}\nsettings = S()\n",
    ) == [level]


GET = POOL + "let pool;\nexport function getPool() {\n  pool ??= new Pool();\n  return pool;\n}\n"
IMPORTED = "import { x } from './use';\nexport const y = () => x;\n"


@pytest.mark.parametrize(("files", "found"), [
    ({"pool.ts": GET, "use.ts": "import { getPool } from './pool';\nexport const x = getPool();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:2"]),
    ({"pool.ts": GET, "use.ts": "import { getPool as get } from './pool';\nexport const x = get();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:2"]),
    ({"pool.ts": GET, "use.ts": "import * as db from './pool';\nexport const x = db.getPool();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:2"]),
    ({"pool.ts": GET, "index.ts": "export * from './pool';", "use.ts":
      "import { getPool } from './index';\nexport const x = getPool();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:2"]),
    ({"pool.js": "const { Pool } = require('pg');\nmodule.exports = { getPool: () => new Pool() };",
      "use.js": "const { getPool } = require('./pool');\nexports.x = getPool();",
      "in.js": "const { x } = require('./use');"},
     ["import-time-connection note use.js:2"]),
    ({"pool.ts": GET, "use.ts": "import { getPool } from './pool';\nexport const x = () => getPool();",
     "in.ts": IMPORTED},
     []),
    ({"pool.ts": GET, "use.ts": "import { getPool } from './pool';\nexport const x = globalThis.p ?? getPool();",
      "in.ts": IMPORTED}, []),
    ({"pool.ts": GET, "repo.ts": "import { getPool } from './pool';\nexport class Repo {\n  private p = getPool();\n}",
      "use.ts": "import { Repo } from './repo';\nexport const x = new Repo();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:2"]),
    ({"pool.ts": GET,
     "repo.ts": "import { getPool } from './pool';\nexport class Repo {\n  load() { return getPool(); }\n}",
      "use.ts": "import { Repo } from './repo';\nexport const x = new Repo();", "in.ts": IMPORTED}, []),
    ({"pool.ts": GET,
     "repo.ts": "import { getPool } from './pool';\nexport class Repo {\n  load() { return getPool(); }\n}",
      "use.ts": "import { Repo } from './repo';\nconst r = new Repo();\nexport const x = r.load();", "in.ts": IMPORTED},
     ["import-time-connection note use.ts:3"]),
    # the program's own start: connecting is its job
    ({"pool.ts": GET, "index.ts": "import { getPool } from './pool';\nconst p = getPool();\np.query('x');"}, []),
    ({"db.py": "import psycopg2\nclass Db:\n    def __init__(self):\n        self.c = psycopg2.connect(host='db')\n",
      "use.py": "from db import Db\ndb = Db()\n", "main.py": "import use\n"},
      ["import-time-connection warning use.py:2"]),
    ({"db.py": "import psycopg2\ndef connect():\n    return psycopg2.connect(host='db')\n",
      "use.py": "import db\nclass Repo:\n    c = db.connect()\n", "main.py": "import use\n"},
     ["import-time-connection warning use.py:3"]),
    ({"db.py": "import psycopg2\nasync def connect():\n    return psycopg2.connect(host='db')\n",
      "use.py": "import db\nc = db.connect()\n", "main.py": "import use\n"}, []),
    ({"db.py": "import redis\ndef a():\n    return b()\ndef b():\n    return a() or redis.Redis(host='r')\n",
      "use.py": "import db\nc = db.a()\n", "main.py": "import use\n"}, ["import-time-connection note use.py:2"]),
])
def test_chains(files, found):
    assert said(files) == found


def test_a_chain_reads_only_the_files_on_it():
    files = {
        "one.py": "import redis\nfrom four import later\n\ndef client_of_one():\n    return redis.Redis(host='r')\n",
        "two.py": "from one import client_of_one\n\ndef client_of_two():\n    return client_of_one()\n",
        "three.py": "from two import client_of_two\n\nclass Three:\n"
                    "    def __init__(self):\n        self.c = client_of_two()\n",
        "four.py": "from three import Three\n\nthree = Three()\n\ndef later():\n    return three\n",
        "main.py": "import four\n",
        **{f"other{i}.py": f"import four\n\ndef f{i}():\n    return four.later()\n" for i in range(40)},
    }
    session = Session(MemoryTree(files), RULES, Config(), Options(jobs=1))
    drafts = list(check(session.project, RULES.cards["import-time-connection"], RULES))
    assert [(d.place.path, [s.place.path for s in d.steps]) for d in drafts] == [
        ("four.py", ["four.py", "three.py", "two.py", "one.py"])]
    assert set(session.project._modules) <= {"one.py", "two.py", "three.py", "four.py", "main.py"}


def test_a_chain_through_a_workspace_reads_only_the_files_on_it():
    """Five files in three packages, barrels and a cycle between; sixty other files import what is on the chain."""
    manifest = '{{ "name": "@shop/{0}", "type": "module", "main": "./src/index.ts", "dependencies": {{ {1} }} }}'
    files = {
        "package.json": '{ "private": true, "workspaces": ["packages/*", "apps/*"] }',
        "packages/db/package.json": manifest.format("db", ""),
        "packages/db/src/index.ts": "export { connectToShop } from './client.js';\nexport * from './types.js';\n",
        "packages/db/src/types.ts": "export type Row = { id: string };\nexport const LIMIT = 10;\n",
        "packages/db/src/client.ts": "import { Pool } from 'pg';\nimport { later } from './cycle.js';\n"
            "export function connectToShop() {\n  return new Pool({ host: 'db' });\n}\nexport const f = () => later;\n",
        "packages/db/src/cycle.ts": "import { f } from './client.js';\nexport const later = () => f;\n",
        "packages/core/package.json": manifest.format("core", '"@shop/db": "*"'),
        "packages/core/src/index.ts": "export { OrderStore } from './store.js';\n",
        "packages/core/src/store.ts": "import { connectToShop } from '@shop/db';\nexport class OrderStore {\n"
            "  private pool = openOrders();\n  get all() { return this.pool; }\n}\n"
            "function openOrders() { return connectToShop(); }\n",
        "apps/api/package.json": manifest.format("api", '"@shop/core": "*"'),
        "apps/api/src/services.ts":
            "import { OrderStore } from '@shop/core';\nexport const orders = new OrderStore();\n",
        "apps/api/src/index.ts": "import { orders } from './services.js';\nimport http from 'http';\n"
            "http.createServer(() => orders).listen(1);\n",
        **{f"apps/api/src/routes/r{i}.ts":
           "import { orders } from '../services.js';\nimport { LIMIT } from '@shop/db';\n"
           f"export const r{i} = () => [orders, LIMIT];\n" for i in range(60)},
    }
    session = Session(MemoryTree(files), RULES, Config(), Options(jobs=1))
    drafts = list(check(session.project, RULES.cards["import-time-connection"], RULES))
    assert [(d.place.path, [s.place.path for s in d.steps]) for d in drafts] == [("apps/api/src/services.ts", [
        "apps/api/src/services.ts", "packages/core/src/store.ts", "packages/core/src/store.ts",
        "packages/db/src/client.ts"])]
    read = set(session.project._modules)
    chain = {"apps/api/src/services.ts", "packages/core/src/index.ts", "packages/core/src/store.ts",
             "packages/db/src/index.ts", "packages/db/src/client.ts"}
    assert chain <= read
    assert len(read) <= len(chain) + 2, sorted(read - chain)


def test_a_chain_in_python_packages_with_a_cycle_reads_only_the_files_on_it():
    files = {
        "shop/__init__.py": "",
        "shop/db.py": "import redis\nfrom shop import services\n\ndef shop_client():\n"
                      "    return redis.Redis(host='r')\n\ndef late():\n    return services.orders\n",
        "shop/stores/__init__.py": "from .orders import OrderStore\n",
        "shop/stores/orders.py": "from ..repositories import repository_of\n\nclass OrderStore:\n"
                                 "    def __init__(self):\n        self.rows = repository_of('orders')\n",
        "shop/repositories.py": "from shop.db import shop_client\n\ndef repository_of(name):\n"
                                "    return shop_client(), name\n",
        "shop/services.py": "from shop.stores import OrderStore\n\norders = OrderStore()\n",
        "main.py": "from shop.services import orders\n\nprint(orders)\n",
        **{f"shop/views/v{i}.py": f"from shop.services import orders\n\ndef v{i}():\n    return orders\n"
           for i in range(60)},
    }
    session = Session(MemoryTree(files), RULES, Config(), Options(jobs=1))
    drafts = list(check(session.project, RULES.cards["import-time-connection"], RULES))
    assert [(d.place.path, [s.place.path for s in d.steps]) for d in drafts] == [("shop/services.py", [
        "shop/services.py", "shop/stores/orders.py", "shop/repositories.py", "shop/db.py"])]
    read = set(session.project._modules)
    chain = {"shop/services.py", "shop/stores/__init__.py", "shop/stores/orders.py", "shop/repositories.py",
             "shop/db.py"}
    assert len(read - chain) <= 2, sorted(read - chain)


@pytest.mark.parametrize(("body", "found"), [
    ("if (!pool) pool = new Pool({ host: config.host });\n  return pool;", ["sticky-singleton warning db.ts:5"]),
    ("return pool ??= new Pool({ host: config.host });", ["sticky-singleton warning db.ts:5"]),
    ("if (pool) return pool;\n  pool = new Pool({ host: config.host });\n  return pool;",
     ["sticky-singleton warning db.ts:6"]),
    ("if (pool === undefined) { const p = new Pool({ host: config.host }); pool = p; }\n  return pool;",
     ["sticky-singleton warning db.ts:5"]),
    ("return new Pool({ host: config.host });", []),
    ("const pool = new Pool({ host: config.host });\n  return pool;", []),
    ("pool ??= new Pool({ host: process.env.DB_HOST });\n  return pool;", []),
    ("pool ??= new Pool({ host: 'db' });\n  return pool;", []),
])
def test_sticky(body, found):
    code = POOL + "import { config } from './config';\nlet pool;\nexport function get() {\n  " + body + "\n}"
    assert said({"db.ts": code,
    "config.ts": "export const config = { host: process.env.DB_HOST ?? 'localhost' };"}) == found


@pytest.mark.parametrize(("body", "found"), [
    ("@lru_cache\ndef client():\n    return redis.Redis(host=HOST)", 1),
    ("@lru_cache(maxsize=1)\ndef client():\n    return redis.Redis(host=HOST)", 1),
    ("@lru_cache\ndef client(host=HOST):\n    return redis.Redis(host=host)", 0),
    ("_c = None\ndef client():\n    global _c\n    if _c is None:\n        _c = redis.Redis(host=HOST)\n    return _c",
     1),
    ("class C:\n    _c = None\n    @classmethod\n    def get(cls):\n        if not cls._c:\n"
     "            cls._c = redis.Redis(host=HOST)\n        return cls._c", 1),
    ("class C:\n    @cached_property\n    def c(self):\n        return redis.Redis(host=HOST)", 1),
    ("def client():\n    c = redis.Redis(host=HOST)\n    return c", 0),
])
def test_sticky_python(body, found):
    code = ("import os\nfrom functools import cached_property, lru_cache\nimport redis\n"
            "HOST = os.getenv('REDIS_HOST', 'localhost')\n" + body)
    assert len(said({"cache.py": code})) == found


@pytest.mark.parametrize(("code", "path", "found"), [
    (POOL + "export const f = () => new Pool({\n  max: 500,\n});", "db.ts", ["oversized-pool warning db.ts:3"]),
    (POOL + "const MAX = 500;\nexport const f = () => new Pool({ max: MAX });", "db.ts",
     ["oversized-pool warning db.ts:3"]),
    (POOL + "export const f = () => new Pool({ max: 100 });", "db.ts", []),
    (POOL + "export const f = () => new Pool({ max: Number(process.env.MAX ?? 500) });", "db.ts", []),
    (ENGINE + "def f(u):\n    return create_engine(u, pool_size=60,\n                         max_overflow=60)",
     "db.py",
     ["oversized-pool warning db.py:4"]),
    (ENGINE + "def f(u):\n    return create_engine(u, pool_size=20, max_overflow=30)", "db.py", []),
    ("import redis\ndef f():\n    return redis.Redis(host='r', max_connections=500)", "db.py", []),
    ("import redis\ndef f():\n    return redis.Redis(host='r', max_connections=50000)", "db.py",
     ["oversized-pool warning db.py:3"]),
    ("import knex from 'knex';\nexport const f = (c) => knex({ connection: c, pool: { min: 2, max: 400 } });", "db.ts",
     ["oversized-pool warning db.ts:2"]),
])
def test_limits(code, path, found):
    assert said({path: code}) == found


READS = "export const url = process.env.DATABASE_URL;\n"
LATE = "import dotenv from 'dotenv';\ndotenv.config();\n"
LATE += "import { url } from './db';\nexport const x = () => url;\nx();\n"
PLAIN = {"type": None, "module": '{ "type": "module" }'}


@pytest.mark.parametrize(("files", "found"), [
    ({"index.mjs": LATE.replace("./db", "./db.mjs"), "db.mjs": READS}, ["index.mjs:2"]),
    ({"package.json": PLAIN["module"], "index.ts": LATE, "db.ts": READS}, ["index.ts:2"]),
    ({"package.json": '{ "scripts": { "dev": "tsx index.ts" } }', "index.ts": LATE, "db.ts": READS}, ["index.ts:2"]),
    ({"package.json": '{ "scripts": { "dev": "ts-node index.ts" } }', "index.ts": LATE, "db.ts": READS}, []),
    ({"tsconfig.json": '{ "compilerOptions": { "module": "commonjs" } }', "index.ts": LATE, "db.ts": READS}, []),
    ({"package.json": '{ "type": "module", "scripts": { "dev": "node --env-file=.env index.js" } }',
      "index.js": LATE, "db.js": READS}, []),
    ({"package.json": '{ "type": "module", "scripts": { "start": "node -r dotenv/config index.js" } }',
      "index.js": LATE, "db.js": READS}, []),
    ({"package.json": PLAIN["module"], "index.ts": "import 'dotenv/config';\nimport { url } from './db';\nurl;",
     "db.ts": READS},
     []),
    ({"package.json": PLAIN["module"], "index.ts": "import { url } from './db';\nimport 'dotenv/config';\nurl;",
     "db.ts": READS},
     ["index.ts:2"]),
    ({"package.json": PLAIN["module"], "index.ts": "import './env';\nimport { url } from './db';\nurl;",
      "env.ts": "import dotenv from 'dotenv';\ndotenv.config();", "db.ts": READS}, []),
    ({"package.json": PLAIN["module"], "index.ts": "import { url } from './db';\nimport './env';\nurl;",
      "env.ts": "import dotenv from 'dotenv';\ndotenv.config();", "db.ts": READS}, ["env.ts:2"]),
    # a type alone is no import
    ({"package.json": PLAIN["module"], "index.ts": "import dotenv from 'dotenv';\nimport { Url } from './db';\n"
      "dotenv.config();\nlet u: Url;", "db.ts": READS + "export type Url = string;"}, []),
    # reads that come later, or that no file of variables is about
    ({"index.mjs": LATE.replace("./db", "./db.mjs"), "db.mjs": "export const url = () => process.env.DATABASE_URL;"},
     []),
    ({"index.mjs": LATE.replace("./db", "./db.mjs"), "db.mjs": "export const url = process.env.NODE_ENV;"}, []),
    ({"index.mjs": LATE.replace("./db", "./db.mjs"), "db.mjs": READS, ".env.example": "OTHER=1\n"}, []),
    ({"index.mjs": LATE.replace("./db", "./db.mjs"), "db.mjs": READS, ".env.example": "DATABASE_URL=\n"},
     ["index.mjs:2"]),
    # a read in a function that a top level calls, three files away
    ({"package.json": PLAIN["module"], "index.ts": LATE.replace("./db", "./a"),
      "a.ts": "import { make } from './b';\nexport const url = make();",
      "b.ts": "import { read } from './c';\nexport function make() {\n  return read();\n}",
      "c.ts": "export const read = () => process.env.DATABASE_URL;"}, ["index.ts:2"]),
    # CommonJS runs as written
    ({"index.js": "require('dotenv').config();\nconst { url } = require('./db');\nurl;", "db.js":
      "exports.url = process.env.DATABASE_URL;"}, []),
    ({"index.js": "const { url } = require('./db');\nrequire('dotenv').config();\nurl;", "db.js":
      "exports.url = process.env.DATABASE_URL;"}, ["index.js:2"]),
    ({"index.js": "const url = process.env.DATABASE_URL;\nrequire('dotenv').config();\nurl;"}, ["index.js:2"]),
    # Python
    ({"main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, ["main.py:3"]),
    ({"main.py": "from dotenv import load_dotenv\nload_dotenv()\nimport settings\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, []),
    ({"main.py": "from dotenv import load_dotenv\nfrom app.core import thing\nload_dotenv()\n",
     "app/core.py": "thing = 1\n",
      "app/__init__.py": "import os\nU = os.environ['U']\n"}, ["main.py:3"]),
    ({"main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\n",
      "settings.py": "import os\ndef url():\n    return os.getenv('U')\n"}, []),
    ({"main.py": "from dotenv import load_dotenv\nimport settings\ndef main():\n    load_dotenv()\nmain()\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, ["main.py:4"]),
    ({"main.py": "from dotenv import load_dotenv\nimport settings\ndef main():\n    load_dotenv()\n    import late\n"
                 "if __name__ == '__main__':\n    main()\n",
      "settings.py": "import os\nU = os.getenv('U')\n", "late.py": "import os\nV = os.getenv('V')\n"}, ["main.py:4"]),
    ({"main.py": "from dotenv import load_dotenv\nif __name__ == '__main__':\n    load_dotenv()\n    import settings\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, []),
    # a class that reads the file itself
    *(({"main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\n",
        "settings.py": "import os\nfrom pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
                       f"    U: str = os.getenv('U', '')\n{more}settings = S()\n"}, found)
      for more, found in (("", ["main.py:3"]), ("    class Config:\n        env_file = '.env'\n", []))),
    # a load in a function of another file
    ({"package.json": PLAIN["module"],
      "index.ts": "import { load } from './env';\nimport { url } from './db';\nload();\nurl;",
      "env.ts": "import dotenv from 'dotenv';\nexport function load() {\n  dotenv.config();\n}", "db.ts": READS},
     ["env.ts:3"]),
    # a program that loads variables starts another, which inherits them
    ({"server.js": "const { url } = require('./db');\nrequire('dotenv').config();\nurl;",
      "db.js": "exports.url = process.env.DATABASE_URL;",
      "start.js": "require('dotenv').config();\nrequire('child_process').fork('./server.js');\n"}, []),
    ({"main.py": "import os\nfrom dotenv import load_dotenv\nP = os.getenv('ENV_PATH', '.env')\nload_dotenv(P)\n"}, []),
    ({"Makefile": "run:\n\tflask run\n", "main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, []),
])
def test_late_loads(files, found):
    assert [row.split(" ")[2] for row in said(files) if row.startswith("late-env-load")] == found


def _started(command: str, entry: str = LATE, **package: str) -> dict[str, str]:
    """A program of two files, started by a script of its package; ES modules unless ``package`` says otherwise."""
    package = {"type": "module", **package}
    told = "".join(f', "{key}": "{value}"' for key, value in package.items() if value)
    name = "index.ts" if "index.ts" in command or "src" in command else "index.js"
    return {"package.json": f'{{ "scripts": {{ "start": "{command}" }}{told} }}', name: entry, "db.ts": READS}


CJS = '{ "compilerOptions": { "module": "commonjs", "outDir": "dist", "rootDir": "." } }'
NODE16 = CJS.replace("commonjs", "NodeNext")


@pytest.mark.parametrize(("command", "late", "more"), [
    # these run the imports of a file before all else in it
    ("node index.js", True, {}),
    ("tsx watch index.ts", True, {"type": ""}),
    ("esbuild index.ts --bundle --outfile=out.js && node out.js", True, {"type": ""}),
    ("node -r @swc-node/register index.ts", True, {"type": ""}),
    ("babel-node index.ts", True, {"type": ""}),
    ("vite-node index.ts", True, {"type": ""}),
    ("tsc && node dist/index.ts", True, {"tsconfig.json": NODE16}),
    # these where they stand
    ("tsc && node dist/index.ts", False, {"type": "", "tsconfig.json": CJS}),
    ("tsc && node dist/index.ts", False, {"type": "", "tsconfig.json": NODE16}),
    ("ts-node index.ts", False, {"type": "", "tsconfig.json": CJS}),
    # and here the variables are there before the program is
    ("node --env-file=.env index.js", False, {}),
    ("node --env-file-if-exists=.env index.js", False, {}),
    ("node --require=dotenv/config index.js", False, {}),
    ("node --import dotenv/config index.js", False, {}),
    ("node --import ./env.js index.js", False, {"env.js": "import dotenv from 'dotenv';\ndotenv.config();"}),
    ("node --import ./trace.js index.js", True, {"trace.js": "console.log('started');"}),
    ("NODE_OPTIONS='--require dotenv/config' node index.js", False, {}),
    ("nodemon -r dotenv/config index.js", False, {}),
    ("ts-node -r dotenv/config index.ts", False, {}),
    ("dotenv -e .env -- node index.js", False, {}),
    ("env-cmd node index.js", False, {}),
    ("bun run index.ts", False, {}),
    ("node index.js", False, {"nx.json": "{}"}),
])
def test_how_a_program_is_started_decides(command, late, more):
    files = _started(command, **{key: value for key, value in more.items() if "." not in key})
    files.update({key: value for key, value in more.items() if "." in key})
    assert [row for row in said(files) if row.startswith("late-env-load")] == (
        [f"late-env-load warning {next(x for x in files if x.startswith('index'))}:2"] if late else [])


@pytest.mark.parametrize(("files", "found"), [
    # a framework's server has loaded the variables before it imports a page
    ({"package.json": '{ "scripts": { "dev": "next dev" }, "dependencies": { "next": "15" } }',
      "pages/api/x.ts": "import dotenv from 'dotenv';\nimport { url } from '../../db';\ndotenv.config();\n"
                        "export default () => url;", "db.ts": READS}, []),
    # Nest loads when the decorator of a module is evaluated
    ({"package.json": '{ "scripts": { "start": "nest start" } }', "tsconfig.json": CJS,
      "src/main.ts": "import { AppModule } from './app.module';\nvoid AppModule;",
      "src/app.module.ts": "import { Module } from '@nestjs/common';\nimport { ConfigModule } from '@nestjs/config';\n"
                           "import { url } from '../db';\n\n@Module({ imports: [ConfigModule.forRoot()] })\n"
                           "export class AppModule { url = url; }", "db.ts": READS}, ["src/app.module.ts:5"]),
    ({"package.json": '{ "scripts": { "start": "nest start" } }', "tsconfig.json": CJS,
      "src/main.ts": "import { AppModule } from './app.module';\nvoid AppModule;",
      "src/app.module.ts": "import { Module } from '@nestjs/common';\nimport { ConfigModule } from '@nestjs/config';\n"
                           "import { url } from '../db';\n\n"
                           "@Module({ imports: [ConfigModule.forRoot({ ignoreEnvFile: true })] })\n"
                           "export class AppModule { url = url; }", "db.ts": READS}, []),
    # an import that is awaited after the load
    ({"package.json": '{ "type": "module" }', "index.js": "import dotenv from 'dotenv';\ndotenv.config();\n"
      "const { url } = await import('./db.js');\nurl;", "db.js": READS}, []),
    # settings classes read when they are made
    ({"main.py": "from dotenv import load_dotenv\nfrom settings import settings\nload_dotenv()\nprint(settings)\n",
      "settings.py": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    url: str\n"
                     "settings = S()\n"}, ["main.py:3"]),
    ({"main.py": "from dotenv import load_dotenv\nfrom settings import settings\nload_dotenv()\nprint(settings)\n",
      "settings.py": "from pydantic_settings import BaseSettings, SettingsConfigDict\nclass S(BaseSettings):\n"
                     "    model_config = SettingsConfigDict(env_file='.env')\n    url: str\nsettings = S()\n"}, []),
    ({"main.py": "from dotenv import load_dotenv\nfrom settings import S\nload_dotenv()\nsettings = S()\n",
      "settings.py": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    url: str\n"}, []),
    # defaults of parameters and fields are read when the function or class is defined
    ({"main.py": "from dotenv import load_dotenv\nfrom settings import f\nload_dotenv()\nf()\n",
      "settings.py": "import os\ndef f(u=os.getenv('U')):\n    return u\n"}, ["main.py:3"]),
    # commands that load the file first
    ({"Makefile": "run:\n\tuvicorn main:app --env-file .env\n",
      "main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\napp = settings.U\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, []),
    ({"Makefile": "run:\n\tdotenv run -- python main.py\n",
      "main.py": "from dotenv import load_dotenv\nimport settings\nload_dotenv()\n",
      "settings.py": "import os\nU = os.getenv('U')\n"}, []),
    # the imports above the load lead through four files and a cycle
    ({"main.py": "from dotenv import load_dotenv\nimport a\nload_dotenv()\n", "a.py": "import b\n",
      "b.py": "import c\n", "c.py": "import os, a\nU = os.environ['U']\n"}, ["main.py:3"]),
])
def test_late_loads_of_frameworks_and_classes(files, found):
    assert [row.split(" ")[2] for row in said(files) if row.startswith("late-env-load")] == found


def test_the_order_of_evaluation_survives_cycles():
    files = {"a.py": "import b\nimport d\n", "b.py": "import c\n", "c.py": "import a\nimport d\n", "d.py": "X = 1\n"}
    session = Session(MemoryTree(files), RULES, Config(), Options(jobs=1))
    begun = [event.path for event in evaluate(session.project, "a.py", lambda path: "written", lambda path: [])]
    assert begun == ["a.py", "b.py", "c.py", "d.py"]


@pytest.mark.parametrize(("code", "path", "found"), [
    ("f()\n", "a.py", [True]),
    ("import sys\nif sys.platform == 'win32':\n    f()\n", "a.py", [True]),
    ("def g(x=f()):\n    return f()\n", "a.py", [True, False]),
    ("class A:\n    x = f()\n    def m(self):\n        f()\n", "a.py", [True, False]),
    ("x = [f(i) for i in y]\n", "a.py", [True]),
    ("if __name__ == '__main__':\n    f()\nelse:\n    f()\n", "a.py", [False, True]),
    ("f();", "a.ts", [True]),
    ("(function () { f(); })();", "a.ts", [True, True]),
    ("(async () => { await f(); })();", "a.ts", [True, True]),
    ("class A { static x = f(); y = f(); static { f(); } }", "a.ts", [True, False, True]),
    ("if (require.main === module) f();", "a.js", [False]),
    ("if (import.meta.url === pathToFileURL(process.argv[1]).href) { f(); }", "a.mjs", [True, False]),
    ("new Promise((resolve) => { f(); });", "a.ts", [True, True]),
    ("xs.forEach((x) => f(x)); p.then(() => f());", "a.ts", [True, True, True, False]),
])
def test_what_runs_at_import(code, path, found):
    session = Session(MemoryTree({path: code}), RULES, Config(), Options(jobs=1))
    module = session.project.module(path)
    calls = sorted(module.nodes(p.Call), key=lambda call: call.at)
    assert [at_import(module, call) for call in calls] == found


LATE_DB = "import pg from 'pg';\nexport const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });\n"


@pytest.mark.parametrize(("main", "level"), [
    ("import dotenv from 'dotenv';\nimport { pool } from './db.js';\ndotenv.config();\npool.query('x');\n", "error"),
    ("import 'dotenv/config';\nimport { pool } from './db.js';\npool.query('SELECT 1');\n", "warning"),
    ("import { pool } from './db.js';\npool.query('SELECT 1');\n", "warning"),
])
def test_what_a_file_of_variables_sets_too_late_is_never_seen(main, level):
    files = {"package.json": '{"type": "module"}\n', "db.js": LATE_DB, "main.js": main}
    assert f"module-scope-pool {level} db.js:2" in said(files)


def test_a_chain_to_a_client_whose_variable_is_loaded_later_is_an_error():
    assert "import-time-connection error users.py:3" in said({
        "db.py": f"{ENGINE}def engine():\n    return create_engine(os.getenv('U'))\n",
        "users.py": "from db import engine\n\nusers = engine()\n",
        "main.py": "from fastapi import FastAPI\nfrom dotenv import load_dotenv\nfrom users import users\n\n"
                   "load_dotenv()\napp = FastAPI()\nprint(users)\n",
    })


@pytest.mark.parametrize(("config", "given", "level"), [
    ("module.exports = { db: { host: process.env.H || 'localhost' } };", "config.db", ["error"]),
    ("const config = { db: { host: process.env.H } };\nmodule.exports = config;", "config.db", ["warning"]),
    ("exports.db = { host: process.env.H || 'localhost' };", "{ host: config.db.host }", ["error"]),
    ("exports.db = { host: 'db.internal' };", "config.db", ["note"]),
    ("const need = (n) => { throw n; };\nexports.db = Object.freeze({ host: need('H') });", "config.db", ["note"]),
    ("exports.db = Object.freeze({ host: process.env.H ?? 'localhost' });", "config.db", ["error"]),
    ("const db = { host: process.env.H || '::1' };\nmodule.exports = { db };", "require('./config').db", ["error"]),
])
def test_options_that_another_file_holds_are_followed(config, given, level):
    code = f"const {{ Pool }} = require('pg');\nconst config = require('./config');\nexports.p = new Pool({given});\n"
    assert levels(code, "db.js", config__js=config) == level


def test_options_elsewhere_that_name_a_file_are_no_server():
    code = ("const { Sequelize } = require('sequelize');\nconst config = require('./config');\n"
            "exports.db = new Sequelize(config.db);\n")
    config = "exports.db = { dialect: 'sqlite', host: process.env.H || 'localhost' };"
    assert levels(code, "db.js", config__js=config) == []


CELERY = "from celery import Celery\nfrom db import e\napp = Celery('x')\n"
QUEUE = "services:\n  w:\n    build: .\n    command: "


@pytest.mark.parametrize(("tasks", "command", "level"), [
    (CELERY, "celery -A tasks worker", "warning"),
    (CELERY, '["celery", "-A", "tasks", "worker", "--pool", "solo"]', "note"),
    (CELERY, "celery -A tasks beat", "note"),
    (CELERY + "from celery.signals import worker_process_init\n", "celery -A tasks worker", "note"),
    ("from celery import Celery\napp = Celery('x')\n", "celery -A tasks worker", "note"),  # its workers never import it
])
def test_workers_of_a_queue_are_forked_after_the_import(tasks, command, level):
    files = {"db.py": ENGINE + "e = create_engine(os.environ['U'])\n", "web.py": "import db\n", "tasks.py": tasks}
    assert said({**files, "compose.yaml": f"{QUEUE}{command}\n"}) == [f"module-scope-pool {level} db.py:3"]


@pytest.mark.parametrize(("server", "level"), [
    ("const cluster = require('cluster');\nconst db = require('./db');\n"
     "if (cluster.isPrimary) cluster.fork();\nelse db.pool.query('x');\n", "warning"),
    ("const db = require('./db');\ndb.pool.query('x');\n", "note"),
])
def test_every_worker_of_a_cluster_builds_its_own(server, level):
    pool = "const { Pool } = require('pg');\nexports.pool = new Pool({ host: 'db' });\n"
    assert said({"db.js": pool, "server.js": server}) == [f"module-scope-pool {level} db.js:2"]
