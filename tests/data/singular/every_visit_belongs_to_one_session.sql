-- What a visitor does, by session event type, is in exactly one session, and nothing else is.
with

events as (

    select event_id
    from {{ ref('int_events_accepted') }}
    where
        {{ is_visit_event() }}

),

session_events as (

    select
        event_id,
        count(distinct session_id) as sessions
    from {{ ref('int_events_sessionized') }}
    group by event_id

)

select
    events.event_id,
    session_events.event_id as session_event_id,
    session_events.sessions
from events
full outer join session_events
    on events.event_id = session_events.event_id
where
    events.event_id is null
    or session_events.event_id is null
    or session_events.sessions != 1
