"""requests, whose retries are those of urllib3."""

import os

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

retry = Retry(total=3, backoff_factor=0.2, status_forcelist=[429, 500, 502, 503, 504, 529])
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=retry))
try:
    print(session.get(os.environ["BROWNOUT_URL"] + "/orders").status_code)
except requests.exceptions.RetryError as error:
    raise SystemExit(f"gave up: {error}")
