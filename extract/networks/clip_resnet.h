// CLIP's RN50 image encoder as a plain value (Radford et al. 2021, arXiv 2103.00020; openai/CLIP clip/model.py).
//
// Not torchvision's network: three 3x3 convolutions for a stem (the first of stride 2), each with batch norm and ReLU,
// then 2x2 average pooling; bottlenecks whose stride is an average pooling before the last convolution and before the
// shortcut's; and attention pooling in place of the mean:
//
//   tokens = [mean over places; each place] + positional            (1 + 7 x 7) x 2048
//   out    = c(softmax(q(token 0) k(tokens)^T / sqrt(2048 / heads)) v(tokens)), per head          1024
//
// So an input has to be 224 x 224. Values own their memory; safe to read from many threads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "extract/networks/load_resnet.h"
#include "extract/networks/resnet.h"

namespace vise {

struct ClipBlock {
  std::array<ConvBn, 3> convs;     // 1x1, 3x3, 1x1; all of stride 1
  std::optional<ConvBn> shortcut;  // 1x1, stride 1
  int pool = 1;                    // average pooling of this kernel and stride before convs[2] and before the shortcut
};

struct ClipLinear {
  int out = 0, in = 0;
  std::vector<float> weight;  // out x in, row-major: y = weight x + bias
  std::vector<float> bias;    // out
};

struct ClipAttentionPool {
  int heads = 32, tokens = 50;    // 1 + 7 x 7
  std::vector<float> positional;  // tokens x dim
  ClipLinear query, key, value, output;
};

struct ClipResNet {
  std::string architecture = "clip-rn50";
  std::array<ConvBn, 3> stem;
  int stem_pool = 2;
  std::vector<std::vector<ClipBlock>> stages;
  ClipAttentionPool attention;

  int map_dim() const { return attention.query.in; }  // channels of the last stage: 2048
  int dim() const { return attention.output.out; }    // of the pooled feature: 1024
  // As ResNet::parameters_hash.
  std::string parameters_hash() const;
};

// As load_resnet; the text encoder's keys are dropped by name.
ClipResNet load_clip_resnet(const Checkpoint& checkpoint, const LoadRequest& request = {},
                            LoadReport* report = nullptr);

std::vector<ConvBn*> convolutions(ClipResNet& net);
std::vector<const ConvBn*> convolutions(const ClipResNet& net);

}  // namespace vise
