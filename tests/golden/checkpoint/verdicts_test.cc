// Every file of ../shared/data/{tensors,pickles,weights/broken} gets the verdict of its manifest: accepted with exactly
// the tensors listed (dtype, shape, strides, offset, sum, SHA-256 of their bytes; the values are numpy's and PyTorch's,
// see the READMEs there), or refused with a sentence. Prints the table.
//
// Each file is read in a child process of its own, so that a crash is a failed row, and time, memory and everything
// printed can be seen. Payloads in the hostile pickles would print VISE_EVAL_PAYLOAD_RAN or create a file.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/pickle.h"
#include "base/text.h"
#include "extract/networks/inspect.h"
#include "tests/shared.h"

namespace vise {
namespace {

constexpr double kMaxSeconds = 2;
constexpr long kMaxExtraKilobytes = 200'000;

struct Verdict {
  bool accepted = false;
  std::string sentence;  // why refused, or the value of a bare pickle
  Json tensors;
  double seconds = 0;
  long extra_kilobytes = 0;
  std::string printed, crash;
};

Json tensor_rows(const networks::CheckpointInspection& seen) {
  Json rows = networks::to_json(seen, true)["tensors"];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i]["strides"] = seen.checkpoint.tensors[i].tensor.strides;
    rows[i]["offset"] = seen.checkpoint.tensors[i].tensor.offset;
  }
  return rows;
}

// In the child: what this program says of the file, as one line of JSON.
std::string judge(const Path& path) {
  Json answer;
  try {
    if (path.extension() == ".pkl") {
      const MappedFile file(path);
      PickleHeap heap;
      PickleWorld plain;
      answer = {{"accepted", true}, {"sentence", pickle_to_json(heap, run_pickle(file.bytes(), heap, plain).value)}};
    } else {
      const networks::CheckpointInspection seen = networks::inspect_checkpoint(path);
      answer = {{"accepted", true}, {"sentence", ""}, {"tensors", tensor_rows(seen)}};
    }
  } catch (const Error& e) {
    answer = {{"accepted", false}, {"sentence", e.message()}, {"hint", e.hint()}};
  }
  return answer.dump();
}

std::string drain(int fd) {
  std::string text;
  char buffer[1 << 16];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

// Of this process, now (proc(5), statm's second number); a forked child's largest begins at it.
long resident_kilobytes() {
  const std::vector<std::string> pages = split(read_text_file("/proc/self/statm"), ' ');
  return std::stol(pages.at(1)) * (::sysconf(_SC_PAGESIZE) / 1024);
}

Verdict ask_child(const Path& path, const Path& scratch) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) throw_errno("cannot make a pipe for", path);
  const Path printed = scratch / "printed";
  const long before = resident_kilobytes();
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(printed.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (::dup2(out, 1) < 0 || ::dup2(out, 2) < 0 || ::chdir(scratch.c_str()) != 0) ::_exit(9);
    write_fully(pipe_ends[1], as_byte_view(judge(path)), -1, path);
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  Verdict verdict;
  const std::string answer = drain(pipe_ends[0]);
  ::close(pipe_ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  verdict.seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  verdict.extra_kilobytes = usage.ru_maxrss - before - static_cast<long>(std::filesystem::file_size(path) / 1000);
  verdict.printed = read_text_file(printed);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer.empty()) {
    verdict.crash = "crashed";
    return verdict;
  }
  const Json json = parse_json(answer, "the child's answer");
  verdict.accepted = json["accepted"];
  verdict.sentence = json["sentence"];
  if (json.contains("tensors")) verdict.tensors = json["tensors"];
  return verdict;
}

bool close_sum(double ours, double theirs) {
  if (std::isnan(theirs)) return std::isnan(ours);
  if (std::isinf(theirs)) return ours == theirs;
  return std::abs(ours - theirs) <= 1e-12 * std::abs(theirs);
}

double as_double(const Json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

// A complex sum is in the table as real and imaginary part and "j", without a sign between them where the imaginary
// part is positive ("4.52.25j"), so every place is tried for the border.
bool same_complex_sum(const Json& ours, std::string theirs) {
  theirs.pop_back();
  for (std::size_t border = 1; border < theirs.size(); ++border) {
    double real = 0, imaginary = 0;
    if (parse_double(theirs.substr(0, border), real) && parse_double(theirs.substr(border), imaginary) &&
        close_sum(as_double(ours[0]), real) && close_sum(as_double(ours[1]), imaginary))
      return true;
  }
  return false;
}

bool same_sum(const Json& ours, const std::string& theirs) {
  return ours.is_array() ? same_complex_sum(ours, theirs) : close_sum(as_double(ours), std::stod(theirs));
}

std::string spaced(const Json& numbers) {
  std::vector<std::string> parts;
  for (const auto& n : numbers) parts.push_back(std::to_string(n.get<std::int64_t>()));
  return join(parts, " ");
}

using Rows = std::map<std::string, std::vector<std::vector<std::string>>>;

Rows read_rows(const Path& path) {
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  Rows rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    std::vector<std::string> row;
    for (std::size_t c = 0; c < table.header().size(); ++c) row.push_back(table.cell(i, c));
    rows[row[0]].push_back(row);
  }
  return rows;
}

