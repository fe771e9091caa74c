// An exposition with metrics that an objective can be about, and one without failures.

export const OBJECTIVES = `# TYPE http_requests_total counter
http_requests_total{status="200"} 1
# TYPE jobs_total counter
jobs_total{result="error"} 1
jobs_total{result="it's ok"} 1
jobs_total{result="timeout"} 1
# TYPE plain_total counter
plain_total 1
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="1"} 1
wait_seconds_bucket{le="+Inf"} 1
wait_seconds_sum 1
wait_seconds_count 1
`;
