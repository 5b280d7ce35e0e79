-- Profiles are the accepted customers, all of them and no others.
select
    customers.customer_id,
    profiles.customer_id as profile_customer_id
from {{ ref('int_customers_accepted') }} as customers
full outer join {{ ref('customer_profiles') }} as profiles
    on customers.customer_id = profiles.customer_id
where customers.customer_id is null or profiles.customer_id is null
