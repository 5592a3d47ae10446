"""M/M/1 in SimPy: a process a customer, a resource with one place."""

import random

import shared
import simpy


def customer(env, server, spent):
    arrived = env.now
    with server.request() as turn:
        yield turn
        yield env.timeout(random.expovariate(1.0))
    spent[0] += env.now - arrived


def arrivals(env, customers, spent):
    server = simpy.Resource(env, capacity=1)
    for _ in range(customers):
        env.process(customer(env, server, spent))
        yield env.timeout(random.expovariate(0.8))


def model(customers, seed):
    random.seed(seed)
    env, spent = simpy.Environment(), [0.0]
    env.process(arrivals(env, customers, spent))
    env.run()
    return lambda: spent[0] / env.now


shared.time(model)
