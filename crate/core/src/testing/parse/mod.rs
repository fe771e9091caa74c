//! Reads expositions: text 0.0.4 and OpenMetrics 1.0, to the values and refusals of Python's `prometheus_client`.
