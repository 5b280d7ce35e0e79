{{ union_sources('erasure_requests') }}
