"""Judges Kubernetes manifests, a JSON list on standard input, and prints a list of faults for each, as JSON.

Kubernetes' own kinds are checked strictly against its published schemas: an unknown field is a fault, as for an API
server with strict validation. Kinds of the Prometheus operator are checked against models made from its custom resource
definitions. The models ignore unknown fields, so a field that does not come back is a fault.
"""

import json
import sys

import kubernetes_validate
import pydantic
from cloudcoil.models.prometheus_operator import v1 as operator

KUBERNETES_VERSIONS = ["1.25", "1.37"]


def faults_of(manifest):
    if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        return operator_faults(manifest)
    faults = []
    for version in KUBERNETES_VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{version}: {'.'.join(str(part) for part in error.path)}: {error.message}")
    return faults


def operator_faults(manifest):
    model = getattr(operator, manifest["kind"])
    try:
        read = model.model_validate(manifest)
    except pydantic.ValidationError as error:
        return [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return lost(manifest, read.model_dump(mode="json", by_alias=True, exclude_unset=True), "")


def lost(given, read, path):
    if isinstance(given, dict) and isinstance(read, dict):
        return [
            fault
            for key, value in given.items()
            for fault in (lost(value, read[key], f"{path}.{key}") if key in read else [f"unknown field {path}.{key}"])
        ]
    if isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        return [fault for i, value in enumerate(given) for fault in lost(value, read[i], f"{path}[{i}]")]
    return [] if given == read else [f"{path} is read as {read!r}"]


print(json.dumps([faults_of(manifest) for manifest in json.load(sys.stdin)]))
