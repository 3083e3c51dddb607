#!/usr/bin/env python3
"""Everything that portfolio, equity and decisions can be told, beside a ledger made by `whalecurve generate`.

    portfolio_tables.py LEDGER

Writes LEDGER/portfolio/*.parquet and LEDGER/portfolio.yaml: a sales pipeline, lessons, interactions, payments by quarter, actions with a
candidate list, prospects, a market, targets and an acquisition plan. The tables follow from the customers' numbers alone, so that two
runs of this script write the same. ILLUSTRATIVE: sizes are those of a large company, amounts mean nothing.
"""

import sys
from pathlib import Path

import duckdb

# One table a query; `c` is the customers table, `n` a number that is as good as random in 0..999.
TABLES = {
    "pipeline": """
        SELECT customer_id, (n + 1)::DECIMAL(18, 2) AS amount, 0.05 + n % 90 / 100.0 AS probability,
            DATE '2025-01-15' + (n % 300)::INTEGER AS closes, 0.30 AS margin
        FROM c WHERE n % 10 = 0""",
    "lessons": """
        SELECT customer_id, (n / 10)::DECIMAL(18, 2) AS value, DATE '2024-01-01' + (n % 360)::INTEGER AS learned, 365 AS half_life
        FROM c WHERE n % 20 = 1""",
    "interactions": """
        SELECT customer_id, ['idea', 'complaint', 'demanding_request', 'praise'][1 + n % 4] AS kind,
            DATE '2024-01-01' + (n % 360)::INTEGER AS date
        FROM c WHERE n % 5 = 2""",
    "payments": """
        SELECT customer_id, quarter, (n / 4)::DECIMAL(18, 2) AS balance, n % 70 AS days_late, (n % 50)::DECIMAL(18, 2) AS overdue,
            (n % 7 // 6 * 3)::DECIMAL(18, 2) AS disputed
        FROM c, (VALUES ('2023-Q4'), ('2024-Q4')) quarters(quarter) WHERE n % 2 = 0""",
    "service": """
        SELECT customer_id, driver, quantity, '2024-Q' || (1 + customer_id % 4) AS quarter
        FROM read_parquet('{ledger}/driver_quantities/*.parquet') ORDER BY customer_id, driver""",
    "wallets": """
        SELECT customer_id, channel, region, CASE WHEN n % 3 = 0 THEN (n * 5)::DECIMAL(18, 2) END AS wallet,
            CASE WHEN n % 3 = 0 THEN 0.2 END AS may_be_won, n % 400 = 7 AS benchmark
        FROM c""",
    "actions": """
        SELECT * FROM (VALUES ('newsletter', 0.20, NULL::VARCHAR, 0.05, NULL, NULL, NULL, 0.5, 0.4),
            ('call', 2.50, NULL, 0.30, NULL, NULL, NULL, 0.6, 0.5), ('club', 1.50, NULL, NULL, 0.01, NULL, 0.20, 0.8, 0.3),
            ('self_service', 0.40, NULL, NULL, NULL, -0.30, NULL, 1.0, 0.1)
        ) a(action, cost, value_tier, frequency, margin, cost_to_serve, retention, probability, uncertainty)""",
    "prospects": """
        SELECT 'p' || customer_id AS prospect_id, channel, (n + 10)::DECIMAL(18, 2) AS expected_revenue,
            (n % 40)::DECIMAL(18, 2) AS acquisition_cost
        FROM c WHERE n % 100 = 3""",
    "market": "SELECT * FROM (VALUES ('rival', 400000, 30.00), ('others', 900000, 12.00)) m(competitor, customers, value)",
    "targets": "SELECT * FROM (VALUES ('orders_per_customer', 2.5), ('lifetime_value', 60.0)) t(measure, target)",
    "plan": "SELECT * FROM (VALUES (DATE '2025-06-30', 50000, 900000.00)) p(date, customers, cost)",
}

