select
    'weekday' as season,
    weekday as value,
    factor
from weekdays
union all
select
    'hour' as season,
    hour as value,
    weight * 24 / 1000 as factor
from hours
order by season, value
