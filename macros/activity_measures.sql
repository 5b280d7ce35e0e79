{% macro activity_measures() -%}
    {#- What is added up over the days of a customer, with the type of the sum. -#}
    {{ return({
        'orders': 'bigint',
        'units': 'decimal(18, 3)',
        'amount_paid': 'decimal(18, 2)',
        'discount_amount': 'decimal(18, 2)',
        'coupons_redeemed': 'bigint',
        'campaigns_received': 'bigint',
        'browsing_events': 'bigint',
    }) }}
{%- endmacro %}
