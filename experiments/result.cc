#include "experiments/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "base/error.h"
#include "experiments/result_parse.h"

namespace vise {
namespace {

// JSON has no NaN and no infinities: they are written as null (and read back as NaN).
Json from_double(double value) { return std::isfinite(value) ? Json(value) : Json(); }
Json from_doubles(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = from_double(value);
  return json;
}

Json cell_json(const Cell& cell) {
  return {{"task", cell.task},         {"target", cell.target}, {"backbone", cell.backbone}, {"probe", cell.probe},
          {"layer", cell.layer},       {"pool", cell.pool},     {"seed", cell.seed},         {"shots", cell.shots},
          {"fraction", cell.fraction}, {"where", cell.where}};
}

Json selection_json(const Selection& selection) {
  Json curve = Json::array();
  for (const Candidate& candidate : selection.curve)
    curve.push_back({{"parameters", from_doubles(*candidate.parameters)}, {"score", from_double(candidate.score)}});
  return {{"selected_on", selection.selected_on},
          {"metric", selection.metric},
          {"curve", std::move(curve)},
          {"chosen", from_doubles(selection.chosen)},
          {"on_edge", selection.on_edge},
          {"refit_on_val", selection.refit_on_val}};
}

Json convergence_json(const Convergence& convergence) {
  return {{"objective_text", convergence.objective_text},
          {"objective", from_double(convergence.objective)},
          {"gradient_norm", from_double(convergence.gradient_norm)},
          {"iterations", convergence.iterations},
          {"converged", convergence.converged}};
}

Json calibration_json(const Calibration& calibration) {
  return {{"scores_are_logits", calibration.scores_are_logits},
          {"temperature", from_double(calibration.temperature)},
          {"threshold", from_double(calibration.threshold)},
          {"fitted_on", calibration.fitted_on}};
}

Json metrics_json(const std::map<std::string, std::optional<double>>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value ? from_double(*value) : Json();
  return json;
}

// A line that a crash cut short has no newline at its end. It counts only if it is whole all the same.
bool is_json(std::string_view text) { return Json::accept(text); }

// The bytes after the last newline of an open file, and where they begin.
struct Tail {
  std::string text;
  std::int64_t begin = 0;
};

Tail read_tail(int fd, const Path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw_errno("cannot read", path);
  Tail tail{{}, info.st_size};
  while (tail.begin > 0) {
    char block[4096];
    const auto wanted = std::min<std::int64_t>(tail.begin, sizeof block);
    const auto got = ::pread(fd, block, static_cast<std::size_t>(wanted), tail.begin - wanted);
    if (got != wanted) throw_errno("cannot read", path);
    const std::string_view text(block, static_cast<std::size_t>(wanted));
    const auto newline = text.rfind('\n');
    if (newline != std::string_view::npos) {
      tail.text.insert(0, text.substr(newline + 1));
      tail.begin -= wanted - static_cast<std::int64_t>(newline) - 1;
      break;
    }
    tail.text.insert(0, text);
    tail.begin -= wanted;
  }
  return tail;
}

FileDescriptor open_locked(const Path& path) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", path);
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw_errno("cannot lock", path);
  return file;
}

}  // namespace

Json to_json(const Result& result) {
  return {{"cell", cell_json(result.cell)},
          {"key", result.key},
          {"status", result.status},
          {"error", result.error},
          {"primary_metric", result.primary_metric},
          {"metrics", metrics_json(result.metrics)},
          {"class_names", result.class_names},
          {"target_kind", result.target_kind},
          {"split",
           {{"draw", result.draw},
            {"origin", result.split_origin},
            {"hash", result.split_hash},
            {"sample_hash", result.sample_hash},
            {"train", result.sizes.train},
            {"val", result.sizes.val},
            {"test", result.sizes.test},
            {"unused", result.sizes.unused}}},
          {"selection", selection_json(result.selection)},
          {"convergence", convergence_json(result.convergence)},
          {"calibration", calibration_json(result.calibration)},
          {"probe_settings", *result.probe_settings},
          {"features", *result.features},
          {"inputs", {{"data", result.data_hash}, {"targets", result.targets_hash}, {"parameters", result.parameters}}},
          {"images", result.images},
          {"seconds", from_doubles(result.seconds)},
          {"notes", result.notes},
          {"scores_file", result.scores_file},
          {"version", result.version},
          {"started_at", result.started_at}};
}

Result result_from_json(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::size_t size = text.size();
  text.resize(size + ResultParser::kPadding);
  Result result;
  ResultParser().parse(std::string_view(text).substr(0, size), result);
  return result;
}

void append_result(const Path& results_jsonl, const Result& result) {
  std::string line;
  try {
    line = to_json(result).dump() + "\n";
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::input, fmt::format("a result of {} can't be written: {}", result.cell.task, e.what()),
                "names of classes and tasks must be UTF-8");
  }
  const FileDescriptor file = open_locked(results_jsonl);
  const Tail tail = read_tail(file.get(), results_jsonl);
  if (is_json(tail.text)) {
    line.insert(0, "\n");  // whole, but the newline was lost
  } else if (!tail.text.empty() && ::ftruncate(file.get(), tail.begin) != 0) {
    throw_errno("cannot write", results_jsonl);
  }
  if (tail.begin == 0 && !is_json(tail.text)) line.insert(0, results_schema_line() + "\n");
  write_fully(file.get(), as_byte_view(line), -1, results_jsonl);
  if (::fsync(file.get()) != 0) throw_errno("cannot write", results_jsonl);
}

}  // namespace vise
