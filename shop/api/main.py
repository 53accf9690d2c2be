import asyncio

import httpx
from fastapi import FastAPI
from settings import PRICES_URL, REQUEST_TIMEOUT

app = FastAPI()


async def watch(order: str) -> None:
    while True:
        await asyncio.sleep(2)
        print("still waiting for", order)


@app.post("/orders/{order}")
async def place(order: str) -> dict:
    watcher = asyncio.create_task(watch(order))
    async with httpx.AsyncClient(base_url=PRICES_URL, timeout=REQUEST_TIMEOUT) as client:
        response = await client.get(f"/prices/{order}")
    watcher.cancel()
    return response.json()
