"""Protobuf's and gRPC's modules as this package uses them; they come without types."""

from __future__ import annotations

from typing import Any, TypeAlias

import grpc as _grpc
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from pulumi.runtime.proto import plugin_pb2 as _plugin_pb2
from pulumi.runtime.proto import provider_pb2 as _provider_pb2
from pulumi.runtime.proto import status_pb2 as _status_pb2

grpc: Any = _grpc
empty_pb2: Any = _empty_pb2
struct_pb2: Any = _struct_pb2
plugin_pb2: Any = _plugin_pb2
provider_pb2: Any = _provider_pb2
status_pb2: Any = _status_pb2

Message: TypeAlias = Any
"""A protobuf message."""

Context: TypeAlias = Any
"""gRPC's context of one call."""
