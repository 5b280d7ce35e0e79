-- Every accepted customer with fewer than cold_start_orders orders is there, and nobody else.
with

activity as (

    select * from {{ ref('int_customer_activity_totaled') }}
    where is_newest

),

expected as (

    select customers.customer_id
    from {{ ref('int_customers_accepted') }} as customers
    left join activity
        on customers.customer_id = activity.customer_id
    where coalesce(activity.orders, 0) < {{ var('cold_start_orders') }}

)

select
    expected.customer_id,
    cold_customers.customer_id as cold_customer_id
from expected
full outer join {{ ref('cold_customers') }} as cold_customers
    on expected.customer_id = cold_customers.customer_id
where
    expected.customer_id is null
    or cold_customers.customer_id is null
