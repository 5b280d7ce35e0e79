with

rfm_history as (

    select * from {{ ref('rfm_history') }}

),

segment_map as (

    select * from {{ ref('rfm_segment_map') }}

),

named as (

    select
        rfm_history.customer_id,
        rfm_history.as_of_date,
        rfm_history.is_newest,
        rfm_history.rfm_cell,
        segment_map.segment
    from rfm_history
    left join segment_map
        on rfm_history.rfm_cell = segment_map.rfm_cell

),

final as (

    select
        customer_id,
        as_of_date,
        is_newest,
        rfm_cell,
        segment,
        lag(segment) over (partition by customer_id order by as_of_date) as previous_segment
    from named

)

select * from final
order by as_of_date, customer_id
