#!/usr/bin/python3
"""Networks as other people have them, exported by torchvision to ONNX or written as Caffe's files, and what PyTorch makes
of two images: the oracle of graphs_test.cc.

Usage: graphs_oracle.py OUT. Needs Debian's python3-torchvision. Writes into OUT

  SIDE.bin            2 x 3 x SIDE x SIDE float32, normalised images
  NAME.onnx           torch.onnx.export at its default opset of a network that gives `features` and `map`
  NAME.caffemodel     NetParameter in binary: weights by layer name; NAME.prototxt: the network in text
  NAME.features.bin   2 x D float32, before the classifier; NAME.map.bin: 2 x H x W x C float32, the last map

What PyTorch computes, it computes in float64; it is rounded once. Weights keep the scale of what they are given, batch
norms have the statistics of other images, and biases leave most values above zero: with biases around zero such depths are
chaotic, and PyTorch's own float32 is 1.6e-5 from its float64 (now 1.5e-6 at most). Caffe's networks
are of this file alone: `plain` has what CaffeNet has (grouped convolutions, LRN, pooling that rounds up, Dropout, a
weights file of 2013's form), `blocks` what later ones have (BatchNorm and Scale, Eltwise, Concat, PReLU, global pooling).
"""
import struct
import sys

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

SIDE = 96
TORCHVISION = ("resnet18", "squeezenet1_1", "mobilenet_v2", "mnasnet0_5", "densenet121", "regnet_y_400mf", "efficientnet_b0",
               "vgg11_bn")


