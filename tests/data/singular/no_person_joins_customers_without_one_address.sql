-- Two customers are one person only by the same e-mail address, and never more than allowed.
with

customers as (

    select
        identities.person_id,
        identities.id_value as customer_id,
        customers.email_hash
    from {{ ref('identity_map') }} as identities
    inner join {{ ref('int_customers_accepted') }} as customers
        on identities.id_value = customers.customer_id
    where identities.id_type = 'customer_id'

)

select
    person_id,
    count(*) as customers,
    count(distinct email_hash) as addresses,
    count(email_hash) as customers_with_address
from customers
group by person_id
having
    count(*) > 1
    and (
        count(distinct email_hash) != 1
        or count(email_hash) != count(*)
        or count(*) > {{ var('identity_max_customers_per_email') }}
    )
