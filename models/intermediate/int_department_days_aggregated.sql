with

demand_lines as (

    select * from {{ ref('int_demand_lines_enriched') }}

),

final as (

    select
        department,
        order_date,
        cast(greatest(sum(units), 0) as decimal(18, 3)) as units
    from demand_lines
    group by department, order_date

)

select * from final
order by department, order_date
