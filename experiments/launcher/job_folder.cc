#include "experiments/launcher/job_folder.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace vise::experiments {
namespace {

std::string name_of(const char* what, const Path& out) {
  // The name of a job holds the run's folder, so that a second call finds its own jobs in Slurm's
  // queue even if the record of submissions was lost.
  return fmt::format("vise-{}-{}", what, sha256_hex(out.string()).substr(0, 12));
}

}  // namespace

JobFolder::JobFolder(const Path& out) : out_(std::filesystem::absolute(out).lexically_normal()), path_(out_ / "jobs") {}

Path JobFolder::store(const features::Shard& shard) const {
  return path_ / "shards" / fmt::format("{}-of-{}", shard.number, shard.of);
}

std::string JobFolder::extract_name() const { return name_of("extract", out_); }
std::string JobFolder::finish_name() const { return name_of("finish", out_); }

// Every member is asked for: a record that lacks one is damaged, and the hint says that removing it loses nothing.
std::optional<LaunchRecord> read_launch_record(const JobFolder& folder) {
  std::error_code error;
  const Path path = folder.launch_record();
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  const Json facts = read_json(path, 64 << 20);
  try {
    if (facts.at("schema") != "vise-eval/launch" || facts.at("version") != 1)
      throw Error(ErrorKind::input, fmt::format("{}: was written by another version", path.string()));
    LaunchRecord record{facts.at("shards").get<std::size_t>(), facts.at("plan").get<std::string>(), {}};
    for (const Json& each : facts.at("submissions"))
      record.submissions.push_back({each.at("job").get<std::string>(),
                                    each.at("shards").get<std::vector<std::size_t>>(),
                                    each.at("at").get<std::int64_t>()});
    return record;
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", path.string(), e.what()),
                "remove it: the same command finds its jobs by name and its rows in the stores");
  }
}

// Atomic, since `status` may read it at any moment.
void write_launch_record(const JobFolder& folder, const LaunchRecord& record) {
  Json submissions = Json::array();
  for (const Submission& each : record.submissions)
    submissions.push_back({{"job", each.job}, {"shards", each.shards}, {"at", each.at}});
  const Json facts = {{"schema", "vise-eval/launch"},
                      {"version", 1},
                      {"shards", record.shards},
                      {"plan", record.plan},
                      {"submissions", submissions}};
  write_file_atomically(folder.launch_record(), facts.dump(2) + "\n");
}

}  // namespace vise::experiments
