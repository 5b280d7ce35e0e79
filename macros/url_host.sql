{% macro url_host(url) -%}
    {#- The host of a URL in small letters, without user and port; what names no scheme is taken as
        a host. Null where there is none. -#}
    nullif(
        regexp_extract(lower({{ url }}), '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:@]*)', 1),
        ''
    )
{%- endmacro %}
