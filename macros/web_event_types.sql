{% macro web_event_types() -%}
    {#-
        Our event type by the name that a shop's events bear, in snake_case; none for what is left
        out on purpose. A name that is not here stands for itself. Left out is what tells nothing
        more than an event beside it does. Refunds are not: the gate quarantines them as unknown, so
        that money which cannot be told here is seen.

        The var web_event_names adds a shop's own names, and overrides these.
    -#}
    {%- set types = {
        'page': 'page_view',
        'screen': 'page_view',
        'alias': 'identify',
        'group': none,
        'signed_up': 'identify',
        'signed_in': 'identify',
        'cart_viewed': 'page_view',
        'product_viewed': 'product_view',
        'products_searched': 'search',
        'product_added': 'add_to_cart',
        'product_removed': 'remove_from_cart',
        'checkout_started': 'checkout',
        'order_completed': 'place_order',
        'product_reviewed': 'review',
        'product_shared': 'share',
        'cart_shared': 'share',
        'coupon_applied': 'coupon_redeem',
        'email_delivered': 'campaign_receive',
        'email_opened': 'email_open',
        'email_link_clicked': 'email_click',
        'product_list_viewed': none,
        'product_list_filtered': none,
        'product_clicked': none,
        'promotion_viewed': none,
        'promotion_clicked': none,
        'checkout_step_viewed': none,
        'checkout_step_completed': none,
        'payment_info_entered': none,
        'order_updated': none,
        'coupon_entered': none,
        'coupon_denied': none,
        'coupon_removed': none,
        'product_added_to_wishlist': none,
        'product_removed_from_wishlist': none,
        'wishlist_product_added_to_cart': 'add_to_cart',
        'email_bounced': none,
        'email_marked_as_spam': none,
        'unsubscribed': none,

        'login': 'identify',
        'sign_up': 'identify',
        'view_cart': 'page_view',
        'screen_view': 'page_view',
        'view_item': 'product_view',
        'view_search_results': 'search',
        'begin_checkout': 'checkout',
        'purchase': 'place_order',
        'view_item_list': none,
        'select_item': none,
        'view_promotion': none,
        'select_promotion': none,
        'select_content': none,
        'add_shipping_info': none,
        'add_payment_info': none,
        'add_to_wishlist': none,
        'session_start': none,
        'first_visit': none,
        'first_open': none,
        'user_engagement': none,
        'scroll': none,
        'click': none,
        'file_download': none,
        'form_start': none,
        'form_submit': none,
        'video_start': none,
        'video_progress': none,
        'video_complete': none,
    } -%}
    {%- for name, event_type in var('web_event_names').items() -%}
        {%- set words = modules.re.sub('[\W_]+', '_', name | lower) -%}
        {%- do types.update({modules.re.sub('^_|_$', '', words): event_type}) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}