CONFIG = """version: 1
name: Everything about a million customers
currency: EUR
as_of: 2024-12-29
period: quarter
seed: 1
outputs: [customer_profit_total, customer_value, customer_segment, segment_value, segment_migration, customer_decline, customer_payment, concentration,
  whale_curve, customer_equity, segment_equity, segment_measure, equity_share, acquisition_value, equity_bridge, new_customer_value, product_profit,
  product_entry, decision_invest, decision_invest_total, decision_invest_curve, decision_keep, decision_prospect]
inputs:
  transactions:
    path: transactions
    columns: {customer_id: customer_id, date: date, order_id: order_id, amount: amount, quantity: quantity, discount: discount,
      product_id: product_id}
  customers:
    path: portfolio/wallets.parquet
    columns: {customer_id: customer_id, segment: channel, channel: channel, region: region, benchmark: benchmark, wallet: wallet,
      wallet_probability: may_be_won}
  products: {path: products, columns: {product_id: product_id, unit_cost: unit_cost}}
  pools: {path: pools, columns: {activity: activity, amount: amount, capacity: practical_capacity}}
  driver_quantities: {path: portfolio/service.parquet, columns: {customer_id: customer_id, driver: driver, quantity: quantity, period: quarter}}
  receivables:
    path: portfolio/payments.parquet
    columns: {customer_id: customer_id, period: quarter, balance: balance, days_late: days_late, overdue: overdue, disputed: disputed}
  referrals: {path: referrals, columns: {referrer: referrer_id, referred: referred_id, date: date}}
  opportunities: {path: portfolio/pipeline.parquet, columns: {customer_id: customer_id, amount: amount, probability: probability,
    date: closes, margin: margin}}
  learning: {path: portfolio/lessons.parquet, columns: {customer_id: customer_id, value: value, date: learned, half_life: half_life}}
  interactions: {path: portfolio/interactions.parquet, columns: {customer_id: customer_id, kind: kind, date: date}}
  actions:
    path: portfolio/actions.parquet
    columns: {action: action, cost: cost, value_tier: value_tier, frequency: frequency, margin: margin, cost_to_serve: cost_to_serve,
      retention: retention, probability: probability, uncertainty: uncertainty}
  prospects: {path: portfolio/prospects.parquet, columns: {prospect_id: prospect_id, channel: channel,
    expected_revenue: expected_revenue, acquisition_cost: acquisition_cost}}
  market: {path: portfolio/market.parquet, columns: {competitor: competitor, customers: customers, value: value}}
  targets: {path: portfolio/targets.parquet, columns: {measure: measure, target: target}}
  acquisition_plan: {path: portfolio/plan.parquet, columns: {date: date, customers: customers, cost: cost}}
drivers:
  orders: {count_distinct: order}
  returns: {count: lines, where: "quantity < 0"}
activities:
  storage: {level: product, method: revenue, negative: zero}
  order_handling: {level: order, method: driver, driver: orders}
  picking: {level: order, method: driver, driver: picking_minutes}
  delivery: {level: order, method: driver, driver: deliveries}
  expediting: {level: order, method: driver, driver: expedites}
  returns_handling: {level: order, method: driver, driver: returns}
  phone_support: {level: customer, method: driver, driver: calls}
  field_visits: {level: customer, method: driver, driver: visits}
  account_upkeep: {level: customer, method: average}
capital_charge: {rate_per_year: 0.10}
forecast: {model: bg_nbd, spend: gamma_gamma, time_unit: week, horizon: 52 weeks, discount_rate_per_year: 0.10, paths: 0}
portfolio:
  networking: {new_share: 0.5, decay: 0.5, acquisition_cost: 20.00}
  ways_to_serve: {phone: {drivers: {visits: 0.2}}, web: {activities: {phone_support: 0}}}
  segments:
    key: "net_revenue >= 1000.00 AND channel = 'field'"
    lapsed: "frequency < 2 AND present_profit <= 0"
    online: "channel = 'web'"
  clusters: {clusters: 4, columns: [net_revenue, cm3, frequency], scale: rank}
equity: {cohort: month, bridge: {from: 2023-12-31}}
decisions:
  invest: {budget: 100000.00}
  keep: {avoidable_order_cost: 0.70, avoidable_customer_cost: 0.40, max_price_rise: 0.25, price_elasticity: 0.5}
  prospects: {max_probability_of_loss: 0.6}
"""


def main() -> None:
    ledger = Path(sys.argv[1])
    folder = ledger / "portfolio"
    folder.mkdir(exist_ok=True)
    connection = duckdb.connect()
    connection.execute(
        "CREATE VIEW c AS SELECT customer_id, channel, region, (customer_id * 7919 % 104729 % 1000)::INTEGER AS n "
        f"FROM read_parquet('{ledger}/customers/*.parquet') ORDER BY customer_id"
    )
    for name, query in TABLES.items():
        connection.execute(f"COPY ({query.replace('{ledger}', str(ledger))}) TO '{folder}/{name}.parquet' (FORMAT parquet)")
    (ledger / "portfolio.yaml").write_text(CONFIG)


if __name__ == "__main__":
    main()
