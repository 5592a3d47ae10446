"""M/M/1 in Ciw: a network of one node."""

import ciw
import shared


def model(customers, seed):
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=0.8)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[1],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers, method="Finish")

    def inside_mean():
        records = simulation.get_all_records()
        return sum(record.exit_date - record.arrival_date for record in records) / max(r.exit_date for r in records)

    return inside_mean


shared.time(model)
