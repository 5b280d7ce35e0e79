-- Whoever agrees to e-mails when a campaign starts is drawn to get it or to be held out.
with

permissions as (

    select
        person,
        min(day) as granted_day,
        max(case when not is_granted then day end) as withdrawn_day
    from consents
    where purpose = 'email'
    group by person
    having bool_or(is_granted)

)

select
    campaigns.campaign,
    campaigns.campaign_id,
    campaigns.first_day,
    campaigns.starts_at as contacted_at,
    permissions.person,
    happens(
        'holdout',
        hash(permissions.person, campaigns.campaign, 'contact'),
        getvariable('campaign_holdout_share')
    ) as is_holdout
from campaigns
inner join permissions
    on campaigns.first_day > permissions.granted_day
        and (permissions.withdrawn_day is null or campaigns.first_day <= permissions.withdrawn_day)
order by campaigns.campaign, permissions.person
