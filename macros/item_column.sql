{% macro item_column(item, column) -%}
    {#- A column of a product in an event, whichever of its names the event uses. -#}
    {%- set names = {
        'product_id': ['product_id', 'item_id', 'sku', 'id'],
        'product_name': ['name', 'item_name'],
        'brand': ['brand', 'item_brand'],
        'category': ['category', 'item_category'],
    }[column] -%}
    coalesce({{ item }}.{{ names | join(', ' ~ item ~ '.') }})
{%- endmacro %}
