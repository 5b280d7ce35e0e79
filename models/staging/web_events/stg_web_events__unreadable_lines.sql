{{ config(enabled=source_is_enabled('web_events')) }}

with

source as (

    select * from {{ source('web_events', 'unreadable_lines') }}

),

renamed as (

    select
        file,
        arrival_date,
        line_number,
        problem,
        line as line_text
    from source

)

select * from renamed
