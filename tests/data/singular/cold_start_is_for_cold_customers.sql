-- Who has cold_start_orders orders or more has a history to go by and gets no list of a segment.
with

activity as (

    select * from {{ ref('int_customer_activity_totaled') }}
    where is_newest

)

select
    recommendations.customer_id,
    activity.orders,
    count(*) as recommended_products
from {{ ref('customer_recommendations') }} as recommendations
inner join activity
    on recommendations.customer_id = activity.customer_id
where
    recommendations.surface = 'cold_start'
    and activity.orders >= {{ var('cold_start_orders') }}
group by recommendations.customer_id, activity.orders
