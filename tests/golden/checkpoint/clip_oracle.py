#!/usr/bin/python3
"""CLIP's RN50 image encoder with random weights, and what PyTorch makes of two images: the oracle of clip_test.cc.

Usage: clip_oracle.py OUT. Needs Debian's python3-torch. Writes into OUT

  state_dict.pth   zip, float16: visual.* and a small text encoder, as model.state_dict()
  RN50.pt          TorchScript, float16 parameters: the container in which CLIP is distributed
  input.bin        2 x 3 x 224 x 224 float32, normalised images
  features.bin     2 x 1024 float32, after attention pooling; layer4.bin: 2 x 2048 x 7 x 7

The network is built from torch's own modules as clip/model.py of openai/CLIP (d05afc4) builds it: anti-aliased
bottlenecks, a stem of three convolutions, attention pooling by torch's multi_head_attention_forward. The parameters
are rounded to float16 before the features are computed, in float32.
"""
import collections
import sys

import torch
import torch.nn.functional as F
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, inplanes, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.downsample = None
        if stride > 1 or inplanes != planes * 4:
            self.downsample = nn.Sequential(collections.OrderedDict([
                ("-1", nn.AvgPool2d(stride)),
                ("0", nn.Conv2d(inplanes, planes * 4, 1, bias=False)),
                ("1", nn.BatchNorm2d(planes * 4))]))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.avgpool(F.relu(self.bn2(self.conv2(out))))
        out = self.bn3(self.conv3(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class AttentionPool2d(nn.Module):
    def __init__(self, places, dim, heads, out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(places + 1, dim) / dim ** 0.5)
        self.k_proj, self.q_proj, self.v_proj = (nn.Linear(dim, dim) for _ in range(3))
        self.c_proj = nn.Linear(dim, out)
        self.heads = heads

    def forward(self, x):
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(0, keepdim=True), x], 0) + self.positional_embedding[:, None, :]
        x, _ = F.multi_head_attention_forward(
            query=x, key=x, value=x, embed_dim_to_check=x.shape[-1], num_heads=self.heads,
            q_proj_weight=self.q_proj.weight, k_proj_weight=self.k_proj.weight, v_proj_weight=self.v_proj.weight,
            in_proj_weight=None, in_proj_bias=torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]),
            bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0.0, out_proj_weight=self.c_proj.weight,
            out_proj_bias=self.c_proj.bias, use_separate_proj_weight=True, training=False, need_weights=False)
        return x[0]


class ModifiedResNet(nn.Module):
    def __init__(self):
        super().__init__()
        for i, (a, b, stride) in enumerate([(3, 32, 2), (32, 32, 1), (32, 64, 1)], 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, 3, stride, 1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.avgpool = nn.AvgPool2d(2)
        inplanes = 64
        for stage, blocks in enumerate((3, 4, 6, 3)):
            planes, layers = 64 << stage, []
            for block in range(blocks):
                layers.append(Bottleneck(inplanes, planes, 2 if stage and not block else 1))
                inplanes = planes * 4
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.attnpool = AttentionPool2d(49, 2048, 32, 1024)

    def trunk(self, x):
        for i in (1, 2, 3):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        x = self.avgpool(x)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x):
        return self.attnpool(self.trunk(x))


class Clip(nn.Module):
    """The image encoder beside the names that a text encoder has, so that a reader must tell them apart."""

    def __init__(self):
        super().__init__()
        self.visual = ModifiedResNet()
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList([nn.Linear(4, 4)])})
        self.token_embedding = nn.Embedding(5, 4)
        self.ln_final = nn.LayerNorm(4)
        self.positional_embedding = nn.Parameter(torch.zeros(7, 4))
        self.text_projection = nn.Parameter(torch.zeros(4, 1024))
        self.logit_scale = nn.Parameter(torch.ones([]))

    def forward(self, image):
        return self.visual(image)


def main(out):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    clip = Clip().eval()
    for module in clip.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    for tensor in list(clip.parameters()) + list(clip.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.half().float()
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        maps = clip.visual.trunk(x)
        features = clip(x)
        traced = torch.jit.trace(clip, x)
    for name, value in (("input", x), ("layer4", maps), ("features", features)):
        value.contiguous().numpy().tofile(f"{out}/{name}.bin")
    half = lambda t: t.half() if t.is_floating_point() else t
    torch.save({k: half(v) for k, v in clip.state_dict().items()}, f"{out}/state_dict.pth")
    traced.half().save(f"{out}/RN50.pt")


if __name__ == "__main__":
    main(sys.argv[1])
