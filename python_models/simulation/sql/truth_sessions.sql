select
    sessions.session_id,
    people.person_id,
    people.customer_id,
    people.segment,
    sessions.anonymous_id,
    devices.device,
    sessions.channel,
    campaigns.campaign_id,
    sessions.started_at,
    sessions.ended_at,
    sessions.events,
    sessions.can_check_out,
    sessions.has_view,
    sessions.has_cart,
    sessions.has_checkout,
    sessions.has_order as is_converted,
    sessions.login_position is not null as has_login,
    sessions.link = 'email' and sessions.tells_who_early as has_email_link
from sessions
inner join people using (person)
inner join devices using (person, device_index)
left join campaigns using (campaign)
order by sessions.session_id
