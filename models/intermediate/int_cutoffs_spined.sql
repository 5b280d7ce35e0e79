with

data_windows as (

    select * from {{ ref('int_data_windows_derived') }}

),

steps as (
    {% for step in range(var('max_cutoffs')) %}
    select {{ step }} as step
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- A cutoff has a whole interval behind it; only a shop younger than that has but the newest.
final as (

    select
        {{ add_days('data_windows.as_of_date', 'steps.step * -' ~ var('cutoff_interval_days')) }}
            as as_of_date,
        steps.step,
        steps.step = 0 as is_newest,
        data_windows.first_order_date
    from data_windows
    cross join steps
    where
        steps.step = 0
        or {{ add_days('data_windows.as_of_date', 'steps.step * -' ~ var('cutoff_interval_days')) }}
        >= {{ add_days('data_windows.first_order_date', var('cutoff_interval_days')) }}

)

select * from final
