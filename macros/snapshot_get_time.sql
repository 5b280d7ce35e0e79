{% macro default__snapshot_get_time() -%}
    {#- When a row that is gone ended: on the day at whose start the data end, not now. -#}
    {%- set data_windows = api.Relation.create(
        database=target.database, schema='intermediate', identifier='int_data_windows_derived'
    ) -%}
    (select as_of_date from {{ data_windows }})
{%- endmacro %}
