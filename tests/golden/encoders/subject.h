// A reference encoder whose network is given errors, and its golden rows, which have to notice them.
//
//   Subject subject("dinov2_s14", "cls");
//   subject.notices("eps 1e-12 for 1e-6", 6.1e-4, [](Network& n) { set_eps(n, 1e-12); });
#pragma once

#include <array>
#include <cstdio>
#include <functional>

#include "base/npy.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/make_trunk.h"
#include "tests/golden/encoders/features.h"

namespace vise::test {

// A face, a silhouette and the picture that is not square: those of which the README's figures are the smallest.
inline constexpr std::array<std::size_t, 3> kPictures{0, 4, 6};

// A row of the manifest: three pictures and their features.
class Golden {
 public:
  Golden(const GoldenCase& golden, const std::string& tap)
      : case_(golden), tap_(*std::ranges::find(golden.taps, tap, &GoldenTap::tap)) {
    const NpyArray array = NpyArray::open(tap_.golden);
    const std::vector<double> all = array.to_doubles();
    const std::size_t width = all.size() / array.shape().at(0);
    for (const std::size_t i : kPictures)
      rows_.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(i * width),
                         all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    pixels_ = pixels_of(case_.transform);
  }

  // A picture each.
  std::vector<double> errors(const networks::Network& network) const { return errors(network, pixels_); }
  std::vector<double> errors(const networks::Network& network, const std::string& transform) const {
    return errors(network, pixels_of(transform));
  }
  const std::string& transform() const { return case_.transform; }

  // `error` is what a mistake gives, `figure` what the README says: two digits, of code that is not ours.
  void expect_noticed(const std::string& mistake, double figure, double error) const {
    std::printf("%-24s %-10s %-46s %8.1e  (README %.1e, tolerance %.0e)\n", case_.name.c_str(), tap_.tap.c_str(),
                mistake.c_str(), error, figure, tap_.tolerance);
    EXPECT_GT(error, tap_.tolerance) << case_.name << " " << mistake;
    EXPECT_NEAR(error, figure, 0.1 * figure) << case_.name << " " << mistake;
  }
  // Not an error of the features: nothing beyond float32's rounding.
  void expect_unnoticed(const std::string& mistake, double error) const {
    std::printf("%-24s %-10s %-46s %8.1e  (tolerance %.0e)\n", case_.name.c_str(), tap_.tap.c_str(), mistake.c_str(),
                error, tap_.tolerance);
    EXPECT_LT(error, tap_.tolerance / 4) << case_.name << " " << mistake;
  }

 private:
  static std::vector<float> pixels_of(const std::string& transform) {
    std::vector<Path> pictures;
    for (const std::size_t i : kPictures) pictures.push_back(golden_images().at(i));
    return test::pixels_of(images::Transform::parse(transform), pictures);
  }

  std::vector<double> errors(const networks::Network& network, const std::vector<float>& pixels) const {
    const std::vector<std::string> layers = layers_of(network, {tap_});
    const auto trunk = networks::make_trunk(
        network,
        {networks::Engine::onednn, networks::Precision::fp32, layers, static_cast<int>(rows_.size()), case_.side, {}});
    std::ranges::copy(pixels, trunk->input().begin());
    trunk->forward();
    const std::vector<float> rows = rows_of(network, tap_, *trunk, layers);
    const std::size_t width = rows_.front().size();
    std::vector<double> errors;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      errors.push_back(relative_error(std::span(rows).subspan(i * width, width), rows_[i]));
    return errors;
  }

  GoldenCase case_;
  GoldenTap tap_;
  std::vector<float> pixels_;
  std::vector<std::vector<double>> rows_;
};

using Mistake = std::function<void(networks::Network&)>;

// A checkpoint and what its networks with errors give.
class Subject {
 public:
  Subject(const std::string& name, const std::string& tap)
      : case_(case_named(name)),
        path_(golden_checkpoint(case_, scratch_.path())),
        right_(load_case(case_, path_)),
        golden_(case_, tap) {
    golden_.expect_unnoticed("none", std::ranges::max(golden_.errors(right_)));
  }

  const networks::Network& right() const { return right_; }
  const Golden& golden() const { return golden_; }
  // Another row of the same checkpoint.
  static Golden row(const std::string& name, const std::string& tap) { return {case_named(name), tap}; }
  // A tensor of the file.
  networks::Parameter tensor(const std::string& end) {
    if (!file_) file_ = networks::read_checkpoint(path_);
    for (const networks::NamedTensor& named : file_->tensors)
      if (named.name.ends_with(end)) return {named.tensor.shape, named.tensor.to_floats()};
    ADD_FAILURE() << end;
    return {};
  }

  void notices(const std::string& name, double figure, const Mistake& make) { notices(golden_, name, figure, make); }
  void notices(const Golden& golden, const std::string& name, double figure, const Mistake& make) {
    golden.expect_noticed(name, figure, std::ranges::min(golden.errors(with(make))));
  }
  networks::Network with(const Mistake& make) const {
    networks::Network wrong = right_;
    make(wrong);
    return wrong;
  }

 private:
  static GoldenCase case_named(const std::string& name) {
    const std::vector<GoldenCase> cases = golden_cases();
    return *std::ranges::find(cases, name, &GoldenCase::name);
  }

  ScratchDir scratch_;
  GoldenCase case_;
  Path path_;
  networks::Network right_;
  Golden golden_;
  std::optional<networks::Checkpoint> file_;
};

}  // namespace vise::test
