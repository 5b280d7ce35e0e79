with

links as (

    select * from {{ ref('int_visitor_links_counted') }}

),

customers as (

    select * from {{ ref('int_customer_persons_merged') }}

),

-- An address that links nobody is left out; another of two customers stands for the first of them.
addresses as (

    select
        email_hash,
        min(person_id) as person_id,
        min(customer_id) as customer_id,
        bool_or(is_email_shared) as is_email_shared
    from customers
    where email_hash is not null
    group by email_hash

),

uses as (

    select
        links.anonymous_id,
        customers.person_id,
        links.linked_value as customer_id,
        'login' as linked_by,
        links.days,
        links.first_linked_at
    from links
    inner join customers
        on links.linked_value = customers.customer_id
    where links.linked_type = 'customer_id'
    union all
    select
        links.anonymous_id,
        addresses.person_id,
        addresses.customer_id,
        'email_hash' as linked_by,
        links.days,
        links.first_linked_at
    from links
    inner join addresses
        on links.linked_value = addresses.email_hash
    where
        links.linked_type = 'email_hash'
        and not addresses.is_email_shared

),

-- Addresses of nobody whom the shop knows.
strange_addresses as (

    select
        links.anonymous_id,
        count(*) as strange_addresses
    from links
    left join addresses
        on links.linked_value = addresses.email_hash
    where
        links.linked_type = 'email_hash'
        and addresses.email_hash is null
    group by links.anonymous_id

),

users as (

    select
        anonymous_id,
        count(distinct person_id) as persons,
        count(distinct customer_id) as customers
    from uses
    group by anonymous_id

),

-- A login says more than an address; then the most days.
ranked_uses as (

    select
        *,
        row_number() over (
            partition by anonymous_id
            order by linked_by desc, days desc, customer_id asc, first_linked_at asc
        ) as place
    from uses

),

visitors as (

    select distinct anonymous_id
    from links

),

judged as (

    select
        visitors.anonymous_id,
        coalesce(users.persons, 0) as persons,
        coalesce(users.customers, 0) as customers,
        coalesce(strange_addresses.strange_addresses, 0) as strange_addresses,
        coalesce(users.persons, 0) > {{ var('identity_max_customers_per_device') }}
        or coalesce(strange_addresses.strange_addresses, 0)
        > {{ var('identity_max_emails_per_device') }} as is_shared
    from visitors
    left join users
        on visitors.anonymous_id = users.anonymous_id
    left join strange_addresses
        on visitors.anonymous_id = strange_addresses.anonymous_id

),

final as (

    select
        judged.anonymous_id,
        judged.persons,
        judged.customers,
        judged.strange_addresses,
        judged.is_shared,
        main_uses.person_id,
        main_uses.customer_id,
        main_uses.linked_by,
        main_uses.days,
        main_uses.first_linked_at
    from judged
    left join ranked_uses as main_uses
        on
            judged.anonymous_id = main_uses.anonymous_id
            and main_uses.place = 1
            and not judged.is_shared

)

select * from final
