-- At the latest cutoff the shipped ranker must have a higher NDCG than popularity and, over all
-- products, than personal frequency, with the whole interval above 1. Where there was too little to
-- learn from, there is no ranker to judge.
with

backtests as (

    select * from {{ ref('recommendation_backtests') }}

),

latest as (

    select max(as_of_date) as as_of_date from backtests

)

select
    backtests.scope,
    backtests.value,
    backtests.ratio_to_popular_lower,
    backtests.ratio_to_buy_again_lower
from backtests
inner join latest
    on backtests.as_of_date = latest.as_of_date
where
    backtests.generator = 'ranker'
    and backtests.segment = 'everyone'
    and backtests.metric = 'ndcg'
    and backtests.k = 20
    and (
        coalesce(backtests.ratio_to_popular_lower, 0) <= 1
        or (backtests.scope = 'all' and coalesce(backtests.ratio_to_buy_again_lower, 0) <= 1)
    )
