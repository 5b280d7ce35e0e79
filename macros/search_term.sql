{% macro search_term(query) -%}
    {#- Null below search_term_min_length: half a word says nothing. -#}
    {%- set term = 'rtrim(substr(' ~ one_spelling(query) ~ ', 1, ' ~ var('search_term_max_length') ~ '))' -%}
    case when length({{ term }}) >= {{ var('search_term_min_length') }} then {{ term }} end
{%- endmacro %}
