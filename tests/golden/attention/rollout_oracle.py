#!/usr/bin/python3
"""Class-token attention and attention rollout by torchvision's ViT and the authors' formula: rollout_test.cc's oracle.

Usage: rollout_oracle.py FOLDER. Needs Debian's python3-torchvision. FOLDER has the ViT's parameters as
<key of the state dict>.bin (float32) and image.bin (3 x 32 x 32). Written beside them: last.bin and rollout.bin, the
class token's row over the 16 patches.

The weights are what torch.nn.MultiheadAttention returns, averaged over heads. Rollout is numpy's form of
compute_joint_attention in samiraabnar/attention_flow (attention_graph_util.py): the identity added, rows normalised,
matrices multiplied from the first block on.
"""
import os
import sys

import numpy
import torch
from torchvision.models import VisionTransformer


def joint_attention(matrices):
    augmented = matrices + numpy.eye(matrices.shape[1])[None, ...]
    augmented = augmented / augmented.sum(axis=-1)[..., None]
    joint = augmented[0]
    for matrix in augmented[1:]:
        joint = matrix.dot(joint)
    return joint


def main(folder):
    torch.manual_seed(0)
    model = VisionTransformer(image_size=32, patch_size=8, num_layers=3, num_heads=2, hidden_dim=32, mlp_dim=64,
                              num_classes=3).double().eval()
    for key, tensor in model.state_dict().items():
        if os.path.exists(f"{folder}/{key}.bin"):
            values = numpy.fromfile(f"{folder}/{key}.bin", numpy.float32)
            tensor.copy_(torch.from_numpy(values).double().view(tensor.shape))
    matrices = []

    def keep(module, inputs):
        module.eval()
        matrices.append(torch.nn.MultiheadAttention.forward(module, *(inputs[0],) * 3, need_weights=True)[1][0])

    for block in model.encoder.layers:
        block.ln_1.register_forward_hook(lambda _, __, out, attention=block.self_attention: keep(attention, (out,)))
    image = torch.from_numpy(numpy.fromfile(f"{folder}/image.bin", numpy.float32)).double().view(1, 3, 32, 32)
    with torch.no_grad():
        model(image)
    matrices = torch.stack(matrices).numpy()
    matrices[-1][0, 1:].astype(numpy.float32).tofile(f"{folder}/last.bin")
    joint_attention(matrices)[0, 1:].astype(numpy.float32).tofile(f"{folder}/rollout.bin")


if __name__ == "__main__":
    main(sys.argv[1])
