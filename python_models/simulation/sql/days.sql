-- At most one campaign has an effect on a day, since effects end before the next campaign starts.
with

days as (

    select
        cast(range as int) as day,
        cast(getvariable('starts_on') + to_days(cast(range as int)) as date) as date,
        cast(floor(
            (range - getvariable('campaign_first_day'))
            / getvariable('campaign_interval_days')
        ) as int) as campaign,
        (range - getvariable('campaign_first_day')) % getvariable('campaign_interval_days')
            as days_since_campaign
    from range(getvariable('days'))

)

select
    days.day,
    days.date,
    weekdays.factor,
    case
        when campaign >= 0 and days_since_campaign < getvariable('campaign_effect_days')
            then campaign
    end as campaign
from days
inner join weekdays on isodow(days.date) = weekdays.weekday
order by day
