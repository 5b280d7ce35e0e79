with

searches as (

    select * from {{ ref('int_searches_followed') }}
    where search_term is not null

),

totals as (

    select
        search_term,
        source_system,
        count(*) as searches,
        count(distinct session_id) as sessions,
        count(distinct visitor_id) as visitors,
        count(search_results) as searches_with_known_results,
        count(case when search_results = 0 then 1 end) as zero_result_searches,
        count(case when has_click then 1 end) as clicked_searches,
        count(case when has_cart_add then 1 end) as carted_searches,
        count(case when has_purchase then 1 end) as purchased_searches,
        min(event_date) as first_searched_date,
        max(event_date) as last_searched_date
    from searches
    group by search_term, source_system

),

final as (

    select
        search_term,
        searches,
        sessions,
        visitors,
        searches_with_known_results,
        {{ divide('zero_result_searches', 'searches_with_known_results') }} as zero_result_share,
        {{ divide('clicked_searches', 'searches') }} as click_through_rate,
        {{ divide('carted_searches', 'searches') }} as add_to_cart_rate,
        {{ divide('purchased_searches', 'searches') }} as purchase_rate,
        first_searched_date,
        last_searched_date,
        source_system
    from totals

)

select * from final
order by search_term, source_system
