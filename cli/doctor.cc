// `vise-eval doctor`: is this machine fit, and do its pixels equal the reference's.
#include <dlfcn.h>
#include <fmt/format.h>

#include <fstream>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "base/version.h"
#include "cli/precision.h"
#include "cli/session.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "extract/features/backbone.h"
#include "extract/images/inspect_image.h"
#include "extract/networks/bf16.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/trunk.h"

namespace vise::cli {
namespace {

// The shared libraries of this process that hold a BLAS, by their real files: Debian's alternatives hide which one is
// used. libblas.so.3 is what LibTorch will ask for.
std::vector<std::string> blas_libraries() {
  // Opened only to be listed below; the handle isn't needed.
  ::dlopen("libblas.so.3", RTLD_LAZY | RTLD_LOCAL);
  std::set<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // A line ends with the path of the file that is mapped, if it is one (proc(5)).
    const auto slash = line.find('/');
    if (slash == std::string::npos) continue;
    const Path file(line.substr(slash));
    const std::string name = file.filename().string();
    if (name.find("blas") != std::string::npos || name.find("mkl") != std::string::npos) found.insert(file.string());
  }
  return {found.begin(), found.end()};
}

// By what the CPU says, not by what the program was built for: kernels are chosen at run time.
std::string cpu_features() {
  std::vector<std::string> names;
  if (__builtin_cpu_supports("avx2")) names.emplace_back("AVX2");
  if (__builtin_cpu_supports("fma")) names.emplace_back("FMA");
  if (__builtin_cpu_supports("avx512f")) names.emplace_back("AVX-512");
  if (__builtin_cpu_supports("avx512bf16")) names.emplace_back("bf16");
  return names.empty() ? "none of AVX2, FMA, AVX-512, bf16" : join(names, ", ");
}

// {version, cuda, cuda_devices}, or {missing: why}.
// Asking opens the module of LibTorch.
Json libtorch_facts() {
  try {
    const networks::TorchFacts facts = networks::torch_facts();
    return {{"version", facts.version}, {"cuda", facts.has_cuda}, {"cuda_devices", facts.cuda_devices}};
  } catch (const Error& e) {
    return {{"missing", e.message()}};
  }
}

// What doesn't depend on data: versions, CPU, threads and libraries. `warnings` are for people to act upon.
Json machine_facts(Session& session) {
  Json facts = {{"vise_eval", kVersion},
                {"onednn", networks::onednn_version()},
                {"libtorch", libtorch_facts()},
                {"codecs", images::codec_versions()},
                {"cpu_features", cpu_features()},
                {"precision", {{"fastest", fastest_precision_text()}, {"bf16_gain", networks::bf16_gain()}}},
                {"cores", available_cores()},
                {"threads", session.context().threads},
                {"blas", blas_libraries()},
                {"cache", session.places.cache_dir().string()}};
  facts["warnings"] = Json::array();
  for (const std::string& file : blas_libraries())
    // Debian's reference BLAS is in .../blas/libblas.so.3, OpenBLAS in .../openblas-pthread/.
    if (file.find("/blas/") != std::string::npos)
      facts["warnings"].push_back(
          fmt::format("{} is the unoptimised reference BLAS: install libopenblas0-pthread", file));
  return facts;
}

// The weights of the registry that are here, with their SHA-256, which the path cache may know: hashing all of them
// anew would take minutes.
Json weights_facts(Session& session) {
  Json list = Json::array();
  const features::WeightsSearch search = session.places.weights_search();
  features::PathCache known(session.places.cache_dir() / "paths" / "weights");
  for (const features::Backbone& backbone : features::registry_backbones())
    for (const Path& folder : search.folders)
      for (const std::string& file : backbone.files) {
        std::error_code error;
        if (!std::filesystem::is_regular_file(folder / file, error)) continue;
        features::Backbone found = backbone;
        found.file = folder / file;
        const features::FoundWeights weights = features::find_weights(found, search, known, Context{session.console});
        list.push_back({{"backbone", backbone.name},
                        {"file", weights.file.string()},
                        {"sha256", weights.sha256},
                        {"notes", weights.notes}});
      }
  return list;
}

// Where the data sets of the registry are, by their folders; their contents aren't looked at.
Json dataset_facts(Session& session) {
  Json list = Json::array();
  for (const std::string& name : datasets::DatasetRegistry::instance().names())
    for (const Path& root : session.places.data_roots())
      for (const std::string& folder : datasets::DatasetRegistry::instance().info(name).folders) {
        std::error_code error;
        if (std::filesystem::is_directory(root / folder, error))
          list.push_back({{"dataset", name}, {"folder", (root / folder).string()}});
      }
  return list;
}

// Decoders and resizing against pixels of Pillow that are built into the program.
Json parity_facts() {
  Json checks = Json::array();
  for (const images::ParityCheck& check : images::pixel_parity_selftest())
    checks.push_back({{"check", check.name}, {"passed", check.passed}, {"detail", check.detail}});
  return checks;
}

// Most runs never open it, and a demo's build leaves it out: its absence is no fault.
std::string libtorch_text(const Json& facts) {
  const bool is_broken =
      facts.contains("missing") && facts["missing"].get<std::string>().find("was not found") == std::string::npos;
  if (is_broken) return facts["missing"].get<std::string>();
  if (facts.contains("missing"))
    return "not here; --engine torch, --device cuda, TorchScript, fine-tuning and the probe head need it (./dev build, "
           "or "
           "apt install libtorch1.13)";
  return facts["version"].get<std::string>() +
         (facts["cuda"].get<bool>() ? fmt::format(", {} CUDA device(s)", facts["cuda_devices"].get<int>())
                                    : ", built without CUDA");
}

// People get lines of the JSON that programs get, so that both say the same.
void print(const Json& facts) {
  fmt::print("vise-eval {}, oneDNN {}, {} core(s), {} thread(s), CPU with {}\n", facts["vise_eval"].get<std::string>(),
             facts["onednn"].get<std::string>(), facts["cores"].get<int>(), facts["threads"].get<int>(),
             facts["cpu_features"].get<std::string>());
  fmt::print("fastest   {}\n", facts["precision"]["fastest"].get<std::string>());
  fmt::print("LibTorch  {}\n", libtorch_text(facts["libtorch"]));
  std::vector<std::string> codecs;
  for (const auto& [name, version] : facts["codecs"].items())
    codecs.push_back(fmt::format("{} {}", name, version.get<std::string>()));
  fmt::print("codecs    {}\n", join(codecs, ", "));
  for (const Json& file : facts["blas"]) fmt::print("BLAS      {}\n", file.get<std::string>());
  for (const Json& text : facts["warnings"]) fmt::print("warning   {}\n", text.get<std::string>());
  fmt::print("cache     {}\n", facts["cache"].get<std::string>());
  for (const Json& w : facts["weights"])
    fmt::print("weights   {}: {} (SHA-256 {}...)\n", w["backbone"].get<std::string>(), w["file"].get<std::string>(),
               w["sha256"].get<std::string>().substr(0, 8));
  if (facts["weights"].empty()) fmt::print("weights   none of the registry's were found (vise-eval list backbones)\n");
  for (const Json& d : facts["datasets"])
    fmt::print("data set  {}: {}\n", d["dataset"].get<std::string>(), d["folder"].get<std::string>());
  std::size_t different = 0;
  for (const Json& c : facts["parity"]) {
    if (c["passed"].get<bool>()) continue;
    ++different;
    fmt::print("parity    {}: DIFFERENT {}\n", c["check"].get<std::string>(), c["detail"].get<std::string>());
  }
  fmt::print("parity    {}\n", different == 0
                                   ? fmt::format("all {} parity checks equal", facts["parity"].size())
                                   : fmt::format("{} of {} parity checks differ", different, facts["parity"].size()));
}

void doctor_verb(Session& session) {
  Json facts = machine_facts(session);
  facts["weights"] = weights_facts(session);
  facts["datasets"] = dataset_facts(session);
  facts["parity"] = parity_facts();
  if (session.json)
    fmt::print("{}\n", facts.dump());
  else
    print(facts);
  for (const Json& check : facts["parity"])
    // Other pixels mean other features than published ones: the same code as a failed verification.
    if (!check["passed"].get<bool>()) session.exit_code = 5;
}

}  // namespace

void add_doctor(Verbs& verbs) {
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("doctor", "check this machine: versions, CPU, BLAS, pixel parity, what is found where",
                "  vise-eval doctor\n  vise-eval doctor --json --weights-dir W", [&session] { doctor_verb(session); });
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli
