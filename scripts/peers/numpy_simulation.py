"""The Monte Carlo of `benches/models.rs` in vectorised numpy: one JSON line with nanoseconds a path and the mean value.

    python scripts/peers/numpy_simulation.py [--customers 20000] [--paths 100]

The same model (BG/NBD and Gamma-Gamma, one year of weeks, discount, cost of a purchase and of keeping a customer), written
as a numpy user would: all customers at once, paths in blocks; the first waiting time by inversion, later ones
exponential, dropout after each purchase, only paths that go on are kept.
"""

import argparse
import json
import time

import numpy as np

R, ALPHA, A, B = 0.7, 8.0, 0.8, 2.6
P, Q, GAMMA = 6.0, 4.0, 60.0
HORIZON, DELTA = 52.0, 0.002
MARGIN, ORDER_COST, SUSTAINING = 0.4, 3.0, 0.2


def base(customers, random):
    """Histories from the model itself: frequency, recency and age in weeks, total spend, P(alive)."""
    rate = random.gamma(R, 1 / ALPHA, customers)
    dropout = random.beta(A, B, customers)
    spend_rate = random.gamma(Q, 1 / GAMMA, customers)
    age = 104 - 52 * random.random(customers)
    x = np.zeros(customers)
    recency, total, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    going = np.arange(customers)
    while going.size:
        clock[going] += random.exponential(1 / rate[going])
        going = going[clock[going] < age[going]]
        x[going] += 1
        recency[going] = clock[going]
        total[going] += random.gamma(P, 1 / spend_rate[going])
        going = going[random.random(going.size) >= dropout[going]]
    gone = np.where(x > 0, A / (B + np.maximum(x, 1) - 1) * ((ALPHA + age) / (ALPHA + recency)) ** (R + x), 0)
    return x, age, total, 1 / (1 + gone)


def block(x, age, total, paths, random):
    """Values of `paths` futures of customers who are alive."""
    customers = x.size
    shape, scale = np.repeat(R + x, paths), np.repeat(ALPHA + age, paths)
    value = np.full(customers * paths, -SUSTAINING * -np.expm1(-DELTA * HORIZON) / DELTA)
    t = scale * np.expm1(random.exponential(1 / shape))
    going = np.flatnonzero(t < HORIZON)
    t, shape, scale = t[going], shape[going], scale[going]
    rate = random.gamma(shape + 1) / (scale + t)
    of = going // paths
    spend_rate = random.gamma(P * x[of] + Q) / (GAMMA + total[of])
    b = B + x[of]
    value[going] = 0
    while going.size:
        amount = random.gamma(P, 1 / spend_rate)
        value[going] += np.exp(-DELTA * t) * (MARGIN * amount - ORDER_COST)
        leaves = random.random(going.size) * (A + b) < A
        value[going[leaves]] -= SUSTAINING * -np.expm1(-DELTA * t[leaves]) / DELTA
        keep = ~leaves
        going, t, rate, spend_rate, b = going[keep], t[keep], rate[keep], spend_rate[keep], b[keep] + 1
        t = t + random.exponential(1 / rate)
        over = t >= HORIZON
        value[going[over]] -= SUSTAINING * -np.expm1(-DELTA * HORIZON) / DELTA
        keep = ~over
        going, t, rate, spend_rate, b = going[keep], t[keep], rate[keep], spend_rate[keep], b[keep]
    return value.reshape(customers, paths)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--paths", type=int, default=100)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    x, age, total, p_alive = base(options.customers, random)
    begin = time.perf_counter()
    # Blocks that stay near the caches.
    size, mean = 2_000, 0.0
    for start in range(0, options.customers, size):
        rows = slice(start, start + size)
        values = block(x[rows], age[rows], total[rows], options.paths, random)
        np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
        mean += float((p_alive[rows] * values.mean(axis=1)).sum())
    seconds = time.perf_counter() - begin
    paths = options.customers * options.paths
    print(json.dumps({"ns_per_path": seconds / paths * 1e9, "mean_value": mean / options.customers, "numpy": np.__version__}))


if __name__ == "__main__":
    main()
