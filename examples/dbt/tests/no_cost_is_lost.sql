-- Returns a pool whose cost is not where it must be.
select pool, period
from {{ source('whalecurve', 'pool_balance') }}
where own + received <> sent + allocated + unused + over_driven + under_absorbed + sustained + unassigned
