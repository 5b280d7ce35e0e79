with

segment_history as (

    select * from {{ ref('segment_history') }}

),

newest as (

    select *
    from segment_history
    where is_newest

),

-- The newest cutoff at which the segment changed (or the customer appeared).
last_changes as (

    select
        customer_id,
        max(as_of_date) as segment_since_date
    from segment_history
    where
        previous_segment is null
        or previous_segment != segment
    group by customer_id

),

final as (

    select
        newest.customer_id,
        newest.as_of_date,
        newest.segment,
        newest.rfm_cell,
        newest.previous_segment,
        last_changes.segment_since_date
    from newest
    inner join last_changes
        on newest.customer_id = last_changes.customer_id

)

select * from final
order by customer_id
