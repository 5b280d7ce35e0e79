{{ union_sources('promotions') }}
