"""Services that do not wait for what they depend on: which code needs it at once, and which later or never."""

from __future__ import annotations

import pytest

from projects import report

COMPOSE = """services:
  api:
    build: api
    depends_on: [db, cache, queue]
  db: {image: "postgres:17"}
  cache: {image: "redis:8"}
  queue: {image: "rabbitmq:4"}
"""
SERVED = "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD uvicorn main:app --host 0.0.0.0\n"
RUN = "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD python main.py\n"
NODE = "FROM node:22\nWORKDIR /srv\nCOPY . .\nCMD node main.js\n"
GO = "FROM golang:1.24\nCOPY . .\nRUN go build -o /app\nCMD /app\n"
APP = "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n"
CONNECT = "psycopg2.connect(os.environ['DB_URL'])\n"
ENGINE = "import os\nfrom sqlalchemy import create_engine\nengine = create_engine(os.environ['DB_URL'])\n"
OPENED = """from contextlib import asynccontextmanager
import asyncpg, os
from fastapi import FastAPI
@asynccontextmanager
async def opened(app):
    {}
    yield
    {}
app = FastAPI(lifespan=opened)
"""
POOL = "pool = await asyncpg.create_pool(os.environ['DB_URL'])"
WORKER = """import asyncio, os
import aio_pika
async def main():
    connection = await aio_pika.connect_robust(os.environ['BROKER_URL'])
    await asyncio.Future()
if __name__ == '__main__':
    asyncio.run(main())
"""
PG = "const { Pool, Client } = require('pg');\nconst pool = new Pool({ connectionString: process.env.DB_URL });\n"
CLIENT = PG + "const client = new Client(process.env.DB_URL);\n"
MODELS = """const { Sequelize } = require('sequelize');
const sequelize = new Sequelize(process.env.DB_URL);
module.exports = { sequelize };
"""
SYNCED = "const { sequelize } = require('./models');\nsequelize.sync()"
CACHES = """const Redis = require('ioredis');
const { createClient } = require('redis');
exports.one = new Redis(process.env.REDIS_URL);
exports.two = createClient({ url: process.env.REDIS_URL });
exports.two.connect();
"""


def python(text: str, image: str = SERVED, **more: str) -> dict[str, str]:
    """A service with this main module."""
    return {"Dockerfile": image, "main.py": text} | {f"{name}.py": code for name, code in more.items()}


def node(text: str, **more: str) -> dict[str, str]:
    """The same of JavaScript."""
    return {"Dockerfile": NODE, "main.js": text} | {f"{name}.js": code for name, code in more.items()}


