{% macro labeled_value(value, format) -%}
    {#- The value of a figure as reasons print it. -#}
    case
        when {{ value }} is null then 'none yet'
        when {{ format }} = 'money' then cast(cast({{ value }} as decimal(18, 2)) as string)
        when {{ format }} = 'share'
            then cast(cast({{ value }} * 100 as decimal(18, 0)) as string) || ' %'
        when {{ format }} = 'flag' then case when {{ value }} > 0 then 'yes' else 'no' end
        when {{ format }} = 'count' then cast(cast({{ value }} as decimal(18, 0)) as string)
        else cast(cast({{ value }} as decimal(18, 1)) as string)
    end
{%- endmacro %}
