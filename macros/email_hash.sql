{% macro email_hash(email) -%}
    {#- SHA-256 of the address without blanks and in small letters, in hexadecimal digits: what
        other systems make of it, too, so that hashes meet. -#}
    {{ return(adapter.dispatch('email_hash')(email)) }}
{%- endmacro %}

{% macro default__email_hash(email) -%}
    sha2(lower(nullif(trim({{ email }}), '')), 256)
{%- endmacro %}

{% macro duckdb__email_hash(email) -%}
    sha256(lower(nullif(trim({{ email }}), '')))
{%- endmacro %}
