-- What each visit is to become: from which device and channel, and how far it gets.
with

placed as (

    select
        visits.*,
        case
            when visits.campaign is not null then 'email'
            else channel_of(uniform('channel', session_key))
        end as channel,
        -- The first device is used most.
        below(
            uniform('device', session_key) ^ 2,
            people.own_devices + cast(people.shares_device as int)
        ) as device_index,
        people.cart_factor
    from visits
    inner join people using (person)

),

described as (

    select
        placed.*,
        devices.anonymous_id,
        devices.link,
        devices.link = 'login' and getvariable('takes_orders') as can_check_out,
        devices.link != 'none' and happens('login', session_key, getvariable('login_share'))
            as tells_who_early,
        happens('view', session_key, channels.view) as has_view,
        happens('cart', session_key, channels.cart * placed.cart_factor) as wants_cart,
        happens('checkout', session_key, channels.checkout) as wants_checkout,
        happens('order', session_key, channels.order) as wants_order
    from placed
    inner join devices using (person, device_index)
    inner join channels using (channel)

),

funneled as (

    select
        * exclude (wants_cart, wants_checkout, wants_order),
        has_view and wants_cart as has_cart,
        has_cart and wants_checkout and can_check_out as has_checkout,
        has_checkout and wants_order as has_order
    from described

)

select
    *,
    's' || day || '-' || lpad(cast(person as text), 8, '0') || '-' || visit as session_id,
    case
        when has_view
            then 1 + geometric(uniform('views', session_key), getvariable('mean_views') - 1)
        else 0
    end as views,
    case
        when has_view then 0
        else geometric(uniform('pages', session_key), getvariable('mean_pages') - 1)
    end as further_pages,
    -- From which position on the customer is known.
    case
        when link != 'login' then null
        when tells_who_early then 2
        when has_checkout then 1001
    end as login_position,
    (hour_of(uniform('hour', session_key)) - getvariable('day_starts_at_hour') + 24) % 24 * 3600
    + below(uniform('second', session_key), 3600) as wanted_start
from funneled
