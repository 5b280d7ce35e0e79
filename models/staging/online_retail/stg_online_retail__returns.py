"""Which purchase each return takes back."""

from warehouse.returns import match_returns


def model(dbt, session):
    order_lines = dbt.ref("stg_online_retail__order_lines")
    goods = order_lines.filter("is_merchandise and customer_id is not null and amount != 0")
    return match_returns(
        purchases=goods.filter("not is_credit").df(),
        returns=goods.filter("is_credit").df(),
        same=["customer_id", "stock_code", "unit_price"],
    )
