// What the tests of downloads share: a program that may fetch, from a server that stands for all of VisE's links.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "tests/http_server.h"
#include "tests/plain_file.h"
#include "tests/program/program.h"
#include "tests/program/published_weights.h"

namespace vise::test {

class FetchTest : public testing::Test {
 protected:
  static constexpr const char *kFirstName = "vise_1m_rn50_ep100.pth",
                              *kThirdName = "iewb4hlabndnxtkvkiojzxyk54y5uzxd.pth",
                              *kFirstLink = "/publicmodels/vise_1m_rn50_ep100.pth",
                              *kSecondLink = "/shared/static/r36nd2o0w5ch6ujuaxj0mtasxaqg0l5t.pth",
                              *kThirdLink = "/shared/static/iewb4hlabndnxtkvkiojzxyk54y5uzxd.pth";
  static constexpr std::size_t kPart = 150'000;  // bytes of a part that is left

  FetchTest() {
    program_.set("VISE_OFFLINE", "0");
    program_.set("VISE_FETCH_TIMEOUT", "5");
    weights();  // made now: a server that made it while it is asked would seem to stall
  }

  static const std::string& weights() {
    static const std::string bytes = published_weights(5'000'000);
    return bytes;
  }

  static HttpServer serving(const std::string& bytes, const std::string& etag) {
    return HttpServer([=](const HttpRequestSeen& request, HttpReply& reply) { reply.file(request, bytes, etag); });
  }

  Outcome run(const HttpServer& server, const std::vector<std::string>& words) {
    program_.set("VISE_MIRROR", server.url());
    return program_.run(words);
  }
  Outcome fetch(const HttpServer& server) { return run(server, {"backbone", "fetch", "vise-1.2m"}); }

  Path folder() const { return program_ / "torch/hub/checkpoints"; }
  Path target() const { return folder() / kFirstName; }

  // As an earlier try has left it that got the first kPart bytes of `whole` from this server.
  void leave_a_part(const HttpServer& server, const std::string& whole, const std::string& etag) const {
    write_plainly(target().string() + ".part", whole.substr(0, kPart));
    write_plainly(target().string() + ".part.json", Json({{"schema_version", 1},
                                                          {"url", server.url() + kFirstLink},
                                                          {"etag", etag},
                                                          {"last_modified", ""},
                                                          {"bytes", whole.size()}})
                                                        .dump());
  }
  std::string part() const { return read_text(target().string() + ".part"); }

  void expect_fetched() const {
    EXPECT_TRUE(read_text(target()) == weights());
    EXPECT_EQ(names(), std::vector<std::string>{kFirstName}) << "nothing else is left";
  }

  // Exit code 3, the cause, the cures; and nothing under a final name.
  void expect_refused(const Outcome& outcome, const std::string& cause) const {
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_CONTAINS(outcome.err, cause);
    for (const char* cure : {"put vise_1m_rn50_ep100.pth or", "licence: CC BY-NC 4.0", "--weights-dir DIR",
                             "--backbone vise-1.2m=FILE", "VISE_MIRROR="})
      EXPECT_CONTAINS(outcome.err, cure);
    for (const std::string& name : names()) EXPECT_CONTAINS(name, ".pth.part");
  }

  // Of the files in the folder, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder(), error))
      all.push_back(entry.path().filename().string());
    std::ranges::sort(all);
    return all;
  }

  static std::vector<std::string> paths(const HttpServer& server) {
    std::vector<std::string> all;
    for (const HttpRequestSeen& request : server.requests()) all.push_back(request.path);
    return all;
  }

  Program program_;
};

}  // namespace vise::test
