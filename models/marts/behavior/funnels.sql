with

sessions as (

    select * from {{ ref('sessions') }}

),

steps as (

    select * from {{ ref('int_session_steps_reached') }}

),

segment_history as (

    select * from {{ ref('segment_history') }}

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}

),

-- A cutoff knows what lies before its day, so it may speak of that day's sessions.
cutoffs_of_days as (

    select
        session_days.session_date,
        max(cutoffs.as_of_date) as as_of_date
    from (select distinct session_date from sessions) as session_days
    inner join cutoffs
        on session_days.session_date >= cutoffs.as_of_date
    group by session_days.session_date

),

reached as (

    select
        sessions.session_date,
        sessions.marketing_channel,
        coalesce(segment_history.segment, 'unknown') as segment,
        sessions.source_system,
        count(*) as sessions,
        count(case when steps.has_viewed then 1 end) as viewed_sessions,
        count(case when steps.has_carted then 1 end) as carted_sessions,
        count(case when steps.has_checked_out then 1 end) as checked_out_sessions,
        count(case when steps.has_purchased then 1 end) as purchased_sessions
    from sessions
    left join steps
        on sessions.session_id = steps.session_id
    left join cutoffs_of_days
        on sessions.session_date = cutoffs_of_days.session_date
    left join segment_history
        on
            sessions.customer_id = segment_history.customer_id
            and cutoffs_of_days.as_of_date = segment_history.as_of_date
    group by
        sessions.session_date,
        sessions.marketing_channel,
        coalesce(segment_history.segment, 'unknown'),
        sessions.source_system

),

final as (

    select
        session_date,
        marketing_channel,
        segment,
        sessions,
        viewed_sessions,
        carted_sessions,
        checked_out_sessions,
        purchased_sessions,
        {{ divide('viewed_sessions', 'sessions') }} as view_rate,
        {{ divide('carted_sessions', 'viewed_sessions') }} as cart_rate,
        {{ divide('checked_out_sessions', 'carted_sessions') }} as checkout_rate,
        {{ divide('purchased_sessions', 'checked_out_sessions') }} as purchase_rate,
        {{ divide('purchased_sessions', 'sessions') }} as conversion_rate,
        source_system
    from reached

)

select * from final
order by session_date, marketing_channel, segment, source_system
