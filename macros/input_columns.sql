{% macro input_columns(input_table) -%}
    {#- The contract's columns, in its order; the YAML of the input layer is the one place. A unit
        test has no graph to read it from, but runs only where the table itself exists. -#}
    {%- set names = [] -%}
    {%- if execute and graph.nodes is defined -%}
        {%- set node_id = 'model.' ~ project_name ~ '.input_layer__' ~ input_table -%}
        {%- do names.extend(graph.nodes[node_id].columns.keys()) -%}
    {%- elif execute -%}
        {%- set relation = api.Relation.create(
            database=target.database, schema='input_layer', identifier=input_table
        ) -%}
        {%- do names.extend(adapter.get_columns_in_relation(relation) | map(attribute='name')) -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}
