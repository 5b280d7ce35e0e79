{{ check_rows(
    'campaign_contacts',
    known=[('customer', 'customer_id', 'int_customers_accepted'), ('campaign', 'campaign_id', 'int_campaigns_accepted')],
) }}
