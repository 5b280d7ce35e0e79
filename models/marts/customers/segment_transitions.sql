with

segment_history as (

    select * from {{ ref('segment_history') }}

),

oldest_cutoffs as (

    select min(as_of_date) as oldest_cutoff
    from segment_history

),

-- Before the oldest cutoff nobody was looked at, so nobody moved to it.
moves as (

    select
        segment_history.as_of_date,
        coalesce(segment_history.previous_segment, 'not_yet_customer') as from_segment,
        segment_history.segment as to_segment,
        count(*) as customers
    from segment_history
    inner join oldest_cutoffs
        on segment_history.as_of_date > oldest_cutoffs.oldest_cutoff
    group by
        segment_history.as_of_date,
        coalesce(segment_history.previous_segment, 'not_yet_customer'),
        segment_history.segment

),

final as (

    select
        {{ add_days('as_of_date', -var('cutoff_interval_days')) }} as from_date,
        as_of_date as to_date,
        from_segment,
        to_segment,
        customers,
        {{ divide('customers', 'sum(customers) over (partition by as_of_date, from_segment)') }}
            as share_of_from_segment
    from moves

)

select * from final
order by to_date, from_segment, to_segment
