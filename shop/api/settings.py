import os

DEFAULT_PRICES = "http://localhost:9000"

DATABASE_URL = os.environ["DATABASE_URL"]
PRICES_URL = os.getenv("PRICES_URL", DEFAULT_PRICES)
CACHE_HOST = os.getenv("CACHE_HOST") or "127.0.0.1"
