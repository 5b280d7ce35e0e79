"""Which persons, devices and e-mail addresses of nobody known are joined by addresses entered."""

from personalization.identity import connected_ids


def model(dbt, session):
    links = dbt.ref("int_address_links_collected").df()
    return connected_ids(links, left="person_id", right="address_id")
