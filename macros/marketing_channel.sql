{% macro marketing_channel(medium, source, campaign, referrer_host) -%}
    {#- The tags of the link go before the referrer; tags that say nothing known are a campaign
        where only source or campaign is named, other where the medium is. -#}
    {%- set search_hosts = ['google', 'bing', 'duckduckgo', 'yahoo', 'ecosia', 'baidu', 'yandex', 'startpage', 'qwant'] -%}
    {%- set social_hosts = ['facebook', 'instagram', 'tiktok', 'pinterest', 'linkedin', 'twitter', 't.co', 'x.com', 'youtube', 'reddit', 'whatsapp', 'snapchat'] -%}
    case
        when lower({{ medium }}) in ('email', 'e-mail', 'e_mail', 'newsletter')
            or lower({{ source }}) in ('email', 'e-mail', 'newsletter') then 'email'
        when lower({{ medium }}) in ('cpc', 'ppc', 'sem', 'paidsearch', 'paid_search', 'paid-search')
            then {{ 'case when ' ~ names_host(source, social_hosts) ~ " then 'social' else 'paid_search' end" }}
        when lower({{ medium }}) in ('display', 'banner', 'cpm', 'interstitial', 'retargeting') then 'display'
        when lower({{ medium }}) in ('affiliate', 'affiliates', 'partner') then 'affiliate'
        when lower({{ medium }}) in (
            'social', 'sm', 'social-network', 'social-media', 'social_media', 'social_paid', 'paid_social', 'paid-social'
        ) then 'social'
        when lower({{ medium }}) in ('organic', 'organic_search') then 'organic_search'
        when lower({{ medium }}) in ('referral', 'link') then 'referral'
        when lower({{ medium }}) = 'campaign' then 'campaign'
        when lower({{ medium }}) not in ('(none)', 'none', '(not set)', 'direct') then 'other'
        when {{ campaign }} is not null
            or lower({{ source }}) not in ('(direct)', 'direct', '(not set)') then 'campaign'
        when {{ names_host(referrer_host, search_hosts) }} then 'organic_search'
        when {{ names_host(referrer_host, social_hosts) }} then 'social'
        when {{ referrer_host }} is not null then 'referral'
        else 'direct'
    end
{%- endmacro %}
