-- First what the basket will hold, then what the household buys at other times or anybody does.
with

views as (

    select
        session_key,
        person,
        first_line,
        line_count,
        unnest(range(views)) as view,
        hash(session_key, view, 'view') as view_key
    from drafts
    where views > 0

),

drawn as (

    select
        views.session_key,
        views.view,
        views.view_key,
        case
            when views.view < views.line_count
                then views.first_line
                    + (views.view + below(uniform('first', views.session_key), views.line_count))
                    % views.line_count
            when happens('own product', views.view_key, getvariable('own_product_share'))
                then people.first_line
                    + below(uniform('own line', views.view_key), people.line_count)
            else below(uniform('any line', views.view_key), getvariable('lines'))
        end as line
    from views
    inner join people using (person)

)

select
    drawn.session_key,
    drawn.view,
    drawn.view_key,
    products.product
from drawn
inner join demo_lines using (line)
inner join products on demo_lines.product_id::bigint::text = products.product_id
