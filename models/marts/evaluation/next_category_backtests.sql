with

next_categories as (

    select * from {{ ref('int_next_categories_chosen') }}
    where was_bought is not null

),

hits as (

    select
        as_of_date,
        probability,
        case when was_bought then 1 else 0 end as hit,
        case when popular_was_bought then 1 else 0 end as baseline_hit
    from next_categories

),

totals as (

    select
        as_of_date,
        count(*) as customers,
        sum(hit) as hits,
        sum(baseline_hit) as baseline_hits,
        sum(abs(hit - baseline_hit)) as disagreements,
        sum(cast(round(probability * 1000000) as bigint)) as millionths
    from hits
    group by as_of_date

),

rates as (

    select
        as_of_date,
        customers,
        {{ divide('hits', 'customers') }} as hit_rate,
        {{ divide('baseline_hits', 'customers') }} as baseline_hit_rate,
        {{ divide('hits - baseline_hits', 'customers') }} as difference,
        {{ divide('disagreements', 'customers') }} as disagreement_rate,
        {{ divide('millionths', 'customers * 1000000.0') }} as mean_probability
    from totals

),

-- The normal interval of a mean of paired differences, each of which is -1, 0 or 1.
final as (

    select
        as_of_date,
        customers,
        hit_rate,
        baseline_hit_rate,
        difference,
        round(
            difference
            - 1.959964 * sqrt((disagreement_rate - difference * difference) / customers),
            6
        ) as difference_lower,
        round(
            difference
            + 1.959964 * sqrt((disagreement_rate - difference * difference) / customers),
            6
        ) as difference_upper,
        mean_probability
    from rates

)

select * from final
order by as_of_date
