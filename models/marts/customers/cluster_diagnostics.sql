with

diagnostics as (

    select * from {{ ref('py_cluster_diagnostics') }}

),

final as (

    select
        cast(k as int) as cluster_count,
        silhouette,
        null_silhouette,
        silhouette_excess,
        stability,
        null_stability,
        inertia,
        is_better_than_null,
        is_chosen
    from diagnostics

)

select * from final
order by cluster_count
