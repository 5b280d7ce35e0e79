-- Events, and views as page_engagement counts them, are those of the sessions.
with

events as (

    select
        count(*) as events,
        count(case when event_type in ('page_view', 'product_view') then 1 end) as views
    from {{ ref('int_events_sessionized') }}

),

sessions as (

    select
        coalesce(sum(events), 0) as events,
        coalesce(sum(page_views + product_views), 0) as views
    from {{ ref('sessions') }}

),

pages as (

    select coalesce(sum(views), 0) as views
    from {{ ref('page_engagement') }}
    where page_type != 'category'

),

funnels as (

    select coalesce(sum(sessions), 0) as sessions
    from {{ ref('funnels') }}

)

select
    events.events,
    sessions.events as session_events,
    events.views,
    sessions.views as session_views,
    pages.views as page_views,
    funnels.sessions as funnel_sessions
from events
cross join sessions
cross join pages
cross join funnels
where
    events.events != sessions.events
    or events.views != sessions.views
    or events.views != pages.views
    or funnels.sessions != (select count(*) from {{ ref('sessions') }})
