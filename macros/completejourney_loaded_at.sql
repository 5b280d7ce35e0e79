{% macro completejourney_loaded_at(timestamp_column) -%}
    {#- dbt measures age against the wall clock; adding the age of the newest sale to it leaves the
        lag behind the data's own end. -#}
    select now() - (
        (select max(transaction_timestamp) from raw_completejourney.transactions)
        - max({{ timestamp_column }})
    ) from {{ '{{ this }}' }}
{%- endmacro %}
