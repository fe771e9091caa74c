// An exposition with every type of OpenMetrics.

export const EVERY_TYPE = `# HELP http_requests Requests.
# TYPE http_requests counter
http_requests_total{route="/",status="200"} 1
http_requests_total{route="/",status="500"} 1
# HELP http_sent_bytes Sent.
# TYPE http_sent_bytes counter
http_sent_bytes_total 1
# HELP http_wait_seconds Wait.
# TYPE http_wait_seconds histogram
http_wait_seconds_bucket{le="1.0"} 1
http_wait_seconds_bucket{le="+Inf"} 1
http_wait_seconds_count 1
http_wait_seconds_sum 1
# HELP queue_bytes Size.
# TYPE queue_bytes gauge
queue_bytes{queue="a",shard="1",host="x"} 1
queue_bytes{queue="b",shard="2",host="y"} 1
queue_bytes{queue="b",shard="3",host="z"} 1
queue_bytes{queue="b",shard="3",host="w"} 1
# HELP queue_age_seconds Age.
# TYPE queue_age_seconds summary
queue_age_seconds{quantile="0.5"} 1
queue_age_seconds_count 1
queue_age_seconds_sum 1
# TYPE queue_lag_seconds summary
queue_lag_seconds_count 1
queue_lag_seconds_sum 1
# TYPE queue_state stateset
queue_state{queue_state="idle"} 1
queue_state{queue_state="busy"} 0
# TYPE build info
build_info{version="1"} 1
# TYPE start_time_seconds gauge
start_time_seconds 1700000000
# EOF
`;
