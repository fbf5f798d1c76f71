"""Listens with an independent client (httpx-sse), cuts its connection at random moments and comes back with the last id.

Arguments: address, token, query, seed. A line on the standard input says which id is the last; then what was seen is printed."""

import json
import random
import sys
import threading
import time

import httpx
from httpx_sse import connect_sse

address, token, query, seed = sys.argv[1:5]
dice = random.Random(int(seed))
last_of_all = []
threading.Thread(target=lambda: last_of_all.append(int(sys.stdin.readline())), daemon=True).start()

seen, cuts, last_id = [], 0, None
give_up_at = time.monotonic() + 90


def is_done():
    return bool(last_of_all) and last_id is not None and last_id >= last_of_all[0]


def listen(client):
    """Reads until the dice, or a silence, cuts the line."""
    global last_id
    headers = {"Authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    patience = dice.choice([0.05, 0.2, 1.0])
    events_left = dice.choice([1, 3, 10, 40])
    with connect_sse(client, "GET", f"{address}/api/v1/stream{query}", headers=headers, timeout=httpx.Timeout(10, read=patience)) as source:
        for event in source.iter_sse():
            if event.id:
                last_id = int(event.id)
            if event.data:
                seen.append([int(event.id), event.event, json.loads(event.data)])
                events_left -= 1
            if events_left == 0 or is_done():
                return


with httpx.Client(trust_env=False) as client:
    while not is_done() and time.monotonic() < give_up_at:
        try:
            listen(client)
        except httpx.ReadTimeout:
            pass
        cuts += 1

print(json.dumps({"seen": seen, "cuts": cuts, "last_id": last_id}))
