"""One request, with what Python brings along."""

import os
import urllib.error
import urllib.request

try:
    urllib.request.urlopen(os.environ["BROWNOUT_URL"] + "/orders").read()
except urllib.error.URLError as error:
    raise SystemExit(f"failed: {error}")
