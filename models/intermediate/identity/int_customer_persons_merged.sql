with

customers as (

    select * from {{ ref('int_customers_accepted') }}

),

counted as (

    select
        customer_id,
        email_hash,
        source_system,
        case
            when email_hash is null then 1
            else count(*) over (partition by email_hash)
        end as customers_of_email,
        min(customer_id) over (partition by email_hash) as first_customer_of_email
    from customers

),

final as (

    select
        customer_id,
        email_hash,
        customers_of_email,
        customers_of_email > {{ var('identity_max_customers_per_email') }} as is_email_shared,
        'customer:' || case
            when email_hash is null then customer_id
            when customers_of_email > {{ var('identity_max_customers_per_email') }} then customer_id
            else first_customer_of_email
        end as person_id,
        source_system
    from counted

)

select * from final
