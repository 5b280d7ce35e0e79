{% macro masked_emails(text_column) -%}
    {#- Text that visitors or machines wrote, without the e-mail addresses in it. -#}
    {{ return(adapter.dispatch('masked_emails')(text_column)) }}
{%- endmacro %}

{% macro default__masked_emails(text_column) -%}
    regexp_replace({{ text_column }}, '[^\\s@<>,;:()]+@[^\\s@<>,;:()]+', '<e-mail>')
{%- endmacro %}

{% macro duckdb__masked_emails(text_column) -%}
    case
        when contains({{ text_column }}, '@')
            then regexp_replace({{ text_column }}, '[^\s@<>,;:()]+@[^\s@<>,;:()]+', '<e-mail>', 'g')
        else {{ text_column }}
    end
{%- endmacro %}
