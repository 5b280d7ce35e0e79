{% macro completejourney_loaded_at(table_name, timestamp_column) -%}
    {#- dbt measures age against the wall clock; adding the age of the newest sale to it leaves the
        lag behind the data's own end. -#}
    select
        cast(now() as timestamp)
        - (
            (select max(transaction_timestamp) from raw_completejourney.transactions)
            - (select max({{ timestamp_column }}) from raw_completejourney.{{ table_name }})
        )
{%- endmacro %}
