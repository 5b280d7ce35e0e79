with

demand_lines as (

    select * from {{ ref('int_demand_lines_enriched') }}

),

promoted_weeks as (

    select * from {{ ref('int_category_promotions_weighted') }}

),

full_weeks as (

    select * from {{ ref('int_full_weeks_spined') }}

),

sales as (

    select
        demand_lines.series,
        demand_lines.department,
        demand_lines.category,
        demand_lines.week_start_date,
        sum(demand_lines.units) as units,
        sum(demand_lines.amount_paid) as amount_paid,
        max(demand_lines.units) > 0 as is_sold
    from demand_lines
    inner join full_weeks
        on demand_lines.week_start_date = full_weeks.week_start_date
    group by
        demand_lines.series,
        demand_lines.department,
        demand_lines.category,
        demand_lines.week_start_date

),

first_weeks as (

    select
        series,
        department,
        category,
        min(week_start_date) as first_week_start_date
    from sales
    where is_sold
    group by series, department, category

),

-- A week in which more came back than was sold had no demand, not less than none.
final as (

    select
        first_weeks.series,
        first_weeks.department,
        first_weeks.category,
        full_weeks.week_start_date,
        cast(greatest(coalesce(sales.units, 0), 0) as decimal(18, 3)) as units,
        cast(coalesce(sales.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        coalesce(promoted_weeks.display_share, 0) as display_share,
        coalesce(promoted_weeks.mailer_share, 0) as mailer_share
    from first_weeks
    inner join full_weeks
        on first_weeks.first_week_start_date <= full_weeks.week_start_date
    left join sales
        on
            first_weeks.series = sales.series
            and full_weeks.week_start_date = sales.week_start_date
    left join promoted_weeks
        on
            first_weeks.series = promoted_weeks.series
            and full_weeks.week_start_date = promoted_weeks.week_start_date

)

select * from final
order by series, week_start_date
