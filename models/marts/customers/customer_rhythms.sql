with

rhythms as (

    select * from {{ ref('py_customer_rhythms') }}

),

final as (

    select
        customer_id,
        cast(as_of_date as date) as as_of_date,
        recency_days,
        tenure_days,
        order_days,
        order_day_rate,
        amount_paid,
        orders_7d,
        orders_14d,
        orders_21d,
        orders_28d,
        orders_42d,
        orders_56d,
        orders_84d,
        orders_112d,
        orders_168d,
        orders_364d,
        amount_7d,
        amount_14d,
        amount_21d,
        amount_28d,
        amount_42d,
        amount_56d,
        amount_84d,
        amount_112d,
        amount_168d,
        amount_364d,
        week_0,
        week_1,
        week_2,
        week_3,
        week_4,
        week_5,
        week_6,
        week_7,
        week_8,
        week_9,
        week_10,
        week_11,
        decayed_orders_7d,
        decayed_amount_7d,
        decayed_orders_14d,
        decayed_amount_14d,
        decayed_orders_28d,
        decayed_amount_28d,
        decayed_orders_56d,
        decayed_amount_56d,
        decayed_orders_112d,
        decayed_amount_112d,
        decayed_orders_224d,
        decayed_amount_224d,
        median_gap_days,
        long_gap_days,
        longest_gap_days,
        latest_gap_days,
        longest_latest_gap_days,
        shorter_gap_share,
        active_week_share,
        active_month_share
    from rhythms

)

select * from final
order by as_of_date, customer_id