@pytest.mark.parametrize(("files", "found"), [
    # it connects while it is loaded, or before it serves
    (python(APP + "import store\n", store="import os, psycopg2\nconnection = " + CONNECT), ["warning db"]),
    (python(APP + "import models\nmodels.Base.metadata.create_all(bind=models.engine)\n",
            models=ENGINE + "from sqlalchemy.orm import DeclarativeBase as Base\n"), ["warning db"]),
    (python(APP + "from models import Base, engine\nBase.metadata.create_all(bind=engine)\n",
            models=ENGINE + "from sqlalchemy.orm import DeclarativeBase as Base\n"), ["warning db"]),
    (python(OPENED.format(POOL, "await pool.close()")), ["warning db"]),
    (python(OPENED.format("pass", POOL)), []),
    (python(APP + "from databases import Database\nstore = Database(os.environ['DB_URL'])\n"
            "@app.on_event('startup')\nasync def opened():\n    await store.connect()\n"), ["warning db"]),
    (python(APP + "from databases import Database\nstore = Database(os.environ['DB_URL'])\n"
            "@app.on_event('shutdown')\nasync def closed():\n    await store.connect()\n"), []),
    (python(WORKER, RUN), ["warning queue"]),
    (python(WORKER + APP), []),
    (python(APP + "import redis\ncache = redis.from_url(os.environ['REDIS_URL'])\ncache.ping()\n"), ["warning cache"]),
    (node(PG + "async function init() {\n  await pool.query('SELECT 1');\n}\ninit();\n"), ["warning db"]),
    (node(CLIENT + "client.connect();\n"), ["warning db"]),
    (node(SYNCED + ".then(() => console.log('ready'));\n", models=MODELS), ["warning db"]),
    (node(SYNCED + ".catch((error) => { console.error(error); process.exit(1); });\n", models=MODELS), ["warning db"]),
    # it changes the tables first
    (python(APP, SERVED.replace("CMD ", "CMD alembic upgrade head && ")), ["warning db"]),
    (python(APP, SERVED.replace("CMD ", "CMD alembic upgrade head || true; ")), []),
    (python(APP, SERVED.replace("CMD ", "CMD until alembic upgrade head; do sleep 1; done; ")), []),
    # it connects when it is asked, or clients wait by themselves
    (python(APP + "import psycopg2\ndef rows():\n    return " + CONNECT), []),
    (python(ENGINE + APP), []),
    (python(APP + "import redis\ncache = redis.from_url(os.environ['REDIS_URL'])\n"), []),
    (python(APP + "from celery import Celery\ntasks = Celery('tasks', broker=os.environ['BROKER_URL'])\n"), []),
    (node(PG + "exports.rows = () => pool.query('SELECT 1');\n"), []),
    (node(CACHES), []),
    # a failure is taken care of, or it is not sure that it connects
    (python(APP + "import psycopg2\ntry:\n    c = " + CONNECT + "except Exception:\n    c = None\n"), []),
    (python(APP + "import psycopg2\ntry:\n    c = " + CONNECT + "except Exception as e:\n    raise OSError from e\n"),
     ["warning db"]),
    (python(APP + "import psycopg2\nfor _ in range(9):\n    c = " + CONNECT), []),
    (python(APP + "import psycopg2\nif os.getenv('WARM'):\n    c = " + CONNECT), []),
    (python(APP + "def fill():\n    import depot\n", depot="import os, psycopg2\nc = " + CONNECT), []),
    (python(APP, depot="import os, psycopg2\nc = " + CONNECT), []),
    (python(APP + "from sqlalchemy import MetaData, create_engine\nengine = create_engine('sqlite:///a.db')\n"
            "MetaData().create_all(engine)\n"), []),
    (node(CLIENT + "client.connect((error) => { if (error) console.error(error); });\n"), []),
    (node(SYNCED + ".catch((error) => console.error(error));\n", models=MODELS), []),
])
def test_a_service_needs_what_it_depends_on_when_it_starts(files, found):
    project = {f"api/{name}": text for name, text in files.items()} | {"compose.yaml": COMPOSE}
    rows = [f for f in report(project).findings if f.rule == "depends-on-unready" and f.level == "warning"]
    assert [f"{f.level} {f.symbol.rpartition(':')[2]}" for f in rows] == found
    assert all(any(not s.place.path.endswith(".yaml") for s in f.steps) for f in rows)


@pytest.mark.parametrize(("files", "found"), [
    (python(APP), ["note db", "note queue"]),
    (python(APP + "import psycopg2\ndef rows():\n    return " + CONNECT), ["note db", "note queue"]),
    (python(APP, SERVED.replace("CMD ", "CMD ./wait-for-it.sh db:5432 -- ")), []),
    (python(APP + "import psycopg2, time\nfor attempt in range(9):\n    try:\n        c = " + CONNECT
            + "        break\n    except psycopg2.OperationalError:\n        time.sleep(1)\n"), ["note queue"]),
    ({"Dockerfile": GO, "main.go": "package main\n"}, ["note db", "note queue"]),
    ({"Dockerfile": GO, "main.go": "package main // postgres: 5 attempts\n"}, ["note queue"]),
])
def test_what_does_not_wait_is_a_note(files, found):
    """Clients of caches wait by themselves, and so does what tries again."""
    project = {f"api/{name}": text for name, text in files.items()} | {"compose.yaml": COMPOSE}
    rows = [f for f in report(project).findings if f.rule == "depends-on-unready"]
    assert [f"{f.level} {f.symbol.rpartition(':')[2]}" for f in rows] == found
