"""Reads texts with the parsers of prometheus-client and reports everything they read, or that they reject the text.

One request per line on stdin (a format and a list of texts), one answer per line on stdout (a list of verdicts; null for
a rejected text), both JSON. Numbers are sent as the bits of a double, because JSON has neither NaN nor infinities.
Integers of any size become doubles; those above the largest double become an infinity. Zero has no sign.
"""

import json
import math
import struct
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

READERS = {"text": read_text, "openmetrics": read_openmetrics}


def number(value):
    if value is None:
        return None
    try:
        double = float(value)
    except OverflowError:
        double = math.inf if getattr(value, "sec", value) > 0 else -math.inf
    if math.isnan(double):
        return "nan"
    return struct.pack(">d", double if double != 0 else 0.0).hex()


def exemplar(read):
    return read and [read.labels, number(read.value), number(read.timestamp)]


def histogram(read):
    if read is None:
        return None
    spans = [[[number(one) for one in span] for span in spans or []] for spans in (read.pos_spans, read.neg_spans)]
    deltas = [[number(delta) for delta in deltas or []] for deltas in (read.pos_deltas, read.neg_deltas)]
    plain = (read.count_value, read.sum_value, read.schema, read.zero_threshold, read.zero_count)
    return [*(number(one) for one in plain), *spans, *deltas]


def sample(read):
    value = "nan" if read.native_histogram else number(read.value)
    return [
        read.name,
        read.labels or {},
        value,
        number(read.timestamp),
        exemplar(read.exemplar),
        histogram(read.native_histogram),
    ]


def verdict(reader, text):
    try:
        return [
            [family.name, family.type, family.documentation, family.unit, [sample(one) for one in family.samples]]
            for family in reader(text)
        ]
    except Exception:  # any exception of a parser means that it rejects the exposition
        return None


def main():
    for line in sys.stdin:
        request = json.loads(line)
        reader = READERS[request["format"]]
        print(json.dumps([verdict(reader, text) for text in request["texts"]]), flush=True)


main()