// file, name, dtype, shape, stride, storage_offset, sum, sha256; "" if all agree.
std::string compare_tensors(const Json& ours, const std::vector<std::vector<std::string>>& theirs) {
  if (ours.size() != theirs.size())
    return std::to_string(ours.size()) + " tensors, not " + std::to_string(theirs.size());
  for (const auto& row : theirs) {
    const auto found = std::find_if(ours.begin(), ours.end(), [&](const Json& t) { return t["pointer"] == row[1]; });
    if (found == ours.end()) return "no tensor " + row[1];
    const Json& t = *found;
    if (t["dtype"] != row[2]) return row[1] + ": dtype";
    if (spaced(t["shape"]) != row[3]) return row[1] + ": shape";
    if (spaced(t["strides"]) != row[4]) return row[1] + ": strides";
    if (std::to_string(t["offset"].get<std::int64_t>()) != row[5]) return row[1] + ": offset";
    if (!same_sum(t["sum"], row[6])) return row[1] + ": sum " + t["sum"].dump() + ", not " + row[6];
    if (t["sha256"] != row[7]) return row[1] + ": bytes";
  }
  return "";
}

// What a refusal must name (issue and READMEs: "the message should say so").
const std::map<std::string, std::string> kMustSay{{"html_page.pth", "HTML page"},
                                                  {"xml_error.pth", "XML"},
                                                  {"json_error.pth", "JSON"},
                                                  {"lfs_pointer.pth", "Git LFS pointer"},
                                                  {"gzip.pth", "gzip"},
                                                  {"hdf5.pth", "HDF5"},
                                                  {"png.pth", "PNG"},
                                                  {"numpy.pth", "NumPy"},
                                                  {"empty_file.pth", "empty"},
                                                  {"zeros.pth", "zeros"},
                                                  {"zip/torchscript.pt", "TorchScript"},
                                                  {"zip/argparse_namespace.pth", "argparse.Namespace"},
                                                  {"legacy/argparse_namespace.pth", "argparse.Namespace"},
                                                  {"zip/numpy_scalar.pth", "numpy.core.multiarray.scalar"},
                                                  {"zip/whole_module.pth", "torch.nn.modules.container.Sequential"},
                                                  {"zip/reduce_os_system.pth", "os.system"},
                                                  {"bare/builtins_eval.pkl", "builtins.eval"},
                                                  {"zip/defaultdict.pth", "collections.defaultdict"}};

struct Expectation {
  std::string file, expect, value;
  std::vector<std::vector<std::string>> tensors;
};

void print_row(const Expectation& wanted, const Verdict& verdict) {
  const std::string& file = wanted.file;
  std::string detail = verdict.sentence;
  if (verdict.accepted && verdict.tensors.is_array()) detail = std::to_string(verdict.tensors.size()) + " tensors";
  if (const std::size_t name = detail.find(file + ": "); name != std::string::npos)
    detail.erase(0, name + file.size() + 2);
  std::printf("%-7s %-8s %-45s %s\n", wanted.expect.c_str(), verdict.accepted ? "accepted" : "refused", file.c_str(),
              detail.c_str());
}

void check_row(const Expectation& wanted, const Verdict& verdict) {
  EXPECT_EQ(verdict.crash, "");
  EXPECT_EQ(verdict.printed, "");
  EXPECT_LE(verdict.seconds, kMaxSeconds);
  EXPECT_LE(verdict.extra_kilobytes, kMaxExtraKilobytes);
  if (wanted.expect != "either") {
    EXPECT_EQ(verdict.accepted, wanted.expect == "accept") << verdict.sentence;
  }
  if (!verdict.accepted) {
    EXPECT_GT(verdict.sentence.size(), 20U);
  } else if (verdict.tensors.is_array()) {
    EXPECT_EQ(compare_tensors(verdict.tensors, wanted.tensors), "");
  } else if (!wanted.value.empty()) {
    EXPECT_EQ(verdict.sentence, wanted.value);
  }
  if (const auto must = kMustSay.find(wanted.file); must != kMustSay.end()) {
    EXPECT_NE(verdict.sentence.find(must->second), std::string::npos) << verdict.sentence;
  }
}

class Verdicts : public testing::TestWithParam<const char*> {};

TEST_P(Verdicts, EqualTheManifest) {
  VISE_NEEDS_SHARED();
  const Path folder = test::shared_dir() / "data" / GetParam();
  const CsvTable manifest = CsvTable::parse(read_text_file(folder / "manifest.csv"), "manifest.csv");
  const Rows rows = read_rows(folder / "tensors.csv");
  const test::ScratchDir scratch;
  std::map<std::string, int> counts;
  double slowest = 0;
  long largest = 0;
  for (std::size_t i = 0; i < manifest.rows(); ++i) {
    const auto cell = [&](std::string_view name) { return manifest.cell(i, manifest.column(name)); };
    Expectation wanted{cell("file"), cell("expect"), cell("value"), {}};
    if (const auto listed = rows.find(wanted.file); listed != rows.end()) wanted.tensors = listed->second;
    SCOPED_TRACE(wanted.file);
    const Verdict verdict = ask_child(folder / wanted.file, scratch.path());
    print_row(wanted, verdict);
    check_row(wanted, verdict);
    ++counts[wanted.expect + (verdict.accepted ? " accepted" : " refused")];
    slowest = std::max(slowest, verdict.seconds);
    largest = std::max(largest, verdict.extra_kilobytes);
  }
  EXPECT_FALSE(std::filesystem::exists(scratch / "vise_eval_payload_ran"));
  for (const auto& [what, count] : counts) std::printf("%s: %d\n", what.c_str(), count);
  std::printf("slowest %.3f s, largest %.1f MB beyond the file\n", slowest, static_cast<double>(largest) / 1000);
}

INSTANTIATE_TEST_SUITE_P(Shared, Verdicts, testing::Values("tensors", "pickles", "weights/broken"), [](const auto& i) {
  std::string name = i.param;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
});

}  // namespace
}  // namespace vise
