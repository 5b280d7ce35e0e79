{% macro recommended_products() -%}
    {#- Every product recommended anywhere, by list. Pages of products go by the surface discover,
        segments by cold_start. -#}
    select
        'customer' as list_type,
        surface,
        customer_id as list_id,
        product_id
    from {{ ref('customer_recommendations') }}
    union all
    select
        'page' as list_type,
        'discover' as surface,
        product_id as list_id,
        recommended_product_id as product_id
    from {{ ref('item_recommendations') }}
    union all
    select
        'segment' as list_type,
        'cold_start' as surface,
        segment_type || ' ' || segment as list_id,
        product_id
    from {{ ref('segment_recommendations') }}
{%- endmacro %}
