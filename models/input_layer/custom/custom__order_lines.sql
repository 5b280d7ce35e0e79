{{ config(enabled=source_is_enabled('custom')) }}

with

order_lines as (

    select * from {{ source('custom', 'order_lines') }}

),

final as (

    select
        {% if 'order_line_id' in custom_table('order_lines').get('columns', {}) -%}
        order_line_id,
        {%- else -%}
        -- Files without a key: equal lines of one order are that many lines.
        coalesce(
            order_line_id,
            order_id
            || '-'
            || row_number() over (
                partition by order_id
                order by
                    product_id, quantity, amount_paid, loyalty_discount, coupon_discount,
                    coupon_match_discount, is_return, returned_order_line_id, source_file
            )
        ) as order_line_id,
        {%- endif %}
        order_id,
        product_id,
        quantity,
        amount_paid,
        loyalty_discount,
        coupon_discount,
        coupon_match_discount,
        coalesce(is_return, quantity < 0 or amount_paid < 0) as is_return,
        returned_order_line_id,
        is_simulated,
        unreadable_text
    from order_lines

)

select * from final
