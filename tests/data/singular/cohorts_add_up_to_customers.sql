-- Everyone who ever bought something is in one cohort of each source, with all they paid since.
with

orders as (

    select
        customer_id,
        source_system,
        order_date,
        amount_paid,
        min(case when units > 0 then date_trunc('month', order_date) end)
            over (partition by customer_id, source_system) as first_month
    from {{ ref('orders') }}
    where customer_id is not null

),

expected as (

    select
        source_system,
        count(distinct customer_id) as customers,
        sum(amount_paid) as revenue
    from orders
    where date_trunc('month', order_date) >= first_month
    group by source_system

),

cohorts as (

    select
        source_system,
        sum(case when months_since = 0 then customers else 0 end) as customers,
        sum(revenue) as revenue
    from {{ ref('cohort_retention') }}
    group by source_system

)

select
    expected.source_system,
    expected.customers,
    cohorts.customers as cohort_customers,
    expected.revenue,
    cohorts.revenue as cohort_revenue
from expected
full outer join cohorts
    on expected.source_system = cohorts.source_system
where
    expected.customers is distinct from cohorts.customers
    or expected.revenue is distinct from cohorts.revenue
