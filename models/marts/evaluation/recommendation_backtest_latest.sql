with

backtests as (

    select * from {{ ref('recommendation_backtests') }}

),

latest as (

    select max(as_of_date) as as_of_date from backtests

),

everyone as (

    select backtests.*
    from backtests
    inner join latest
        on backtests.as_of_date = latest.as_of_date
    where backtests.segment = 'everyone'

),

final as (

    select
        as_of_date,
        scope,
        k,
        generator,
        max(case when metric = 'ndcg' then customers end) as customers,
        {%- for metric in [
            'recall', 'precision', 'ndcg', 'map', 'hit_rate', 'mrr',
            'coverage', 'novelty', 'gini', 'popularity_lift',
        ] %}
        max(case metric when '{{ metric }}' then value end) as {{ metric }},
        {%- endfor %}
        max(case metric when 'ndcg' then lower end) as ndcg_lower,
        max(case metric when 'ndcg' then upper end) as ndcg_upper,
        max(case metric when 'ndcg' then ratio_to_popular end) as ndcg_ratio_to_popular,
        max(case metric when 'ndcg' then ratio_to_buy_again end) as ndcg_ratio_to_buy_again
    from everyone
    group by as_of_date, scope, k, generator

)

select * from final
order by scope asc, k asc, ndcg desc, generator asc