class Backbone(nn.Module):
    """A torchvision network without its classifier."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        m = self.model
        if hasattr(m, "features"):
            maps = m.features(x)
            if isinstance(m, torchvision.models.DenseNet):
                maps = F.relu(maps)
        elif hasattr(m, "trunk_output"):
            maps = m.trunk_output(m.stem(x))
        elif hasattr(m, "layers"):
            maps = m.layers(x)
        else:
            maps = m.layer4(m.layer3(m.layer2(m.layer1(m.maxpool(m.relu(m.bn1(m.conv1(x))))))))
        return F.adaptive_avg_pool2d(maps, 1).flatten(1), maps


def draw(model):
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
        else:
            tensor.normal_(0, tensor[0].numel() ** -0.5)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.train().momentum = 1.0
    if norms:
        model(torch.randn(8, 3, SIDE, SIDE))
    return model.eval()


def write(out, name, features, maps):
    features.float().contiguous().numpy().tofile(f"{out}/{name}.features.bin")
    maps.permute(0, 2, 3, 1).float().contiguous().numpy().tofile(f"{out}/{name}.map.bin")


# Protocol Buffers' wire format.
def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def floats(tensor):
    return struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())


def blob(tensor):
    """BlobProto: shape (7) of dim (1), data (5)."""
    return field(7, b"".join(field(1, size) for size in tensor.shape)) + field(5, floats(tensor))


def old_blob(tensor):
    """BlobProto of 2013: num, channels, height, width (1 to 4), data (5)."""
    shape = [1] * (4 - tensor.ndim) + list(tensor.shape)
    return b"".join(field(i + 1, size) for i, size in enumerate(shape)) + field(5, floats(tensor))


def write_caffe(out, name, layers):
    """NetParameter: name (1), layer (100) of name (1), type (2), blobs (7)."""
    model = field(1, name)
    for layer, (kind, blobs) in layers.items():
        model += field(100, field(1, layer) + field(2, kind) + b"".join(field(7, blob(b)) for b in blobs))
    open(f"{out}/{name}.caffemodel", "wb").write(model)


OLD_TYPES = {"Convolution": 4, "InnerProduct": 14}


def write_old_caffe(out, name, layers):
    """NetParameter: name (1), layers (2) of name (4), type (5), blobs (6): V1LayerParameter."""
    model = field(1, name)
    for layer, (kind, blobs) in layers.items():
        model += field(2, field(4, layer) + field(5, OLD_TYPES[kind]) + b"".join(field(6, old_blob(b)) for b in blobs))
    open(f"{out}/{name}.caffemodel", "wb").write(model)


PLAIN = """name: "plain"
input: "data"
input_dim: 10
input_dim: 3
input_dim: 96
input_dim: 96
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 24 kernel_size: 7 stride: 3 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" lrn_param { local_size: 5 alpha: 0.1 beta: 0.75 } }
layer { name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 32 kernel_size: 5 pad: 2 group: 2 } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "fc6" type: "InnerProduct" bottom: "pool2" top: "fc6" inner_product_param { num_output: 64 } }
layer { name: "relu6" type: "ReLU" bottom: "fc6" top: "fc6" }
layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" dropout_param { dropout_ratio: 0.5 } }
"""


def plain(out, x):
    conv1, conv2 = nn.Conv2d(3, 24, 7, 3), nn.Conv2d(24, 32, 5, padding=2, groups=2)
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    draw(conv1), draw(conv2)
    fc6 = draw(nn.Linear(32 * 7 * 7, 64))
    write_old_caffe(out, "plain", {"conv1": ("Convolution", [conv1.weight, conv1.bias]),
                                   "conv2": ("Convolution", [conv2.weight, conv2.bias]),
                                   "fc6": ("InnerProduct", [fc6.weight, fc6.bias])})
    open(f"{out}/plain.prototxt", "w").write(PLAIN)
    maps = pool(F.local_response_norm(F.relu(conv1.double()(x)), 5, 0.1, 0.75, 1))
    maps = pool(F.relu(conv2.double()(maps)))
    write(out, "plain", F.relu(fc6.double()(maps.flatten(1))), maps)


BLOCKS = """name: "blocks"
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 96 dim: 96 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 16 kernel_size: 3 stride: 2 pad: 1 bias_term: false } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" batch_norm_param { use_global_stats: true eps: 1e-5 } }
layer { name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param { bias_term: true } }
layer { name: "prelu" type: "PReLU" bottom: "scale" top: "prelu" }
layer { name: "left" type: "Convolution" bottom: "prelu" top: "left"
  convolution_param { num_output: 16 kernel_size: 3 pad: 2 dilation: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "left" bottom: "prelu" top: "sum" eltwise_param { operation: SUM } }
layer { name: "right" type: "Convolution" bottom: "prelu" top: "right" convolution_param { num_output: 8 kernel_size: 1 } }
layer { name: "both" type: "Concat" bottom: "sum" bottom: "right" top: "both" }
layer { name: "relu" type: "ReLU" bottom: "both" top: "map" }
layer { name: "pool" type: "Pooling" bottom: "map" top: "pool" pooling_param { pool: AVE global_pooling: true } }
"""


def blocks(out, x):
    conv, left = nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.Conv2d(16, 16, 3, padding=2, dilation=2)
    right, norm, prelu = nn.Conv2d(16, 8, 1), nn.BatchNorm2d(16), nn.PReLU(16)
    for module in (conv, left, right):
        draw(module)
    norm.eval()
    norm.running_mean.normal_(0, 0.3), norm.running_var.uniform_(0.5, 1.5)
    norm.weight.data.uniform_(0.5, 1.5), norm.bias.data.normal_(0, 0.3), prelu.weight.data.uniform_(0.1, 0.5)
    factor = torch.tensor([2.0])  # Caffe divides both statistics by it
    write_caffe(out, "blocks", {
        "conv": ("Convolution", [conv.weight]), "bn": ("BatchNorm", [norm.running_mean * 2, norm.running_var * 2, factor]),
        "scale": ("Scale", [norm.weight, norm.bias]), "prelu": ("PReLU", [prelu.weight]),
        "left": ("Convolution", [left.weight, left.bias]), "right": ("Convolution", [right.weight, right.bias])})
    open(f"{out}/blocks.prototxt", "w").write(BLOCKS)
    first = prelu.double()(norm.double()(conv.double()(x)))
    maps = F.relu(torch.cat([left.double()(first) + first, right.double()(first)], 1))
    write(out, "blocks", maps.mean((2, 3)), maps)


def main(out):
    torch.manual_seed(0)
    x = torch.randn(2, 3, SIDE, SIDE)
    x.numpy().tofile(f"{out}/{SIDE}.bin")
    with torch.no_grad():
        for name in TORCHVISION:
            model = draw(Backbone(getattr(torchvision.models, name)(weights=None)))
            torch.onnx.export(model, x[:1], f"{out}/{name}.onnx", input_names=["picture"], output_names=["features", "map"])
            write(out, name, *model.double()(x.double()))
        plain(out, x.double())
        blocks(out, x.double())


if __name__ == "__main__":
    main(sys.argv[1])
