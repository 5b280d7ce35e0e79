with

demand_lines as (

    select * from {{ ref('int_demand_lines_enriched') }}

),

promotions as (

    select * from {{ ref('int_promotions_accepted') }}

),

full_weeks as (

    select * from {{ ref('int_full_weeks_spined') }}

),

-- What a store sells of a product, by week: the weights.
placed_sales as (

    select
        series,
        product_id,
        store_or_channel,
        week_start_date,
        sum(units) as units
    from demand_lines
    where units > 0
    group by series, product_id, store_or_channel, week_start_date

),

places as (

    select distinct
        product_id,
        store_or_channel
    from placed_sales

),

-- Most promotions are of what a store never sold: left out before anything is sorted.
promoted_places as (

    select
        promotions.product_id,
        promotions.store_or_channel,
        promotions.period_start,
        promotions.period_end,
        max(case when promotions.is_displayed then 1 else 0 end) as display_count,
        max(case when promotions.is_mailed then 1 else 0 end) as mailer_count
    from promotions
    inner join places
        on
            promotions.product_id = places.product_id
            and promotions.store_or_channel = places.store_or_channel
    group by
        promotions.product_id,
        promotions.store_or_channel,
        promotions.period_start,
        promotions.period_end

),

periods as (

    select distinct
        period_start,
        period_end
    from promoted_places

),

-- A promotion counts in every week that it is on for a day.
period_weeks as (

    select
        periods.period_start,
        periods.period_end,
        full_weeks.week_start_date
    from periods
    inner join full_weeks
        on
            periods.period_start < {{ add_days('full_weeks.week_start_date', 7) }}
            and periods.period_end >= full_weeks.week_start_date

),

promoted_weeks as (

    select
        promoted_places.product_id,
        promoted_places.store_or_channel,
        period_weeks.week_start_date,
        max(promoted_places.display_count) as display_count,
        max(promoted_places.mailer_count) as mailer_count
    from promoted_places
    inner join period_weeks
        on
            promoted_places.period_start = period_weeks.period_start
            and promoted_places.period_end = period_weeks.period_end
    group by
        promoted_places.product_id,
        promoted_places.store_or_channel,
        period_weeks.week_start_date

),

promoted_units as (

    select
        placed_sales.series,
        promoted_weeks.week_start_date,
        sum(placed_sales.units * promoted_weeks.display_count) as displayed_units,
        sum(placed_sales.units * promoted_weeks.mailer_count) as mailed_units
    from promoted_weeks
    inner join placed_sales
        on
            promoted_weeks.product_id = placed_sales.product_id
            and promoted_weeks.store_or_channel = placed_sales.store_or_channel
            and promoted_weeks.week_start_date > placed_sales.week_start_date
    group by placed_sales.series, promoted_weeks.week_start_date

),

series_sales as (

    select
        series,
        week_start_date,
        sum(units) as units
    from placed_sales
    group by series, week_start_date

),

past_units as (

    select
        series_sales.series,
        full_weeks.week_start_date,
        sum(series_sales.units) as units
    from series_sales
    inner join full_weeks
        on series_sales.week_start_date < full_weeks.week_start_date
    group by series_sales.series, full_weeks.week_start_date

),

final as (

    select
        promoted_units.series,
        promoted_units.week_start_date,
        {{ divide('promoted_units.displayed_units', 'past_units.units') }} as display_share,
        {{ divide('promoted_units.mailed_units', 'past_units.units') }} as mailer_share
    from promoted_units
    inner join past_units
        on
            promoted_units.series = past_units.series
            and promoted_units.week_start_date = past_units.week_start_date

)

select * from final
order by series, week_start_date
