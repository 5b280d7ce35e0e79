-- Which device stands for whom, and whether the events let anybody find out.
with

visits as (

    select
        anonymous_id,
        person_id,
        count(*) as sessions,
        count(*) filter (where has_login) as logins,
        count(*) filter (where has_email_link) as email_links
    from truth_sessions
    group by anonymous_id, person_id

)

select
    devices.anonymous_id,
    people.person_id,
    people.customer_id,
    devices.device,
    devices.is_shared,
    devices.link,
    coalesce(visits.sessions, 0) as sessions,
    coalesce(visits.logins, 0) as logins,
    coalesce(visits.email_links, 0) as email_links
from devices
inner join people using (person)
left join visits using (anonymous_id, person_id)
order by devices.anonymous_id, people.person_id
