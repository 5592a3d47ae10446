"""tenacity around httpx, which itself does not retry."""

import os

import httpx
from tenacity import retry, stop_after_attempt, wait_exponential_jitter


@retry(stop=stop_after_attempt(4), wait=wait_exponential_jitter(multiplier=0.2, max=2, jitter=0.2), reraise=True)
def order(client):
    client.get("/orders").raise_for_status()


with httpx.Client(base_url=os.environ["BROWNOUT_URL"]) as client:
    try:
        order(client)
    except httpx.HTTPError as error:
        raise SystemExit(f"gave up: {error}")
