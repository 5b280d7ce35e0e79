-- The rows as they are written: events in time or late, second rows, and broken ones.
with

received as (

    select
        *,
        happens('late', event_key, getvariable('late_share')) as is_late,
        is_late and happens('very late', event_key, getvariable('very_late_share'))
            as is_very_late,
        occurred_at
        + to_milliseconds(below(uniform('way', event_key), 2000))
        + case
            when is_very_late
                then to_days(
                        getvariable('lookback_days')
                        + 1
                        + below(uniform('very late days', event_key), getvariable('very_late_days'))
                    )
            when is_late
                then to_days(
                        1 + below(uniform('late days', event_key), getvariable('lookback_days'))
                    )
            else to_days(0)
        end as received_at,
        0 as copy,
        case when is_very_late then 'very_late' when is_late then 'late' end as kind
    from events

),

second_rows as (

    select
        * replace (
            1 as copy,
            case
                when happens('moved', event_key, getvariable('moved_duplicate_share'))
                    then 'moved_duplicate'
                else 'duplicate'
            end as kind,
            case
                when happens('moved', event_key, getvariable('moved_duplicate_share'))
                    then received_at + to_days(1)
                else received_at
            end as received_at
        )
    from received
    where happens('duplicate', event_key, getvariable('duplicate_share'))

),

broken_rows as (

    select
        * replace (
            2 as copy,
            event_id || '-broken' as event_id,
            broken_kind_of(uniform('how broken', event_key)) as kind
        )
    from received
    where happens('broken', event_key, getvariable('broken_share'))

),

all_rows as (

    select * from received
    union all
    select * from second_rows
    union all
    select * from broken_rows

)

select
    event_id as planted_id,
    kind,
    copy,
    cast(received_at as date) as arrival_date,
    * exclude (event_id, kind, copy, event_key, session_id, person_id, is_late, is_very_late)
    replace (
        case when kind = 'unknown_type' then 'teleport' else event_type end as event_type,
        case
            when kind = 'no_timestamp' then null
            when kind = 'year_1970' then timestamp '1970-01-01 00:00:00'
            when kind = 'year_2199' then timestamp '2199-12-31 23:59:59'
            else occurred_at
        end as occurred_at,
        case when kind = 'negative_dwell' then -5 else dwell_seconds end as dwell_seconds
    ),
    case when kind = 'missing_event_id' then null else event_id end as event_id,
    'web' as channel,
    true as is_simulated
from all_rows
