"""What the Python models share: the clock around a run."""

import json
import sys
import time as clock


def time(model):
    """Runs a model with the customers and the seed of the command line, and prints what `mm1` expects of every program.

    The model returns a function that works out the mean number of customers inside; that is off the clock.
    """
    customers, seed = int(sys.argv[1]), int(sys.argv[2])
    start = clock.perf_counter()
    inside_mean = model(customers, seed)
    rate = 2 * customers / (clock.perf_counter() - start)
    print(json.dumps({"events_per_second": round(rate), "inside_mean": round(inside_mean(), 4)}))
