{% macro url_path(url) -%}
    {#- The path of a URL or of a path, without host, query and fragment; / is the front page. -#}
    coalesce(
        nullif(regexp_extract({{ url }}, '^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?([^?#]*)', 1), ''),
        case when {{ url }} is not null then '/' end
    )
{%- endmacro %}
