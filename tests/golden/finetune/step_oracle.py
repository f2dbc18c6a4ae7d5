#!/usr/bin/python3
"""The loss and the gradients of one training step, by torchvision's own modules: the oracle of step_test.cc.

Usage: step_oracle.py CASE... Needs Debian's python3-torchvision. Each CASE is a folder, named vit..., resnet... with the
networks' parameters as <key of the state dict>.bin (float32; a key that isn't there stays as torchvision made it),
head.weight.bin and head.bias.bin, images.bin (N x 3 x side x side) and labels.bin (N, float32). Written beside them are
loss.bin and <key>.gradient.bin, float64 and rounded once; of a folder whose name ends in -train, batch norms use the
batch's statistics, and running ones afterwards are in <key>.after.bin.
"""
import os
import sys

import numpy
import torch
from torchvision.models import VisionTransformer, resnet18


def read(folder, name, shape):
    return torch.from_numpy(numpy.fromfile(f"{folder}/{name}.bin", numpy.float32)).double().view(shape)


def write(folder, name, tensor):
    tensor.detach().contiguous().float().numpy().tofile(f"{folder}/{name}.bin")


def network(name, classes):
    if name.startswith("resnet"):
        model = resnet18(num_classes=classes)
        return model, model.fc
    model = VisionTransformer(image_size=32, patch_size=8, num_layers=3, num_heads=2, hidden_dim=32, mlp_dim=64,
                              num_classes=classes)
    return model, model.heads.head


def step(folder):
    name = os.path.basename(folder)
    labels = read(folder, "labels", -1).long()
    model, head = network(name, int(labels.max()) + 1)
    model = model.double().train(name.endswith("-train"))
    tensors = dict(model.state_dict())
    for key, tensor in tensors.items():
        if os.path.exists(f"{folder}/{key}.bin"):
            tensor.copy_(read(folder, key, tensor.shape))
    for part in ("weight", "bias"):
        tensor = getattr(head, part)
        tensor.data.copy_(read(folder, f"head.{part}", tensor.shape))
    images = read(folder, "images", (len(labels), 3, -1))
    side = int(images.shape[2] ** 0.5)
    loss = torch.nn.functional.cross_entropy(model(images.view(-1, 3, side, side)), labels)
    loss.backward()
    write(folder, "loss", loss)
    for key, parameter in model.named_parameters():
        write(folder, f"{key}.gradient", parameter.grad)
    for part in ("weight", "bias"):
        write(folder, f"head.{part}.gradient", getattr(head, part).grad)
    for key, buffer in model.named_buffers():
        write(folder, f"{key}.after", buffer)


if __name__ == "__main__":
    torch.manual_seed(0)
    for case in sys.argv[1:]:
        step(case)
