{{ config(
    enabled=source_is_enabled('online_retail'),
    materialized='table',
) }}

{#- What stands in the lines beside goods. Nothing but these codes tells it. -#}
{%- set kinds = {
    'postage': ['POST', 'DOT', 'C2', '23444', '23574'],
    'voucher': ['22016'],
    'discount': ['D'],
    'manual': ['M'],
    'sample': ['S', 'PADS'],
    'fee': ['AMAZONFEE', 'BANK CHARGES', 'CRUK'],
    'bad_debt': ['B'],
} -%}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}

),

classified as (

    select distinct
        stock_code,
        case
            {%- for kind, stock_codes in kinds.items() %}
            {%- for stock_code in stock_codes %}
            when stock_code = '{{ stock_code }}' then '{{ kind }}'
            {%- endfor %}
            {%- endfor %}
            when stock_code like 'GIFT#_%' escape '#' then 'voucher'
            else 'merchandise'
        end as kind
    from invoice_lines
    where stock_code is not null

),

-- What was counted, damaged or lost stands in the description too, but has no price.
descriptions as (

    select
        stock_code,
        description,
        count(*) as invoice_lines
    from invoice_lines
    where
        unit_price > 0
        and description is not null
    group by stock_code, description

),

names as (

    select
        stock_code,
        {{ first_by('description', ['-invoice_lines']) }} as description
    from descriptions
    group by stock_code

),

final as (

    select
        classified.stock_code,
        names.description,
        classified.kind,
        classified.kind = 'merchandise' as is_merchandise
    from classified
    left join names
        on classified.stock_code = names.stock_code

)

select * from final
order by stock_code
