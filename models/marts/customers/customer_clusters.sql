with

clusters as (

    select * from {{ ref('py_customer_clusters') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        clusters.customer_id,
        data_windows.as_of_date,
        cast(clusters.cluster_id as int) as cluster_id,
        clusters.distance_to_center,
        clusters.silhouette
    from clusters
    cross join data_windows

)

select * from final
order by customer_id
