-- Prints wrk's figures as one line of JSON after its own report; latencies in milliseconds. Only `done` is defined: so
-- wrk sends one prepared request again and again, and Lua costs nothing during the measurement.

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"bytes":%.0f,"p50":%.4f,"p99":%.4f,"max":%.4f,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
