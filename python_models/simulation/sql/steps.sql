-- Every event of every session, in the order of its position.
with

starts as (

    select
        session_key,
        unnest(range(cast(channel = 'email' as int), -1, -1)) as is_click,
        case when is_click = 1 then 0 else 1 end as position,
        case when is_click = 1 then 'email_click' else 'page_view' end as event_type,
        case when is_click = 0 then '/' end as page_path
    from drafts

),

further_pages as (

    select
        session_key,
        unnest(range(further_pages)) as page,
        10 + page as position,
        'page_view' as event_type,
        '/pages/' || below(uniform('page', hash(session_key, page)), 20) as page_path
    from drafts

),

identifications as (

    select
        session_key,
        case when tells_who_early then 2 else 1001 end as position,
        'identify' as event_type,
        case when tells_who_early then '/login' else '/checkout/login' end as page_path
    from drafts
    where tells_who_early or has_checkout

),

checkouts as (

    select
        session_key,
        1000 as position,
        'checkout' as event_type,
        '/checkout' as page_path
    from drafts
    where has_checkout

),

orders as (

    select
        session_key,
        1002 as position,
        'place_order' as event_type,
        '/checkout/thanks' as page_path,
        'o' || session_id as order_id
    from drafts
    where has_order

),

empty_searches as (

    select
        session_key,
        position,
        'search' as event_type,
        '/search' as page_path,
        -- Misspelled.
        translate(search_query, 'aeiou', 'eioua') as search_query,
        0 as search_results
    from views
    where has_empty_search

),

searches as (

    select
        session_key,
        position + 1 as position,
        'search' as event_type,
        '/search' as page_path,
        search_query,
        1 + below(uniform('results', hash(lower(trim(search_query)))), 60) as search_results
    from views
    where has_search

),

category_pages as (

    select
        session_key,
        position + 1 as position,
        'page_view' as event_type,
        '/categories/' || lower(regexp_replace(category, '[^A-Za-z0-9]+', '-', 'g')) as page_path
    from views
    where has_category_page

),

product_views as (

    select
        session_key,
        position + 2 as position,
        'product_view' as event_type,
        '/products/' || product_id as page_path,
        product_id
    from views

),

shares as (

    select
        session_key,
        position + 3 as position,
        'share' as event_type,
        '/products/' || product_id as page_path,
        product_id
    from views
    where is_shared

),

reviews as (

    select
        session_key,
        position + 4 as position,
        'review' as event_type,
        '/products/' || product_id as page_path,
        product_id,
        5 - geometric(uniform('rating', view_key), 1.0) % 5 as rating
    from views
    where is_reviewed

),

additions as (

    select
        session_key,
        position + 5 as position,
        'add_to_cart' as event_type,
        '/products/' || product_id as page_path,
        product_id,
        quantity
    from views
    where is_added

),

removals as (

    select
        session_key,
        position + 6 as position,
        'remove_from_cart' as event_type,
        '/cart' as page_path,
        product_id,
        quantity
    from views
    where is_removed

),

steps as (

    select
        session_key,
        position,
        event_type,
        page_path
    from starts
    union all by name
    select
        session_key,
        position,
        event_type,
        page_path
    from further_pages
    union all by name
    select * from identifications
    union all by name
    select * from checkouts
    union all by name
    select * from orders
    union all by name
    select * from empty_searches
    union all by name
    select * from searches
    union all by name
    select * from category_pages
    union all by name
    select * from product_views
    union all by name
    select * from shares
    union all by name
    select * from reviews
    union all by name
    select * from additions
    union all by name
    select * from removals

),

keyed as (

    select
        *,
        hash(session_key, position, 'event') as event_key,
        event_type in ('page_view', 'product_view') as is_page
    from steps

),

-- No more than 25 minutes, so that a session of the rule of 30 minutes does not break.
timed as (

    select
        *,
        case
            when is_page
                then cast(round(least(
                        1500,
                        greatest(
                            1,
                            getvariable('dwell_median_seconds')
                            * exp(getvariable('dwell_sigma') * normal('dwell', event_key))
                        )
                    )) as int)
            else 2 + below(uniform('pause', event_key), 18)
        end as seconds
    from keyed

)

select
    * exclude (is_page, seconds),
    case
        when is_page and happens('dwell known', event_key, getvariable('dwell_known_share'))
            then seconds
    end as dwell_seconds,
    cast(
        sum(seconds) over (partition by session_key order by position) - seconds as int
    ) as second
from timed
