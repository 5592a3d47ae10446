"""Retries around retries, as they grow in a program: an SDK within a framework, and a job queue around both.

    python3 layers.py        an SDK of three tries within a framework of four: 12 requests of one call
    python3 layers.py queue  a job queue of three tries around them: 36
"""

import os
import sys
import time
import urllib.error
import urllib.request


def retried(tries, waits, work):
    """Makes so many tries at the most, with these waits between them, in seconds."""

    def run():
        for attempt in range(tries):
            try:
                return work()
            except urllib.error.URLError:
                if attempt + 1 == tries:
                    raise
                time.sleep(waits[attempt])

    return run


def request():
    return urllib.request.urlopen(os.environ["BROWNOUT_URL"] + "/chat", data=b"{}").read()


call = retried(tries=3, waits=[0.1, 0.15], work=request)
call = retried(tries=4, waits=[0.4, 0.4, 0.4], work=call)
if sys.argv[1:] == ["queue"]:
    call = retried(tries=3, waits=[1.0, 1.0], work=call)
try:
    call()
except urllib.error.URLError as error:
    raise SystemExit(f"gave up: {error}")
