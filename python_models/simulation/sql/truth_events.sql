select
    event_id,
    session_id,
    person_id
from events
order by event_id
