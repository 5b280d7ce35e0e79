{% macro kind_of_device(user_agent) -%}
    {#- What a browser says of itself; a tablet of Android says Android but not Mobile. -#}
    case
        when {{ user_agent }} is null then null
        when {{ user_agent }} like '%iPad%' or {{ user_agent }} like '%Tablet%' then 'tablet'
        when {{ user_agent }} like '%Mobi%' then 'mobile'
        when {{ user_agent }} like '%Android%' then 'tablet'
        else 'desktop'
    end
{%- endmacro %}
