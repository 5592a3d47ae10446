"""A question to a language model that is overloaded, by a client that does as it is told and by one that does not.

    python3 chat.py        waits as Retry-After says, else 0.5 s, 1 s, 2 s and then always 2 s, for twelve tries
    python3 chat.py hasty  tries ten times, 0.1 s apart, whatever it is told

What it saw is printed, a line for each attempt: the status, and Retry-After or "-".
"""

import os
import sys
import time
import urllib.error
import urllib.request

HASTY = sys.argv[1:] == ["hasty"]


def ask():
    """The status of one attempt, and the Retry-After that came with it."""
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
    try:
        with urllib.request.urlopen(url, data=b'{"messages": []}') as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("retry-after")


overloaded = 0
for attempt in range(10 if HASTY else 12):
    status, retry_after = ask()
    print(status, retry_after or "-", flush=True)
    if status == 200:
        raise SystemExit
    if HASTY:
        time.sleep(0.1)
    elif retry_after:
        time.sleep(float(retry_after))
    else:
        time.sleep(min(0.5 * 2**overloaded, 2))
        overloaded += 1
raise SystemExit("gave up")
