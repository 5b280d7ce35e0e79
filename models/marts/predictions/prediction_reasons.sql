with

predictions as (

    select * from {{ ref('py_customer_predictions') }}

),

labels as (

    select * from {{ ref('rhythm_labels') }}

),

causes as (
    {% for place in [1, 2, 3] %}
    select
        customer_id,
        cast(as_of_date as date) as as_of_date,
        target,
        {{ place }} as reason_rank,
        cause_{{ place }} as cause,
        contribution_{{ place }} as contribution,
        feature_{{ place }} as feature,
        value_{{ place }} as feature_value,
        reference_value_{{ place }} as reference_value
    from predictions
    where cause_{{ place }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

sized as (

    select
        *,
        case
            when target in ('purchase_28d', 'churn') then round(abs(contribution) * 100, 1)
            when target = 'next_order' then round(abs(contribution), 1)
            else round(abs(contribution), 2)
        end as size
    from causes

),

-- What moves a prediction by less than can be printed is no reason.
final as (

    select
        sized.customer_id,
        sized.as_of_date,
        sized.target,
        sized.reason_rank,
        sized.cause,
        sized.contribution,
        sized.feature,
        sized.feature_value,
        sized.reference_value,
        labels.label
        || ': '
        || {{ labeled_value('sized.feature_value', 'labels.format') }}
        || ' (middle customer: '
        || {{ labeled_value('sized.reference_value', 'labels.format') }}
        || ')'
        || case when sized.contribution > 0 then '; raises ' else '; lowers ' end
        || case sized.target
            when 'purchase_28d' then 'the chance of an order'
            when 'churn' then 'the risk of churn'
            when 'lifetime_value' then 'the lifetime value'
            when 'next_order' then 'the wait for the next order'
            else 'the expected spend'
        end
        || ' by '
        || case
            when sized.target in ('purchase_28d', 'churn')
                then cast(cast(sized.size as decimal(18, 1)) as string) || ' points.'
            when sized.target = 'next_order'
                then cast(cast(sized.size as decimal(18, 1)) as string) || ' days.'
            else cast(cast(sized.size as decimal(18, 2)) as string) || '.'
        end as reason
    from sized
    inner join labels
        on sized.feature = labels.feature
    where sized.size > 0

)

select * from final
order by customer_id, target, reason_rank
