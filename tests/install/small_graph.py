#!/usr/bin/python3
"""small_graph.py FILE: tests/onnx_files.h's small_graph() for 224 pixels a side, written without that header: a 1 x 1
convolution to two channels (red - blue, green + 0.5), Relu, and the mean of each channel."""

import struct
import sys
from pathlib import Path


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def content(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, dims, values):
    data = struct.pack(f"<{len(values)}f", *values)
    return b"".join(number(1, dim) for dim in dims) + number(2, 1) + content(8, name) + content(9, data)


def node(operation, inputs, output, attributes=b""):
    names = b"".join(content(1, name) for name in inputs) + content(2, output)
    return names + content(3, output) + content(4, operation) + attributes


def value(name, dims):
    shape = b"".join(content(1, number(1, dim)) for dim in dims)
    return content(1, name) + content(2, content(1, number(1, 1) + content(2, shape)))


kernel = content(5, content(1, "kernel_shape") + number(8, 1) + number(8, 1) + number(20, 7))
graph = (
    content(1, node("Conv", ["picture", "weight", "bias"], "before", kernel))
    + content(1, node("Relu", ["before"], "map"))
    + content(1, node("GlobalAveragePool", ["map"], "pooled"))
    + content(1, node("Flatten", ["pooled"], "features"))
    + content(2, "main_graph")
    + content(5, tensor("weight", [2, 3, 1, 1], [1, 0, -1, 0, 1, 0]))
    + content(5, tensor("bias", [2], [0, 0.5]))
    + content(11, value("picture", [1, 3, 224, 224]))
    + content(12, value("features", [1, 2]))
    + content(12, value("map", [1, 2, 224, 224]))
)
model = number(1, 7) + content(2, "pytorch") + content(7, graph) + content(8, number(2, 14))
Path(sys.argv[1]).write_bytes(model)
