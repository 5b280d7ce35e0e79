{%- set churn_days = var('churn_days') %}
{%- set lifetime_days = var('lifetime_value_backtest_days') %}
{%- set windows = [28, 91, churn_days, lifetime_days] | unique | sort %}

with

customer_days as (

    select * from {{ ref('int_customer_days_aggregated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_spined') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

customers as (

    select distinct customer_id
    from customer_days
    where orders > 0

),

-- An order counts in a window if it was placed and known before the window ended: what happened
-- then is settled when the window is over and does not change with late news. What was paid back
-- on a day without an order counts too; who got back more than they paid spent nothing.
window_totals as (

    select
        customer_days.customer_id,
        cutoffs.as_of_date,
        {%- for days in windows %}
        {%- set is_within %}
        customer_days.activity_date < {{ add_days('cutoffs.as_of_date', days) }}
        and customer_days.known_date < {{ add_days('cutoffs.as_of_date', days) }}
        {%- endset %}
        count(case when {{ is_within }} and customer_days.orders > 0 then 1 end)
            as order_days_{{ days }}d,
        sum(case when {{ is_within }} then customer_days.amount_paid else 0 end)
            as spend_{{ days }}d,
        {%- if days == 91 %}
        min(
            case
                when {{ is_within }} and customer_days.orders > 0 then customer_days.activity_date
            end
        ) as next_order_date,
        {%- endif %}
        {%- endfor %}
        count(case when customer_days.orders > 0 then 1 end) as order_days
    from customer_days
    inner join cutoffs
        on
            customer_days.activity_date >= cutoffs.as_of_date
            and customer_days.activity_date < {{ add_days('cutoffs.as_of_date', windows | last) }}
    group by customer_days.customer_id, cutoffs.as_of_date

),

final as (

    select
        customers.customer_id,
        cutoffs.as_of_date,
        cutoffs.step,
        case
            when {{ add_days('cutoffs.as_of_date', 28) }} <= data_windows.as_of_date
                then coalesce(window_totals.order_days_28d, 0) > 0
        end as has_ordered_28d,
        case
            when {{ add_days('cutoffs.as_of_date', churn_days) }} <= data_windows.as_of_date
                then coalesce(window_totals.order_days_{{ churn_days }}d, 0) = 0
        end as has_churned,
        case
            when {{ add_days('cutoffs.as_of_date', 28) }} <= data_windows.as_of_date
                then cast(greatest(coalesce(window_totals.spend_28d, 0), 0) as decimal(18, 2))
        end as spend_28d,
        case
            when {{ add_days('cutoffs.as_of_date', 91) }} <= data_windows.as_of_date
                then cast(greatest(coalesce(window_totals.spend_91d, 0), 0) as decimal(18, 2))
        end as spend_91d,
        case
            when {{ add_days('cutoffs.as_of_date', lifetime_days) }} <= data_windows.as_of_date
                then
                    cast(
                        greatest(coalesce(window_totals.spend_{{ lifetime_days }}d, 0), 0)
                        as decimal(18, 2)
                    )
        end as spend_lifetime,
        case
            when {{ add_days('cutoffs.as_of_date', 91) }} <= data_windows.as_of_date
                then
                    coalesce(
                        {{ days_between('cutoffs.as_of_date', 'window_totals.next_order_date') }}
                        + 1,
                        91
                    )
        end as days_until_next_order
    from customers
    cross join cutoffs
    cross join data_windows
    left join window_totals
        on
            customers.customer_id = window_totals.customer_id
            and cutoffs.as_of_date = window_totals.as_of_date

)

select * from final
order by as_of_date, customer_id
