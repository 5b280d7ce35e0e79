{% macro input_columns(input_table) -%}
    {#- The contract's columns, in its order; the YAML of the input layer is the one place. -#}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- set node_id = 'model.' ~ project_name ~ '.input_layer__' ~ input_table -%}
        {%- do names.extend(graph.nodes[node_id].columns.keys()) -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}
