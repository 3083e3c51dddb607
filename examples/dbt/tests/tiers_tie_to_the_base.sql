-- Returns a row when the tiers do not add up to the whole, to the cent.
select tiers.total, equity.economic_profit
from (select sum(economic_profit) as total from {{ ref('tier_profit') }}) as tiers
cross join {{ source('whalecurve', 'customer_equity') }} as equity
where tiers.total <> equity.economic_profit
