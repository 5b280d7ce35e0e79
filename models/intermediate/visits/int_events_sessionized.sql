{#- Neither a sitting nor a session knows anything from before its start: what comes in later
    changes only the sittings it belongs to. -#}
{%- set by_visitor = 'partition by visitor_id, source_system order by occurred_at, event_id' -%}
{%- set by_sitting = 'partition by sitting_id order by occurred_at, event_id' -%}
{%- set by_session = 'partition by session_id order by occurred_at, event_id' -%}
{%- set until_now = ' rows between unbounded preceding and current row' -%}
{%- set before_now = ' rows between unbounded preceding and 1 preceding' -%}
{%- set timeout = "interval '" ~ var('session_timeout_minutes') ~ "' minute" -%}
{%- set is_another_day = (
    shop_date('occurred_at') ~ ' > ' ~ shop_date('previous_at')
    if var('session_new_on_day') else 'false'
) -%}
{%- set is_another_campaign = (
    'campaign != previous_campaign' if var('session_new_on_campaign') else 'false'
) -%}
{%- set stretch = integer_divide(
    seconds_between('sitting_started_at', 'occurred_at'), var('session_max_hours') * 3600
) -%}

with

events as (

    select * from {{ ref('int_events_enriched') }}

),

-- Read apart from events, which would otherwise be held in memory for the two of them.
visits as (

    select
        event_id,
        occurred_at,
        customer_id,
        {{ visitor_id('anonymous_id', 'customer_id') }} as visitor_id,
        nullif(
            concat(
                coalesce(traffic_source, ''), '|',
                coalesce(traffic_medium, ''), '|',
                coalesce(traffic_campaign, '')
            ),
            '||'
        ) as campaign,
        source_system
    from {{ ref('int_events_enriched') }}
    where
        {{ is_visit_event() }}

),

timed as (

    select
        *,
        lag(occurred_at) over ({{ by_visitor }}) as previous_at
    from visits

),

-- A sitting is what one device does without a pause, whoever sits there and whyever they came.
started_sittings as (

    select
        *,
        case
            when
                previous_at is null
                or occurred_at > previous_at + {{ timeout }}
                or {{ is_another_day }}
                then event_id
        end as started_sitting_id
    from timed

),

sittings as (

    select
        event_id,
        occurred_at,
        customer_id,
        campaign,
        {{ last_known('started_sitting_id', by_visitor ~ until_now) }} as sitting_id,
        {{ last_known(
            'case when started_sitting_id is not null then occurred_at end', by_visitor ~ until_now
        ) }} as sitting_started_at
    from started_sittings

),

compared as (

    select
        event_id,
        occurred_at,
        sitting_id,
        customer_id,
        campaign,
        {{ last_known('customer_id', by_sitting ~ before_now) }} as previous_customer_id,
        {{ last_known('campaign', by_sitting ~ before_now) }} as previous_campaign,
        {{ stretch }} as stretch,
        lag({{ stretch }}) over ({{ by_sitting }}) as previous_stretch
    from sittings

),

started_sessions as (

    select
        event_id,
        occurred_at,
        sitting_id,
        case
            when
                event_id = sitting_id
                or stretch > previous_stretch
                or customer_id != previous_customer_id
                or {{ is_another_campaign }}
                then event_id
        end as started_session_id
    from compared

),

sessions as (

    select
        event_id,
        occurred_at,
        'session:' || {{ last_known('started_session_id', by_sitting ~ until_now) }} as session_id
    from started_sessions

),

numbered as (

    select
        event_id,
        session_id,
        row_number() over ({{ by_session }}) as event_number,
        lead(occurred_at) over ({{ by_session }}) as next_event_at
    from sessions

),

final as (

    select
        events.event_id,
        numbered.session_id,
        numbered.event_number,
        {{ visitor_id('events.anonymous_id', 'events.customer_id') }} as visitor_id,
        events.event_type,
        events.occurred_at,
        events.known_date,
        events.customer_id,
        events.anonymous_id,
        events.product_id,
        events.order_id,
        events.search_query,
        events.search_results,
        cast(least(
            coalesce(
                events.dwell_seconds,
                {{ seconds_between('events.occurred_at', 'numbered.next_event_at') }},
                0
            ),
            {{ var('max_dwell_seconds') }}
        ) as int) as dwell_seconds,
        events.device,
        events.page_path,
        events.referrer_host,
        events.traffic_source,
        events.traffic_medium,
        events.traffic_campaign,
        events.source_system
    from events
    inner join numbered
        on events.event_id = numbered.event_id

)

select * from final
