with

basket_pairs as (

    select * from {{ ref('int_basket_pairs_counted') }}

),

-- Every pair makes two rules, one in each direction.
directed_pairs as (

    select
        as_of_date,
        step,
        product_id,
        paired_product_id as consequent_product_id,
        pair_orders as support_count,
        product_orders as antecedent_count,
        paired_product_orders as consequent_count,
        orders
    from basket_pairs
    union all
    select
        as_of_date,
        step,
        paired_product_id as product_id,
        product_id as consequent_product_id,
        pair_orders as support_count,
        paired_product_orders as antecedent_count,
        product_orders as consequent_count,
        orders
    from basket_pairs

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
    from directed_pairs

),

rules as (

    select *
    from measured
    where lift >= {{ var('association_rule_min_lift') }}

),

-- What the next cutoff knows beyond a rule's own came in within the interval between them.
holdouts as (

    select
        rules.as_of_date,
        rules.step,
        rules.product_id,
        rules.consequent_product_id,
        rules.support_count,
        rules.antecedent_count,
        rules.lift,
        next_pairs.orders - rules.orders as holdout_orders,
        next_pairs.antecedent_count - rules.antecedent_count as holdout_antecedent_count,
        next_pairs.consequent_count - rules.consequent_count as holdout_consequent_count,
        next_pairs.support_count - rules.support_count as holdout_support_count
    from rules
    inner join directed_pairs as next_pairs
        on
            rules.step - 1 = next_pairs.step
            and rules.product_id = next_pairs.product_id
            and rules.consequent_product_id = next_pairs.consequent_product_id

),

tests as (

    select
        *,
        {{ divide('holdout_antecedent_count * support_count', 'antecedent_count') }}
            as holdout_expected_count,
        {{ divide(
            'holdout_support_count * holdout_orders',
            'holdout_antecedent_count * holdout_consequent_count'
        ) }} as holdout_lift
    from holdouts

),

-- Nothing has followed the newest cutoff yet: its rules show the latest test.
final as (

    select
        rules.as_of_date,
        rules.step = 0 as is_newest,
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
            greatest(rules.step, 1) = tests.step
            and rules.product_id = tests.product_id
            and rules.consequent_product_id = tests.consequent_product_id

)

select * from final
order by as_of_date, product_id, consequent_product_id
