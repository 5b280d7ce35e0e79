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
        {%- for trait in demographic_traits() %}
        cast(customers.{{ trait }} as string) as {{ trait }},
        {%- endfor %}
        cast(coalesce(activity.orders, 0) as bigint) as orders
    from customers
    left join activity
        on customers.customer_id = activity.customer_id
    where coalesce(activity.orders, 0) < {{ var('cold_start_orders') }}

),

-- What is known of the customer, the more telling first.
traits as (
    {% for trait in demographic_traits() %}
    select
        customer_id,
        {{ loop.index }} as priority,
        '{{ trait }}' as segment_type,
        {{ trait }} as segment
    from cold
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

matched as (

    select
        traits.customer_id,
        traits.segment_type,
        traits.segment,
        row_number() over (partition by traits.customer_id order by traits.priority) as place
    from traits
    inner join segments
        on
            traits.segment_type = segments.segment_type
            and traits.segment = segments.segment

),

-- Who is like nobody known is like everyone, whether or not everyone has a list.
final as (

    select
        cold.customer_id,
        data_windows.as_of_date,
        cold.orders,
        coalesce(matched.segment_type, 'everyone') as segment_type,
        coalesce(matched.segment, 'everyone') as segment
    from cold
    cross join data_windows
    left join matched
        on
            cold.customer_id = matched.customer_id
            and matched.place = 1

)

select * from final
order by customer_id
