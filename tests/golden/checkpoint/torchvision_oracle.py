#!/usr/bin/python3
"""torchvision's EfficientNet-B0, Swin-S, ConvNeXt-T and ResNet-50 with random weights, and what they make of two images:
the oracle of torchvision_test.cc. Of the ResNet-50 also the networks of the same keys and shapes: with its strides in
the first 1x1 convolutions, as Caffe's have them, and with its last stages dilated, as trunks of segmentation have them.

Usage: torchvision_oracle.py OUT. Needs Debian's python3-torchvision. Writes into OUT, for each network NAME and each
SIDE,

  NAME.pth              model.state_dict(), float32
  SIDE.bin              2 x 3 x SIDE x SIDE float32, normalised images
  NAME.SIDE.stage2.bin  2 x H x W x C float32, the map an eighth of the picture's side
  NAME.SIDE.final.bin   2 x D float32, the feature before the classifier

computed in float64 and rounded once. 202 and 193 are sizes for which maps are odd, Swin's windows don't divide them,
and 4 x 4 patches leave pixels over. Weights are drawn so that every part of a network shows in its features: linear
layers and convolutions keep the scale of what they are given, no layer scale is small, no bias is zero, and batch norms
have the statistics of other images. What a Swin or a ConvNeXt adds to its residual stream is small, so that the layer
norms' epsilon shows too.
"""
import re
import sys

import torch
import torchvision

# The layers that write to the residual stream: stem, downsampling, and each block's last ones.
STREAM = {"swin_s": r"features\.0\.2\.|attn\.proj\.|mlp\.3\.|reduction\.",
          "convnext_tiny": r"features\.0\.1\.|features\.[246]\.1\.|layer_scale"}

NETWORKS = {"efficientnet_b0": (224, 193), "swin_s": (224, 202), "convnext_tiny": (224, 202), "resnet50": (97,),
            "resnet50_caffe": (97,), "resnet50_dilated8": (97,), "resnet50_dilated16": (97,)}
DILATED = {"resnet50_dilated8": [False, True, True], "resnet50_dilated16": [False, False, True]}


def make(name):
    if not name.startswith("resnet50"):
        return getattr(torchvision.models, name)(weights=None)
    model = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=DILATED.get(name))
    if name == "resnet50_caffe":
        for stage in (model.layer2, model.layer3, model.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return model


def draw(network, name, tensor):
    scale = 0.02 if re.search(STREAM.get(network, "$^"), name) else 1
    return scale * values(name, tensor) if tensor.is_floating_point() else tensor


def values(name, tensor):
    if name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
        return torch.empty_like(tensor).uniform_(0.5, 1.5)
    if tensor.ndim == 1:
        return torch.randn_like(tensor) * 0.2
    if name.endswith("layer_scale"):
        return torch.empty_like(tensor).uniform_(0.1, 0.5)
    if name.endswith("bias_table"):
        return torch.randn_like(tensor)
    return torch.randn_like(tensor) * tensor[0].numel() ** -0.5


def stage2(name, model, x):
    """The map after the second stage, channels last."""
    if name == "efficientnet_b0":
        return model.features[:4](x).permute(0, 2, 3, 1)  # stem, then the stages of strides 1, 2 and 2
    if name.startswith("resnet50"):
        return model.layer2(model.layer1(resnet_stem(model, x))).permute(0, 2, 3, 1)
    x = model.features[:4](x)  # stem, stage, downsampling, stage
    return x if name == "swin_s" else x.permute(0, 2, 3, 1)


def resnet_stem(model, x):
    return model.maxpool(model.relu(model.bn1(model.conv1(x))))


def final(name, model, x):
    if name.startswith("resnet50"):
        x = resnet_stem(model, x)
        for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
            x = stage(x)
        return x.mean((2, 3))
    if name == "convnext_tiny":
        return model.classifier[:2](model.avgpool(model.features(x)))
    if name == "swin_s":
        return model.norm(model.features(x)).mean((1, 2))
    return model.avgpool(model.features(x)).flatten(1)


def settle_batch_norms(model):
    """Statistics of one batch; without them a picture is lost among the biases of EfficientNet's many layers."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.train().momentum = 1.0
    if norms:
        model(torch.randn(4, 3, 224, 224))
    model.eval()


def main(out):
    torch.manual_seed(0)
    images = {side: torch.randn(2, 3, side, side) for side in sorted({s for v in NETWORKS.values() for s in v})}
    for side, x in images.items():
        x.numpy().tofile(f"{out}/{side}.bin")
    for name, sides in NETWORKS.items():
        model = make(name).eval()
        model.load_state_dict({k: draw(name, k, v) for k, v in model.state_dict().items()})
        with torch.no_grad():
            settle_batch_norms(model)
            torch.save(model.state_dict(), f"{out}/{name}.pth")
            model.double()
            for side in sides:
                for layer, of in (("stage2", stage2), ("final", final)):
                    value = of(name, model, images[side].double()).float().contiguous()
                    value.numpy().tofile(f"{out}/{name}.{side}.{layer}.bin")


if __name__ == "__main__":
    main(sys.argv[1])
