{% macro segment_in_words(segment_type, segment) -%}
    {#- Goes on after "customers". Double quotes: Spark drops a doubled single quote. -#}
    {%- set name = "replace(" ~ segment ~ ", '_', ' ')" -%}
    case {{ segment_type }}
        when 'rfm_segment' then 'in the segment "' || {{ name }} || '"'
        when 'age_band' then 'aged ' || {{ name }}
        when 'income_band' then 'with an income of ' || {{ name }}
        when 'household_size' then 'in a household of ' || {{ name }}
        when 'household_composition' then 'with the household "' || {{ name }} || '"'
        when 'region' then 'in the region "' || {{ name }} || '"'
        else 'in the group "' || {{ name }} || '"'
    end
{%- endmacro %}
