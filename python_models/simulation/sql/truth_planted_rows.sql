select
    planted_id as event_id,
    kind,
    arrival_date,
    received_at
from rows
where kind is not null
order by event_id, copy
