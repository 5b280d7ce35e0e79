with

basket_pairs as (

    select * from {{ ref('int_basket_pairs_counted') }}

),

-- The newest cutoff and, unless the shop is too young for it, the one before.
cutoffs as (

    select
        as_of_date,
        is_newest
    from {{ ref('int_cutoffs_spined') }}
    where step <= 1

),

-- Every pair makes two rules, one in each direction.
directed_pairs as (

    select
        product_id,
        paired_product_id as consequent_product_id,
        earlier_pair_orders,
        earlier_product_orders as earlier_antecedent_orders,
        earlier_paired_product_orders as earlier_consequent_orders,
        earlier_orders,
        recent_pair_orders,
        recent_product_orders as recent_antecedent_orders,
        recent_paired_product_orders as recent_consequent_orders,
        recent_orders
    from basket_pairs
    union all
    select
        paired_product_id as product_id,
        product_id as consequent_product_id,
        earlier_pair_orders,
        earlier_paired_product_orders as earlier_antecedent_orders,
        earlier_product_orders as earlier_consequent_orders,
        earlier_orders,
        recent_pair_orders,
        recent_paired_product_orders as recent_antecedent_orders,
        recent_product_orders as recent_consequent_orders,
        recent_orders
    from basket_pairs

),

-- The older cutoff knows the earlier orders only; the newest knows the recent ones too.
counted as (

    select
        cutoffs.as_of_date,
        cutoffs.is_newest,
        directed_pairs.product_id,
        directed_pairs.consequent_product_id,
        {%- for count in ['pair', 'antecedent', 'consequent'] %}
        directed_pairs.earlier_{{ count }}_orders
        + case when cutoffs.is_newest then directed_pairs.recent_{{ count }}_orders else 0 end
            as {{ 'support' if count == 'pair' else count }}_count,
        {%- endfor %}
        directed_pairs.earlier_orders
        + case when cutoffs.is_newest then directed_pairs.recent_orders else 0 end as orders
    from directed_pairs
    cross join cutoffs

),

measured as (

    select
        *,
        {{ divide('support_count', 'orders', digits=9) }} as support_share,
        {{ divide('support_count', 'antecedent_count') }} as confidence,
        {{ divide('support_count * orders', 'antecedent_count * consequent_count') }} as lift,
        {{ divide(
            'support_count * orders - antecedent_count * consequent_count',
            'orders * orders',
            digits=9
        ) }} as leverage
    from counted

),

rules as (

    select *
    from measured
    where
        support_count >= {{ var('association_rule_min_support') }}
        and lift >= {{ var('association_rule_min_lift') }}

),

-- A rule of the older cutoff is put to the test on the orders that came after it.
tests as (

    select
        rules.as_of_date,
        rules.product_id,
        rules.consequent_product_id,
        rules.lift,
        directed_pairs.recent_orders as holdout_orders,
        directed_pairs.recent_antecedent_orders as holdout_antecedent_count,
        {{ divide(
            'directed_pairs.recent_antecedent_orders * rules.support_count',
            'rules.antecedent_count'
        ) }} as holdout_expected_count,
        directed_pairs.recent_pair_orders as holdout_support_count,
        {{ divide(
            'directed_pairs.recent_pair_orders * directed_pairs.recent_orders',
            'directed_pairs.recent_antecedent_orders * directed_pairs.recent_consequent_orders'
        ) }} as holdout_lift
    from rules
    inner join directed_pairs
        on
            rules.product_id = directed_pairs.product_id
            and rules.consequent_product_id = directed_pairs.consequent_product_id
    where not rules.is_newest

),

final as (

    select
        rules.as_of_date,
        rules.is_newest,
        rules.product_id,
        rules.consequent_product_id,
        rules.support_count,
        rules.support_share,
        rules.antecedent_count,
        rules.consequent_count,
        rules.orders,
        rules.confidence,
        rules.lift,
        rules.leverage,
        tests.as_of_date as tested_from_date,
        tests.lift as tested_lift,
        tests.holdout_orders,
        tests.holdout_antecedent_count,
        tests.holdout_expected_count,
        tests.holdout_support_count,
        tests.holdout_lift,
        case
            when
                tests.holdout_expected_count >= {{ var('association_rule_min_holdout_expected') }}
                then tests.holdout_lift > 1
        end as has_held_out
    from rules
    left join tests
        on
            rules.product_id = tests.product_id
            and rules.consequent_product_id = tests.consequent_product_id

)

select * from final
order by as_of_date, product_id, consequent_product_id
