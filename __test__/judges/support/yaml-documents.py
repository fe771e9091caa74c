"""Prints the documents of YAML files as JSON, a list of documents per file, with an independent YAML reader."""

import json
import sys

import yaml

print(json.dumps({path: list(yaml.safe_load_all(open(path, encoding="utf-8"))) for path in sys.argv[1:]}))
