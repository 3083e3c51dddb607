-- duckdb < session.sql, from the folder that `whalecurve run` has written.
SELECT count(*) AS customers, sum(economic_profit) AS economic_profit FROM 'customer_profit_total/*.parquet';

-- How much of the profit the best fifth of the customers bring.
SELECT max(share_of_profit) AS of_the_best_fifth FROM 'whale_curve/*.parquet' WHERE share_of_customers <= 0.2;

-- What each value tier is worth, with its interval.
SELECT segment, customers, lifetime_value_mean, lifetime_value_p05, lifetime_value_p95
FROM 'segment_value/*.parquet' WHERE segmentation = 'value_tier' ORDER BY lifetime_value_mean DESC;
