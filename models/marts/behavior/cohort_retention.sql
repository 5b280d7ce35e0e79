with

orders as (

    select * from {{ ref('int_orders_totaled') }}
    where customer_id is not null

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- Who only brings something back has not come to buy.
customer_months as (

    select
        customer_id,
        source_system,
        cast(date_trunc('month', order_date) as date) as order_month,
        count(case when units > 0 then 1 end) > 0 as is_active,
        sum(amount_paid) as revenue
    from orders
    group by customer_id, source_system, cast(date_trunc('month', order_date) as date)

),

cohorts as (

    select
        customer_id,
        source_system,
        min(order_month) as cohort_month
    from customer_months
    where is_active
    group by customer_id, source_system

),

cohort_sizes as (

    select
        cohort_month,
        source_system,
        count(*) as customers
    from cohorts
    group by cohort_month, source_system

),

last_months as (

    select max(order_month) as last_month
    from customer_months

),

cohort_months as (

    select
        cohort_sizes.cohort_month,
        cohort_sizes.source_system,
        cohort_sizes.customers,
        {{ months_from_to('cohort_sizes.cohort_month', 'last_months.last_month') }} as order_month
    from cohort_sizes
    cross join last_months

),

activity as (

    select
        cohorts.cohort_month,
        customer_months.order_month,
        cohorts.source_system,
        count(case when customer_months.is_active then 1 end) as active_customers,
        sum(customer_months.revenue) as revenue
    from cohorts
    inner join customer_months
        on
            cohorts.customer_id = customer_months.customer_id
            and cohorts.source_system = customer_months.source_system
    group by cohorts.cohort_month, customer_months.order_month, cohorts.source_system

),

observed as (

    select
        cohort_months.cohort_month,
        cohort_months.order_month,
        cohort_months.source_system,
        cohort_months.customers,
        coalesce(activity.active_customers, 0) as active_customers,
        coalesce(activity.revenue, 0) as revenue,
        cohort_months.order_month < date_trunc('month', data_windows.as_of_date) as is_complete
    from cohort_months
    cross join data_windows
    left join activity
        on
            cohort_months.cohort_month = activity.cohort_month
            and cohort_months.order_month = activity.order_month
            and cohort_months.source_system = activity.source_system

),

final as (

    select
        cohort_month,
        cast(
            (extract(year from order_month) - extract(year from cohort_month)) * 12
            + extract(month from order_month) - extract(month from cohort_month) as int
        ) as months_since,
        order_month,
        is_complete,
        customers,
        active_customers,
        case when is_complete then {{ divide('active_customers', 'customers') }} end
            as retention_rate,
        cast(revenue as decimal(18, 2)) as revenue,
        source_system
    from observed

)

select * from final
order by cohort_month, months_since, source_system
