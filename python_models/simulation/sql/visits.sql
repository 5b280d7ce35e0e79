with

people_of_block as (

    select
        person,
        visits_per_week,
        joined_day,
        churned_day
    from people
    where person >= getvariable('first_person') and person < getvariable('end_person')

),

contacted as (

    select
        person,
        campaign
    from contacts
    where
        not is_holdout
        and person >= getvariable('first_person')
        and person < getvariable('end_person')

),

rates as (

    select
        people_of_block.person,
        days.day,
        contacted.campaign,
        people_of_block.visits_per_week / 7 * days.factor as usual_rate
    from people_of_block
    inner join days
        on people_of_block.joined_day <= days.day
            and people_of_block.churned_day > days.day
    left join contacted
        on people_of_block.person = contacted.person
            and days.campaign = contacted.campaign
    where days.day >= getvariable('first_day') and days.day < getvariable('end_day')

),

visits as (

    select
        person,
        day,
        campaign,
        unnest(range(poisson(
            uniform('visits', hash(person, day)),
            usual_rate
            * case when campaign is null then 1 else 1 + getvariable('campaign_visit_uplift') end
        ))) as visit
    from rates

),

final as (

    select
        hash(person, day, visit) as session_key,
        person,
        day,
        visit,
        case
            when happens(
                    'click',
                    session_key,
                    getvariable('campaign_visit_uplift')
                    / (1 + getvariable('campaign_visit_uplift'))
                )
                then campaign
        end as campaign
    from visits

)

select * from final
