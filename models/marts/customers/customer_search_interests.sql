with

searches as (

    select * from {{ ref('int_searches_followed') }}

),

sessions as (

    select
        session_id,
        customer_id
    from {{ ref('sessions') }}
    where customer_id is not null

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

interests as (
    {% for interest_type, interest in [('term', 'search_term'), ('category', 'clicked_category')] %}
    select
        session_id,
        '{{ interest_type }}' as interest_type,
        {{ interest }} as interest,
        event_date,
        known_date,
        source_system
    from searches
    where {{ interest }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select
        sessions.customer_id,
        interests.interest_type,
        interests.interest,
        data_windows.as_of_date,
        count(*) as searches,
        max(interests.event_date) as last_searched_date,
        {{ decayed_count(
            var('interaction_weekly_decay'),
            days_between('interests.event_date', 'data_windows.as_of_date')
        ) }} as weight,
        interests.source_system
    from interests
    inner join sessions
        on interests.session_id = sessions.session_id
    inner join data_windows
        on interests.known_date < data_windows.as_of_date
    group by
        sessions.customer_id,
        interests.interest_type,
        interests.interest,
        data_windows.as_of_date,
        interests.source_system

)

select * from final
order by customer_id, interest_type, interest, source_system
