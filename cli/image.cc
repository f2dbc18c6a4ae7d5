// `vise-eval image inspect`: how a file becomes pixels, to find out why two pipelines differ.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "cli/lines.h"
#include "cli/session.h"
#include "extract/images/inspect_image.h"

namespace vise::cli {
namespace {

// One "name value" line a fact, the path first.
void print(const Json& facts) {
  fmt::print("{}\n", facts["path"].get<std::string>());
  for (const auto& [name, value] : facts.items())
    if (name != "path") fmt::print("  {:<17} {}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
}

void inspect_verb(const std::vector<std::string>& files, const std::string& transform_name, Session& session) {
  const images::Transform transform = images::Transform::parse(transform_name);
  for (const std::string& file : files) {
    const Json facts = images::inspect_image(file, transform, {.max_pixels = session.places.max_pixels});
    std::error_code ignored;
    const ErrorKind kind = std::filesystem::exists(file, ignored) ? ErrorKind::input : ErrorKind::missing;
    // The worst of all files' codes, after all of them were inspected.
    // A file that isn't there has another code than one that can't be decoded.
    if (facts.contains("error")) session.exit_code = std::max(session.exit_code, exit_code_of(kind));
    if (session.json)
      fmt::print("{}", json_line(facts));
    else
      print(facts);
  }
}

}  // namespace

void add_image(Verbs& verbs) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto transform = std::make_shared<std::string>("imagenet");
  Session& session = verbs.session;
  Verbs inner =
      verbs.add_group("image", "look into image files",
                      "  vise-eval image inspect photo.jpg\n  vise-eval image inspect --json --transform dino *.png");
  CLI::App* inspect =
      inner.add("inspect", "format, size, and hashes of the decoded and the transformed pixels",
                "  vise-eval image inspect photo.jpg\n  vise-eval image inspect --json --transform dino *.png",
                [=, &session] { inspect_verb(*files, *transform, session); });
  inspect->add_option("file", *files, "image files")->required()->type_name("FILE");
  inspect->add_option("--transform", *transform, "a preset or settings [imagenet]")->type_name("TRANSFORM");
  inspect->add_option("--max-pixels", session.places.max_pixels, "refuse larger images [178956970]")->type_name("N");
  inner.add_json_option(inspect);
}

}  // namespace vise::cli
