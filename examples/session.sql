-- duckdb < session.sql, from the folder that `whalecurve run` has written.
SELECT count(*) AS customers, sum(economic_profit) AS economic_profit FROM 'customer_profit_total/*.parquet';

-- How much of the profit the best fifth of the customers bring.
SELECT max(profit_share) AS of_the_best_fifth FROM 'whale_curve/*.parquet' WHERE customer_share <= 0.2;

-- What each value tier is worth, with its interval.
SELECT segment, customers, equity_mean, equity_p05, equity_p95
FROM 'segment_value/*.parquet' WHERE segmentation = 'value_tier' ORDER BY equity_mean DESC;
