with

events as (

    select * from {{ ref('int_events_sessionized') }}
    where event_type in ('page_view', 'product_view')

),

sessions as (

    select
        session_id,
        session_date
    from {{ ref('sessions') }}

),

products as (

    select * from {{ ref('products') }}

),

views as (

    select
        sessions.session_date,
        events.session_id,
        events.product_id,
        events.page_path,
        case when events.product_id is not null then coalesce(products.category, 'unknown') end
            as category,
        events.dwell_seconds,
        events.source_system
    from events
    inner join sessions
        on events.session_id = sessions.session_id
    left join products
        on events.product_id = products.product_id

),

pages as (

    select
        *,
        case when product_id is not null then 'product' else 'page' end as page_type,
        coalesce(product_id, page_path, 'unknown') as page
    from views
    union all
    select
        *,
        'category' as page_type,
        category as page
    from views
    where category is not null

),

final as (

    select
        session_date,
        page_type,
        page,
        category,
        count(*) as views,
        count(distinct session_id) as sessions,
        cast(sum(dwell_seconds) as bigint) as dwell_seconds,
        {{ divide('sum(dwell_seconds)', 'count(*)') }} as average_dwell_seconds,
        source_system
    from pages
    group by session_date, page_type, page, category, source_system

)

select * from final
order by session_date, page_type, page, source_system
