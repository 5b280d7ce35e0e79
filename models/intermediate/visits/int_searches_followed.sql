{%- set until_now =
    'partition by session_id order by event_number '
    ~ 'rows between unbounded preceding and current row'
-%}

with

events as (

    select * from {{ ref('int_events_sessionized') }}
    where event_type in ('search', 'product_view', 'add_to_cart', 'place_order')

),

products as (

    select
        product_id,
        category
    from {{ ref('int_products_accepted') }}

),

-- What follows a search belongs to it until the next search.
attributed as (

    select
        *,
        {{ last_known("case when event_type = 'search' then event_id end", until_now) }}
            as search_event_id
    from events

),

followed as (

    select
        attributed.search_event_id,
        count(case when attributed.event_type = 'product_view' then 1 end) > 0 as has_click,
        count(case when attributed.event_type = 'add_to_cart' then 1 end) > 0 as has_cart_add,
        count(case when attributed.event_type = 'place_order' then 1 end) > 0 as has_purchase,
        {{ first_by(
            'case when attributed.event_type = \'product_view\' then products.category end',
            [
                'case when attributed.event_type = \'product_view\' and products.category is not null then 0 else 1 end',
                'attributed.event_number',
            ]
        ) }} as clicked_category
    from attributed
    left join products
        on attributed.product_id = products.product_id
    where attributed.search_event_id is not null
    group by attributed.search_event_id

),

final as (

    select
        searches.event_id,
        searches.session_id,
        searches.visitor_id,
        {{ shop_date('searches.occurred_at') }} as event_date,
        searches.known_date,
        {{ search_term('searches.search_query') }} as search_term,
        searches.search_results,
        followed.has_click,
        followed.has_cart_add,
        followed.has_purchase,
        followed.clicked_category,
        searches.source_system
    from attributed as searches
    inner join followed
        on searches.event_id = followed.search_event_id

)

select * from final
