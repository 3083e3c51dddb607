-- What the customers of each value tier have earned.
select
    segment.value_tier,
    count(*) as customers,
    sum(profit.net_revenue) as net_revenue,
    sum(profit.economic_profit) as economic_profit
from {{ source('whalecurve', 'customer_profit_total') }} as profit
join {{ source('whalecurve', 'customer_segment') }} as segment using (customer_id)
group by segment.value_tier
