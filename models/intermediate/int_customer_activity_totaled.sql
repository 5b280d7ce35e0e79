with

customer_days as (

    select * from {{ ref('int_customer_days_aggregated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_spined') }}

),

-- The one join that decides what a cutoff may know.
known_days as (

    select
        customer_days.*,
        cutoffs.as_of_date,
        cutoffs.is_newest,
        cutoffs.first_order_date as first_data_date,
        {{ days_between('customer_days.activity_date', 'cutoffs.as_of_date') }} as age_days
    from customer_days
    inner join cutoffs
        on customer_days.known_date < cutoffs.as_of_date

),

final as (

    select
        customer_id,
        as_of_date,
        is_newest,
        first_data_date,
        min(case when orders > 0 then activity_date end) as first_order_date,
        max(case when orders > 0 then activity_date end) as last_order_date,
        {%- for measure in activity_measures() %}
        sum({{ measure }}) as {{ measure }},
        {%- for days in activity_windows() %}
        sum(case when age_days <= {{ days }} then {{ measure }} else 0 end)
            as {{ measure }}_{{ days }}d,
        {%- endfor %}
        {%- endfor %}
        sum(order_lines) as order_lines,
        sum(coupon_discount) as coupon_discount,
        sum(private_label_amount) as private_label_amount,
        sum(discounted_lines) as discounted_lines
    from known_days
    group by customer_id, as_of_date, is_newest, first_data_date
    having sum(orders) > 0

)

select * from final
