with

customer_days as (

    select * from {{ ref('int_customer_days_aggregated') }}
    where orders > 0

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}

),

known_days as (

    select distinct
        customer_days.customer_id,
        cutoffs.as_of_date,
        customer_days.activity_date
    from customer_days
    inner join cutoffs
        on customer_days.known_date < cutoffs.as_of_date

),

gaps as (

    select
        customer_id,
        as_of_date,
        cast({{ days_between(
            'lag(activity_date) over (partition by customer_id, as_of_date order by activity_date)',
            'activity_date'
        ) }} as bigint) as gap_days
    from known_days

),

-- Sums of whole numbers are the same in any order, so the spread is too.
sums as (

    select
        customer_id,
        as_of_date,
        count(*) as order_days,
        count(gap_days) as gaps,
        sum(gap_days) as gap_sum,
        sum(gap_days * gap_days) as gap_square_sum
    from gaps
    group by customer_id, as_of_date

),

final as (

    select
        customer_id,
        as_of_date,
        order_days,
        {{ divide('gap_sum', 'gaps') }} as average_days_between_orders,
        round(sqrt(
            cast(gaps * gap_square_sum - gap_sum * gap_sum as double)
            / nullif(cast(gaps * (gaps - 1) as double), 0)
        ), 6) as stddev_days_between_orders
    from sums

)

select * from final
