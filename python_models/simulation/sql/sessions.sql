-- When sessions take place. The sessions of a device keep 31 minutes of distance: each starts at
-- the time it wants or when the one before lets it, which is the running maximum below.
with

lengths as (

    select
        session_key,
        max(second) as length,
        count(*) as events
    from steps
    group by session_key

),

wanted as (

    select
        drafts.*,
        lengths.length,
        lengths.events,
        coalesce(sum(lengths.length + 31 * 60) over earlier, 0) as taken
    from drafts
    inner join lengths using (session_key)
    window earlier as (
        partition by anonymous_id, day
        order by wanted_start, session_key
        rows between unbounded preceding and 1 preceding
    )

),

placed as (

    select
        *,
        taken + max(wanted_start - taken) over (
            partition by anonymous_id, day
            order by wanted_start, session_key
            rows unbounded preceding
        ) as start
    from wanted

),

timed as (

    select
        *,
        midnight(day)
        + to_hours(getvariable('day_starts_at_hour'))
        + to_seconds(cast(start as bigint))
        + to_milliseconds(below(uniform('millisecond', session_key), 1000)) as started_at,
        started_at + to_seconds(length) as ended_at
    from placed

)

-- The day and the simulation end for all; a session that would go on beyond does not take place.
select * exclude (wanted_start, length, taken, start)
from timed
where
    start + length + 31 * 60 < 24 * 3600
    and ended_at < midnight(getvariable('days'))
