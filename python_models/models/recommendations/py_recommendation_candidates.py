"""What each generator would recommend to each customer, and why."""

from personalization.candidates import CandidateInputs, generate_candidates


def model(dbt, session):
    interactions = dbt.ref("int_interactions_weighted")
    similarities = dbt.ref("py_item_similarities")
    customers = dbt.ref("int_customers_accepted")
    inputs = CandidateInputs(
        interactions=interactions.project("* exclude (product_id), product_id as item_id").df(),
        similarities=similarities.df(),
        customer_ids=customers.df()["customer_id"],
    )
    return generate_candidates(inputs, k=int(dbt.config.meta_get("candidates")))
