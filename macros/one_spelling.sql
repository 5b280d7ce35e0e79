{% macro one_spelling(text) -%}
    {#- Lower case, single spaces, composed characters (NFC); accents stay, since they tell words
        apart. -#}
    {{ return(adapter.dispatch('one_spelling')(text)) }}
{%- endmacro %}

{% macro default__one_spelling(text) -%}
    trim(regexp_replace(lower({{ text }}), '[\\s\\p{Z}]+', ' '))
{%- endmacro %}

{% macro duckdb__one_spelling(text) -%}
    trim(regexp_replace(nfc_normalize(lower({{ text }})), '[\s\p{Z}]+', ' ', 'g'))
{%- endmacro %}
