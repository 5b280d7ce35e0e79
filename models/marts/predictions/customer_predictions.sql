{%- set targets = prediction_targets() %}
{%- set columns = ['predicted', 'predicted_lower', 'predicted_upper', 'baseline_predicted'] %}

with

customers as (

    select * from {{ ref('int_customers_accepted') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

predictions as (

    select * from {{ ref('py_customer_predictions') }}

),

reasons as (

    select * from {{ ref('prediction_reasons') }}

),

rhythms as (

    select * from {{ ref('customer_rhythms') }}

),

next_categories as (

    select * from {{ ref('int_next_categories_chosen') }}
    where step = 0

),

-- One row per customer, the targets side by side.
pivoted as (

    select
        customer_id,
        {%- for target in targets %}
        {%- for column in columns %}
        max(case when target = '{{ target }}' then {{ column }} end)
            as {{ target }}_{{ column }},
        {%- endfor %}
        max(case when target = '{{ target }}' then model end) as {{ target }}_model,
        max(case
            when target = '{{ target }}' and status != 'scored'
                then '; ' || target || ': ' || status
        end) as {{ target }}_problem,
        {%- endfor %}
        count(*) as targets
    from predictions
    group by customer_id

),

reason_texts as (

    select
        customer_id,
        {%- for target in targets %}
        {%- for place in [1, 2, 3] %}
        max(case when target = '{{ target }}' and reason_rank = {{ place }} then reason end)
            as {{ target }}_reason_{{ place }},
        {%- endfor %}
        {%- endfor %}
        count(*) as reasons
    from reasons
    group by customer_id

),

-- The same version means the same models, learned from as many rows of the same days.
model_versions as (

    select
        '{{ var('prediction_model_version') }}+'
        || substr(md5(
            {%- for target in targets %}
            coalesce(max(case
                when target = '{{ target }}'
                    then
                        target
                        || model
                        || cast(training_rows as string)
                        || coalesce(cast(cast(last_training_date as date) as string), '')
            end), ''){{ ' ||' if not loop.last }}
            {%- endfor %}
        ), 1, 8) as model_version
    from predictions

),

problems as (

    select
        customer_id,
        ''
        {%- for target in targets %}
        || coalesce({{ target }}_problem, '')
        {%- endfor %} as problem
    from pivoted

),

-- Each figure has a model of its own; here they are made to agree. Nobody spends more in less time,
-- and the day by which an order is as likely as not lies beyond a period in which none is likelier.
agreed as (

    select
        *,
        case
            when spend_91d_predicted is not null
                then greatest(spend_28d_predicted, spend_91d_predicted)
        end as agreed_spend_91d,
        case
            when lifetime_value_predicted is not null
                then
                    greatest(
                        spend_28d_predicted, spend_91d_predicted, lifetime_value_predicted
                    )
        end as agreed_lifetime_value,
        case
            when churn_predicted > 0.5
                then greatest(next_order_predicted, {{ var('churn_days') }} + 1)
            when purchase_28d_predicted > 0.5 then least(next_order_predicted, 28)
            else next_order_predicted
        end as agreed_next_order
    from pivoted

),

ranked_values as (

    select
        customer_id,
        rank() over (
            order by agreed_lifetime_value desc
        ) as place,
        count(*) over () as customers
    from agreed
    where agreed_lifetime_value > 0

),

final as (

    select
        customers.customer_id,
        data_windows.as_of_date,
        agreed.purchase_28d_predicted as purchase_probability_28d,
        agreed.churn_predicted as churn_probability,
        case
            when agreed.churn_predicted >= {{ var('churn_risk_high') }} then 'high'
            when agreed.churn_predicted >= {{ var('churn_risk_medium') }} then 'medium'
            when agreed.churn_predicted is not null then 'low'
        end as churn_risk_band,
        rhythms.recency_days > {{ var('churn_days') }} as has_lapsed,
        cast(agreed.spend_28d_predicted as decimal(18, 2)) as expected_spend_28d,
        cast(agreed.spend_28d_predicted_lower as decimal(18, 2)) as expected_spend_28d_lower,
        cast(agreed.spend_28d_predicted_upper as decimal(18, 2)) as expected_spend_28d_upper,
        cast(agreed.agreed_spend_91d as decimal(18, 2)) as expected_spend_91d,
        cast(agreed.spend_91d_predicted_lower as decimal(18, 2)) as expected_spend_91d_lower,
        cast(
            greatest(agreed.spend_91d_predicted_upper, agreed.agreed_spend_91d) as decimal(18, 2)
        ) as expected_spend_91d_upper,
        cast(agreed.agreed_lifetime_value as decimal(18, 2)) as lifetime_value,
        case
            when
                ranked_values.place
                <= ranked_values.customers * {{ var('value_band_high_share') }}
                then 'high'
            when
                ranked_values.place
                <= ranked_values.customers
                * ({{ var('value_band_high_share') }} + {{ var('value_band_medium_share') }})
                then 'medium'
            when agreed.agreed_lifetime_value is not null then 'low'
        end as value_band,
        {{ date_of_wait('data_windows.as_of_date', 'agreed.agreed_next_order') }}
            as expected_next_order_date,
        {{ date_of_wait(
            'data_windows.as_of_date',
            'least(agreed.next_order_predicted_lower, agreed.agreed_next_order)'
        ) }} as next_order_earliest_date,
        {{ date_of_wait(
            'data_windows.as_of_date',
            'greatest(agreed.next_order_predicted_upper, agreed.agreed_next_order)'
        ) }} as next_order_latest_date,
        next_categories.category as likely_next_category,
        next_categories.probability as likely_next_category_probability,
        {%- for target in targets %}
        agreed.{{ target }}_model,
        reason_texts.{{ target }}_reason_1
        || coalesce(' ' || reason_texts.{{ target }}_reason_2, '')
        || coalesce(' ' || reason_texts.{{ target }}_reason_3, '') as {{ target }}_reasons,
        {%- endfor %}
        case
            when next_categories.category_order_days = 0
                then 'Never bought so far; the whole shop buys it most often.'
            when next_categories.category is not null
                then
                    'Bought on '
                    || cast(next_categories.category_order_days as string)
                    || ' of '
                    || {{ counted('next_categories.order_days', 'day') }}
                    || ' with orders; recent days count more.'
        end as next_category_reason,
        agreed.purchase_28d_baseline_predicted as baseline_purchase_probability_28d,
        agreed.churn_baseline_predicted as baseline_churn_probability,
        cast(agreed.spend_28d_baseline_predicted as decimal(18, 2))
            as baseline_expected_spend_28d,
        cast(agreed.spend_91d_baseline_predicted as decimal(18, 2))
            as baseline_expected_spend_91d,
        cast(agreed.lifetime_value_baseline_predicted as decimal(18, 2))
            as baseline_lifetime_value,
        {{ date_of_wait('data_windows.as_of_date', 'agreed.next_order_baseline_predicted') }}
            as baseline_next_order_date,
        next_categories.popular_category as baseline_next_category,
        model_versions.model_version,
        case
            when problems.problem is null then 'no order yet'
            when problems.problem = '' then 'scored'
            else substr(problems.problem, 3)
        end as status
    from customers
    cross join data_windows
    cross join model_versions
    left join agreed
        on customers.customer_id = agreed.customer_id
    left join problems
        on customers.customer_id = problems.customer_id
    left join reason_texts
        on customers.customer_id = reason_texts.customer_id
    left join rhythms
        on
            customers.customer_id = rhythms.customer_id
            and data_windows.as_of_date = rhythms.as_of_date
    left join ranked_values
        on customers.customer_id = ranked_values.customer_id
    left join next_categories
        on customers.customer_id = next_categories.customer_id

)

select * from final
order by customer_id
