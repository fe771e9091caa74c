"""Reads expositions with the parsers of prometheus-client and prints what they understood.

One request per line on stdin and one answer per line on stdout, both JSON. Numbers are sent as the bits of a double,
because JSON has neither NaN nor infinities.
"""

import base64
import json
import struct
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.utils import floatToGoString

READERS = {"text": read_text, "openmetrics": read_openmetrics}


def read(request):
    # Strict: bytes that are not UTF-8 are an error of the exposition.
    body = base64.b64decode(request["body"]).decode("utf-8")
    families = [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "bits": struct.pack(">d", float(sample.value)).hex()}
                for sample in family.samples
            ],
        }
        for family in READERS[request["format"]](body)
    ]
    return {"families": families}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "bound" in request:
                answer = {"bound": floatToGoString(request["bound"])}
            else:
                answer = read(request)
        except Exception as error:  # any exception of a parser means that it rejects the exposition
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
