-- The probability of each step once the one before is reached, among sessions that can check out.
with

steps as (

    select
        channels.channel,
        segments.segment,
        channels.view,
        channels.cart * segments.cart_factor as cart,
        channels.checkout,
        channels.order
    from channels
    cross join segments

)

select
    channel,
    segment,
    step,
    probability
from steps unpivot (probability for step in (view, cart, checkout, "order"))
order by channel, segment, step
