select
    campaign,
    'email-' || (campaign + 1) as campaign_id,
    'newsletter' as campaign_type,
    'email' as channel,
    min(day) as first_day,
    midnight(min(day)) + to_hours(getvariable('day_starts_at_hour')) as starts_at,
    starts_at + to_days(getvariable('campaign_effect_days')) as ends_at
from days
where campaign is not null
group by campaign
order by campaign
