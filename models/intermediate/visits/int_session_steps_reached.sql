{#- Each step counts only after the one before: nobody checks out who has nothing in the cart. -#}
{%- set steps = [
    ('cart', 'add_to_cart', 'view'),
    ('checkout', 'checkout', 'cart'),
    ('purchase', 'place_order', 'checkout'),
] -%}

with

events as (

    select
        session_id,
        event_type,
        event_number
    from {{ ref('int_events_sessionized') }}
    where event_type in ('product_view', 'add_to_cart', 'checkout', 'place_order')

),

viewed as (

    select
        session_id,
        event_type,
        event_number,
        min(case when event_type = 'product_view' then event_number end)
            over (partition by session_id) as view_number
    from events

),

{%- for step, event_type, previous_step in steps %}

{{ step }}_reached as (

    select
        *,
        min(
            case
                when event_type = '{{ event_type }}' and event_number > {{ previous_step }}_number
                    then event_number
            end
        ) over (partition by session_id) as {{ step }}_number
    from {{ 'viewed' if previous_step == 'view' else previous_step ~ '_reached' }}

),
{%- endfor %}

final as (

    select
        session_id,
        max(view_number) is not null as has_viewed,
        max(cart_number) is not null as has_carted,
        max(checkout_number) is not null as has_checked_out,
        max(purchase_number) is not null as has_purchased
    from purchase_reached
    group by session_id

)

select * from final
