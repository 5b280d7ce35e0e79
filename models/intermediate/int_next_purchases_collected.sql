with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

-- An interval that the data do not cover to its end would call a loyal customer lost.
cutoffs as (

    select
        as_of_date,
        {{ add_days('as_of_date', var('cutoff_interval_days')) }} as next_date
    from {{ ref('int_cutoffs_spined') }}
    where
        step >= 1
        and step <= {{ var('recommendation_backtests') + var('ranker_training_windows') }}

),

final as (

    select distinct
        cutoffs.as_of_date,
        order_lines.customer_id,
        order_lines.product_id
    from order_lines
    inner join cutoffs
        on
            order_lines.order_date >= cutoffs.as_of_date
            and order_lines.order_date < cutoffs.next_date
            and order_lines.known_date < cutoffs.next_date
    where
        order_lines.customer_id is not null
        and order_lines.units > 0
        and not order_lines.is_return
        and (order_lines.returned_date is null or order_lines.returned_date >= cutoffs.next_date)

)

select * from final
order by as_of_date, customer_id, product_id
