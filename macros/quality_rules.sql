{% macro quality_rules(table_name=none) -%}
    {#-
        The rules of the quality gate, in the order in which they are tried. A row is quarantined
        for the first rule of action `reject` that it breaks; rules of action `flag` let it pass and
        name themselves in its `quality_flags`. `is_known_<entity>` tells that the row's key exists
        among the accepted rows of that entity, `version_number` counts different rows of one key,
        `first_order_date` is the first day of the data and
        `as_of_date` the day at whose start they end.
    -#}
    {%- set key_reason = 'The row has no key, so nothing can refer to it.' -%}
    {%- set version_reason = 'Another row with the same key but other values was accepted first.' -%}
    {%- set future_reason = "It lies after the end of the data." -%}
    {%- set customer_reason = 'No accepted customer has this customer_id.' -%}
    {%- set product_reason = 'The catalog has no product with this product_id.' -%}
    {%- set customer_is_unknown = 'customer_id is not null and not is_known_customer' -%}

    {%- set rules = [
        ('customers', 'missing_key', "customer_id is null", 'error', 'reject', key_reason),
        ('customers', 'future_timestamp', is_after_data_end('first_seen_at'), 'warn', 'reject',
            future_reason),
        ('customers', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),

        ('products', 'missing_key', "product_id is null", 'error', 'reject', key_reason),
        ('products', 'impossible_price', "list_price < 0", 'error', 'reject',
            'The list price is negative.'),
        ('products', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),

        ('orders', 'missing_key', "order_id is null", 'error', 'reject', key_reason),
        ('orders', 'bad_timestamp', bad_timestamp('ordered_at'), 'error', 'reject',
            'The order has no plausible time.'),
        ('orders', 'future_timestamp', is_after_data_end('ordered_at'), 'warn', 'reject',
            future_reason),
        ('orders', 'stray_timestamp', shop_date('ordered_at') ~ " < first_order_date",
            'error', 'reject', 'It lies before the first day of the data, beyond a long silence.'),
        ('orders', 'received_before_occurred', received_too_early('ordered_at'), 'error', 'reject',
            'The order was received before it was placed.'),
        ('orders', 'stock_adjustment', "status = 'stock_adjustment'", 'warn', 'reject',
            'It moves stock (found, lost, damaged) and is no sale.'),
        ('orders', 'unknown_customer', customer_is_unknown, 'error', 'reject', customer_reason),
        ('orders', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),

        ('order_lines', 'missing_key',
            "order_line_id is null or order_id is null or product_id is null",
            'error', 'reject', 'The line lacks its own key, its order or its product.'),
        ('order_lines', 'rejected_order', "not is_known_order and is_known_excepted_order",
            'warn', 'reject', 'Its order is quarantined.'),
        ('order_lines', 'unknown_order', "not is_known_order", 'error', 'reject',
            'No order has this order_id.'),
        ('order_lines', 'impossible_quantity',
            "quantity is null or (quantity < 0 and not coalesce(is_return, false))",
            'error', 'reject', 'The quantity is missing, or negative without being a return.'),
        ('order_lines', 'impossible_price',
            "amount_paid is null or (amount_paid < 0 and not coalesce(is_return, false))"
            ~ " or abs(amount_paid) > " ~ var('max_line_amount'),
            'error', 'reject',
            'The amount is missing, negative without being a return, or beyond max_line_amount.'),
        ('order_lines', 'impossible_discount',
            "loyalty_discount < 0 or coupon_discount < 0 or coupon_match_discount < 0",
            'error', 'reject', 'A discount is negative: it would raise the price.'),
        ('order_lines', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),
        ('order_lines', 'unknown_product', "not is_known_product", 'warn', 'flag', product_reason),
        ('order_lines', 'unknown_returned_line',
            "returned_order_line_id is not null and not is_known_returned_line", 'warn', 'flag',
            'No order line has the returned_order_line_id: it counts as a return of nothing known.'),
        ('order_lines', 'zero_quantity', "quantity = 0", 'warn', 'flag',
            'Nothing changed hands: the line counts as no unit, unless money was paid for it.'),
        ('order_lines', 'measured_quantity', "abs(quantity) > " ~ var('max_countable_quantity'),
            'warn', 'flag', 'The quantity is a measure (fuel, weight): the line counts as one unit.'),
        ('order_lines', 'coupon_exceeds_amount', "amount_paid > 0 and coupon_discount > amount_paid",
            'warn', 'flag', 'The coupon is worth more than the shop received for the line.'),

        ('campaigns', 'missing_key', "campaign_id is null", 'error', 'reject', key_reason),
        ('campaigns', 'bad_timestamp', bad_timestamp('starts_at'), 'error', 'reject',
            'The campaign has no plausible start.'),
        ('campaigns', 'bad_period', "ends_at < starts_at", 'error', 'reject',
            'The campaign ends before it starts.'),
        ('campaigns', 'future_timestamp', is_after_data_end('starts_at'), 'warn', 'reject',
            future_reason),
        ('campaigns', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),

        ('campaign_contacts', 'missing_key', "campaign_id is null or customer_id is null",
            'error', 'reject', key_reason),
        ('campaign_contacts', 'bad_timestamp', bad_timestamp('contacted_at'), 'error', 'reject',
            'The contact has no plausible time.'),
        ('campaign_contacts', 'future_timestamp', is_after_data_end('contacted_at'), 'warn',
            'reject', future_reason),
        ('campaign_contacts', 'unknown_campaign', "not is_known_campaign", 'error', 'reject',
            'No accepted campaign has this campaign_id.'),
        ('campaign_contacts', 'unknown_customer', customer_is_unknown, 'error', 'reject',
            customer_reason),
        ('campaign_contacts', 'duplicate_key', "version_number > 1", 'error', 'reject',
            version_reason),

        ('events', 'missing_key', "event_id is null", 'error', 'reject', key_reason),
        ('events', 'unknown_event_type',
            "event_type is null or event_type not in ('" ~ var('event_types') | join("', '") ~ "')",
            'error', 'reject', 'The event type is not among the var event_types.'),
        ('events', 'bad_timestamp', bad_timestamp('occurred_at'), 'error', 'reject',
            'The event has no plausible time.'),
        ('events', 'future_timestamp', is_after_data_end('occurred_at'), 'warn', 'reject',
            future_reason),
        ('events', 'received_before_occurred', received_too_early('occurred_at'), 'error', 'reject',
            'The event was received before it occurred.'),
        ('events', 'unknown_customer', customer_is_unknown, 'error', 'reject', customer_reason),
        ('events', 'impossible_value', "dwell_seconds < 0 or rating < 0", 'error', 'reject',
            'The dwell time or the rating is negative.'),
        ('events', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),
        ('events', 'unknown_product', "product_id is not null and not is_known_product",
            'warn', 'flag', product_reason),
        ('events', 'missing_actor', "customer_id is null and anonymous_id is null", 'warn', 'flag',
            'Nobody is named who did it.'),

        ('promotions', 'missing_key',
            "product_id is null or store_or_channel is null or period_start is null",
            'error', 'reject', 'The product, the place or the period is missing.'),
        ('promotions', 'bad_period', "period_end < period_start", 'error', 'reject',
            'The period ends before it starts.'),
        ('promotions', 'future_timestamp', "period_start >= as_of_date", 'warn', 'reject',
            future_reason),
        ('promotions', 'unknown_product', "not is_known_product", 'warn', 'flag', product_reason),

        ('consents', 'missing_key', "customer_id is null or purpose is null or changed_at is null",
            'error', 'reject', key_reason),
        ('consents', 'bad_timestamp', bad_timestamp('changed_at'), 'error', 'reject',
            'The change has no plausible time.'),
        ('consents', 'future_timestamp', is_after_data_end('changed_at'), 'warn', 'reject',
            future_reason),
        ('consents', 'unknown_customer', customer_is_unknown, 'error', 'reject', customer_reason),
        ('consents', 'duplicate_key', "version_number > 1", 'error', 'reject', version_reason),

        ('erasure_requests', 'missing_key', "customer_id is null", 'error', 'reject', key_reason),
        ('erasure_requests', 'bad_timestamp', bad_timestamp('requested_at'), 'error', 'reject',
            'The request has no plausible time.'),
        ('erasure_requests', 'future_timestamp', is_after_data_end('requested_at'), 'warn',
            'reject', future_reason),
        ('erasure_requests', 'duplicate_key', "version_number > 1", 'error', 'reject',
            version_reason),
    ] -%}

    {#- A line that holds no row stands in the table under the key unreadable:<file>:<line>. -#}
    {%- set selected = [] -%}
    {%- for gated_table, key in gated_tables().items()
        if table_name is none or gated_table == table_name -%}
        {%- set is_no_row = "coalesce(" ~ key[0] ~ " like '%unreadable:%', false)" -%}
        {%- set unreadable_row = (gated_table, 'unreadable_row',
            is_no_row ~ " and unreadable_text is not null", 'error', 'reject',
            'The line, or the whole file, holds no row that could be read.') -%}
        {%- set unreadable_value = (gated_table, 'unreadable_value',
            "not " ~ is_no_row ~ " and unreadable_text is not null", 'warn', 'flag',
            'A value is no number or time and counts as missing; unreadable_text has it.') -%}
        {%- set rules_of_table = rules | selectattr(0, 'equalto', gated_table) | list -%}
        {%- for table, rule, condition, severity, action, reason
            in [unreadable_row] + rules_of_table + [unreadable_value] -%}
            {%- set override = var('quality_rule_overrides').get(table ~ '.' ~ rule, {}) -%}
            {%- do selected.append({
                'table_name': table,
                'rule_id': rule,
                'condition': condition,
                'severity': override.get('severity', severity),
                'action': override.get('action', action),
                'reason': reason,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(selected) }}
{%- endmacro %}
