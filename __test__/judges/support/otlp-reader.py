"""Reads a request of OTLP from standard input by OpenTelemetry's own schema, and prints it as JSON. Fails on unknown fields."""

import sys

from google.protobuf.json_format import MessageToJson
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


def check(message):
    for field in UnknownFieldSet(message):
        raise ValueError(f"field {field.field_number} of {message.DESCRIPTOR.full_name} is unknown")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if hasattr(value, "__len__") else [value]:
                check(inner)


request = ExportMetricsServiceRequest()
request.ParseFromString(sys.stdin.buffer.read())
check(request)
print(MessageToJson(request))
