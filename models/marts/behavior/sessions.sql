{%- set tags = 'coalesce(traffic_source, traffic_medium, traffic_campaign)' -%}
{%- set tagged_first = 'case when ' ~ tags ~ ' is null then 1 else 0 end' -%}
{%- set paths_first = 'case when page_path is null then 1 else 0 end' -%}
{%- set devices_first = 'case when device is null then 1 else 0 end' -%}

with

events as (

    select * from {{ ref('int_events_sessionized') }}

),

session_orders as (

    select * from {{ ref('int_session_orders_matched') }}

),

identities as (

    select * from {{ ref('identity_map') }}

),

totals as (

    select
        session_id,
        visitor_id,
        source_system,
        max(customer_id) as own_customer_id,
        max(anonymous_id) as anonymous_id,
        max(case when event_number = 1 then customer_id end) as customer_id_at_start,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(known_date) as known_date,
        count(*) as events,
        {%- for name, event_type in [
            ('page_views', 'page_view'),
            ('product_views', 'product_view'),
            ('searches', 'search'),
            ('cart_adds', 'add_to_cart'),
            ('checkouts', 'checkout'),
        ] %}
        count(case when event_type = '{{ event_type }}' then 1 end) as {{ name }},
        {%- endfor %}
        {{ first_by('page_path', [paths_first, 'event_number']) }} as entry_page,
        {{ first_by('page_path', [paths_first, '-event_number']) }} as exit_page,
        {{ first_by('device', [devices_first, 'event_number']) }} as device,
        max(case when event_number = 1 then referrer_host end) as referrer_host,
        max(case when event_number = 1 then event_type end) as entry_event_type,
        {%- for column in ['traffic_source', 'traffic_medium', 'traffic_campaign'] %}
        {{ first_by(column, [tagged_first, 'event_number']) }} as {{ column }},
        {%- endfor %}
        count(
            distinct case
                when event_type in ('page_view', 'product_view')
                    then coalesce(page_path, 'product:' || product_id, 'unknown')
            end
        ) as depth,
        sum(dwell_seconds) as dwell_seconds
    from events
    group by session_id, visitor_id, source_system

),

converted as (

    select
        session_id,
        count(*) as orders,
        sum(amount_paid) as revenue
    from session_orders
    group by session_id

),

visitors as (

    select * from identities
    where id_type = 'anonymous_id'

),

customers as (

    select * from identities
    where id_type = 'customer_id'

),

final as (

    select
        totals.session_id,
        totals.visitor_id,
        coalesce(totals.own_customer_id, visitors.customer_id) as customer_id,
        coalesce(customers.person_id, visitors.person_id, totals.visitor_id) as person_id,
        totals.customer_id_at_start is not null
        or coalesce(
            visitors.customer_id = coalesce(totals.own_customer_id, visitors.customer_id)
            and visitors.linked_at < totals.started_at,
            false
        ) as is_known_at_start,
        totals.started_at,
        totals.ended_at,
        {{ shop_date('totals.started_at') }} as session_date,
        totals.known_date,
        totals.events,
        totals.page_views,
        totals.product_views,
        totals.searches,
        totals.cart_adds,
        totals.checkouts,
        totals.entry_page,
        totals.exit_page,
        case
            when
                totals.entry_event_type = 'email_click'
                and coalesce(
                    totals.traffic_source, totals.traffic_medium, totals.traffic_campaign
                ) is null
                then 'email'
            else
                {{ marketing_channel(
                    'totals.traffic_medium',
                    'totals.traffic_source',
                    'totals.traffic_campaign',
                    'totals.referrer_host',
                ) }}
        end as marketing_channel,
        totals.traffic_source,
        totals.traffic_medium,
        totals.traffic_campaign,
        totals.referrer_host,
        totals.device,
        totals.depth,
        {{ seconds_between('totals.started_at', 'totals.ended_at') }} as duration_seconds,
        cast(totals.dwell_seconds as bigint) as dwell_seconds,
        totals.depth <= 1 and totals.events = totals.page_views + totals.product_views
            as is_bounce,
        coalesce(converted.orders, 0) > 0 as is_converted,
        coalesce(converted.orders, 0) as orders,
        cast(coalesce(converted.revenue, 0) as decimal(18, 2)) as revenue,
        totals.source_system
    from totals
    left join converted
        on totals.session_id = converted.session_id
    left join visitors
        on totals.anonymous_id = visitors.id_value
    left join customers
        on coalesce(totals.own_customer_id, visitors.customer_id) = customers.id_value

)

select * from final
order by started_at, session_id
