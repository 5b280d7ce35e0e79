with

links as (

    select * from {{ ref('int_visitor_links_counted') }}
    where linked_type = 'email_hash'

),

visitors as (

    select * from {{ ref('int_visitor_users_counted') }}
    where not is_shared

),

customers as (

    select distinct email_hash
    from {{ ref('int_customer_persons_merged') }}
    where email_hash is not null

),

strange_links as (

    select
        links.anonymous_id,
        links.linked_value as email_hash,
        coalesce(visitors.person_id, 'visitor:' || links.anonymous_id) as person_id,
        greatest(links.first_linked_at, coalesce(visitors.first_linked_at, links.first_linked_at))
            as known_at,
        count(*) over (partition by links.linked_value) as devices
    from links
    inner join visitors
        on links.anonymous_id = visitors.anonymous_id
    left join customers
        on links.linked_value = customers.email_hash
    where customers.email_hash is null

),

final as (

    select
        person_id,
        'email:' || email_hash as address_id,
        max(known_at) as known_at
    from strange_links
    where devices <= {{ var('identity_max_devices_per_email') }}
    group by person_id, email_hash

)

select * from final
order by person_id, address_id
