{%- set segment_types = [
    'age_band', 'income_band', 'household_composition', 'household_size', 'region'
] -%}

with

customers as (

    select * from {{ ref('int_customers_accepted') }}

),

activity as (

    select
        customer_id,
        orders
    from {{ ref('int_customer_activity_totaled') }}
    where is_newest

),

segments as (

    select distinct
        segment_type,
        segment
    from {{ ref('segment_recommendations') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

cold as (

    select
        customers.customer_id,
        {%- for segment_type in segment_types %}
        cast(customers.{{ segment_type }} as string) as {{ segment_type }},
        {%- endfor %}
        cast(coalesce(activity.orders, 0) as bigint) as orders
    from customers
    left join activity
        on customers.customer_id = activity.customer_id
    where coalesce(activity.orders, 0) < {{ var('cold_start_orders') }}

),

-- What is known of the customer, the more telling first; everyone is always known.
traits as (
    {% for segment_type in segment_types %}
    select
        customer_id,
        orders,
        {{ loop.index }} as priority,
        '{{ segment_type }}' as segment_type,
        {{ segment_type }} as segment
    from cold
    union all
    {%- endfor %}
    select
        customer_id,
        orders,
        {{ segment_types | length + 1 }} as priority,
        'everyone' as segment_type,
        'everyone' as segment
    from cold

),

matched as (

    select
        traits.*,
        row_number() over (partition by traits.customer_id order by traits.priority) as place
    from traits
    inner join segments
        on
            traits.segment_type = segments.segment_type
            and traits.segment = segments.segment

),

final as (

    select
        matched.customer_id,
        data_windows.as_of_date,
        matched.orders,
        matched.segment_type,
        matched.segment
    from matched
    cross join data_windows
    where matched.place = 1

)

select * from final
order by customer_id
