{#- The weight of a touch in each model: whole numbers, so that shares are exact. -#}
{%- set weights = {
    'first': 'case when touch_number = 1 then 1 else 0 end',
    'last': 'case when touch_number = touches then 1 else 0 end',
    'last_non_direct': 'case when non_direct_place = 1 then 1 else 0 end',
    'linear': '1',
    'position':
        'case when touches > 2 and touch_number in (1, touches) then 2 * (touches - 2) else 1 end',
    'time_decay':
        'greatest(cast(round(1000000 * power(0.5, seconds_before_last / (86400.0 * '
        ~ var('attribution_half_life_days') ~ '))) as bigint), 1)',
} -%}

with

orders as (

    select * from {{ ref('int_orders_totaled') }}
    where units > 0

),

sessions as (

    select * from {{ ref('sessions') }}

),

session_orders as (

    select * from {{ ref('int_session_orders_matched') }}

),

customers as (

    select * from {{ ref('identity_map') }}
    where id_type = 'customer_id'

),

-- Of orders from before visits were recorded nobody can say what led to them.
recorded_since as (

    select min(session_date) as session_date
    from sessions

),

attributable_orders as (

    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.amount_paid,
        orders.source_system,
        session_orders.session_id as order_session_id,
        coalesce(customers.person_id, sessions.person_id) as person_id
    from orders
    inner join recorded_since
        on orders.order_date >= recorded_since.session_date
    left join session_orders
        on orders.order_id = session_orders.order_id
    left join sessions
        on session_orders.session_id = sessions.session_id
    left join customers
        on orders.customer_id = customers.id_value
    where
        orders.customer_id is not null
        or session_orders.session_id is not null

),

-- The session that named the order is one of its touches, whoever seems to have sat there.
order_sessions as (

    select
        attributable_orders.order_id,
        sessions.session_id
    from attributable_orders
    inner join sessions
        on attributable_orders.person_id = sessions.person_id
    where
        sessions.started_at <= attributable_orders.ordered_at
        and sessions.started_at
        >= attributable_orders.ordered_at - interval '{{ var("attribution_lookback_days") }}' day
    union
    select
        order_id,
        order_session_id as session_id
    from attributable_orders
    where order_session_id is not null

),

touches as (

    select
        order_sessions.order_id,
        sessions.session_id,
        sessions.marketing_channel,
        sessions.traffic_campaign,
        sessions.started_at,
        sessions.source_system,
        row_number() over (
            partition by order_sessions.order_id
            order by sessions.started_at, sessions.session_id
        ) as touch_number,
        count(*) over (partition by order_sessions.order_id) as touches,
        row_number() over (
            partition by order_sessions.order_id
            order by
                sessions.marketing_channel = 'direct',
                sessions.started_at desc,
                sessions.session_id desc
        ) as non_direct_place,
        {{ seconds_between(
            'sessions.started_at',
            'max(sessions.started_at) over (partition by order_sessions.order_id)',
        ) }} as seconds_before_last
    from order_sessions
    inner join sessions
        on order_sessions.session_id = sessions.session_id

),

weighted_touches as (
    {% for model, weight in weights.items() %}
    select
        '{{ model }}' as attribution_model,
        *,
        cast({{ weight }} as bigint) as weight
    from touches
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

orders_by_model as (
    {% for model in weights %}
    select
        '{{ model }}' as attribution_model,
        *
    from attributable_orders
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Without a touch the order is its own only share.
shares as (

    select
        orders_by_model.order_id,
        orders_by_model.attribution_model,
        orders_by_model.customer_id,
        orders_by_model.order_date,
        orders_by_model.amount_paid,
        weighted_touches.session_id,
        coalesce(weighted_touches.marketing_channel, 'unattributed') as marketing_channel,
        weighted_touches.traffic_campaign,
        weighted_touches.started_at,
        weighted_touches.touch_number,
        coalesce(weighted_touches.touches, 0) as touches,
        coalesce(weighted_touches.weight, 1) as weight,
        cast(sum(coalesce(weighted_touches.weight, 1)) over (
            partition by orders_by_model.order_id, orders_by_model.attribution_model
        ) as bigint) as total_weight,
        1000000 as total_millionths,
        cast(abs(orders_by_model.amount_paid) * 100 as bigint) as total_cents,
        case
            when 'simulated' in (orders_by_model.source_system, weighted_touches.source_system)
                then 'simulated'
            else coalesce(weighted_touches.source_system, orders_by_model.source_system)
        end as source_system
    from orders_by_model
    left join weighted_touches
        on
            orders_by_model.order_id = weighted_touches.order_id
            and orders_by_model.attribution_model = weighted_touches.attribution_model
    where coalesce(weighted_touches.weight, 1) > 0

),

{%- for unit in ['millionths', 'cents'] %}

floored_{{ unit }} as (

    select
        *,
        {{ integer_divide('total_' ~ unit ~ ' * weight', 'total_weight') }} as floored_{{ unit }},
        mod(total_{{ unit }} * weight, total_weight) as remainder_{{ unit }}
    from {{ 'shares' if loop.first else 'shared_millionths' }}

),

-- What is left goes to the largest remainders, then to the latest touches.
shared_{{ unit }} as (

    select
        *,
        floored_{{ unit }} + case
            when
                row_number() over (
                    partition by order_id, attribution_model
                    order by remainder_{{ unit }} desc, touch_number desc
                ) <= total_{{ unit }} - sum(floored_{{ unit }}) over (
                    partition by order_id, attribution_model
                )
                then 1
            else 0
        end as shared_{{ unit }}
    from floored_{{ unit }}

),
{%- endfor %}

final as (

    select
        order_id,
        attribution_model,
        session_id,
        customer_id,
        order_date,
        marketing_channel,
        traffic_campaign,
        started_at as touched_at,
        touch_number,
        touches,
        cast(shared_millionths * 0.000001 as decimal(9, 6)) as credit,
        cast(
            shared_cents * 0.01 * case when amount_paid < 0 then -1 else 1 end as decimal(18, 2)
        ) as credited_revenue,
        source_system
    from shared_cents

)

select * from final
order by order_date, order_id, attribution_model, touch_number
