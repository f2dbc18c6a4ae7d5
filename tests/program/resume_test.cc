// Downloads that are cut, stalled, killed, doubled, or meet a full disk: what came is kept where it can be relied on,
// never mixed with another file's bytes, and the same command ends with the same file.
#include <signal.h>

#include <cstdlib>

#include "base/hash.h"
#include "base/log.h"
#include "tests/child.h"
#include "tests/program/fetching.h"
#include "tests/program/small_disk.h"

namespace vise::test {
namespace {

const std::string kV1 = "\"v1\"", kV2 = "\"v2\"";

class ResumeTest : public FetchTest {
 protected:
  static const std::string& other_weights() {
    static const std::string bytes = published_weights(5'000'000, "resnet50", 1);
    return bytes;
  }
};

TEST_F(ResumeTest, ACutBodyIsGoneOnWithAndNothingIsSentTwice) {
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    reply.file(request, weights(), kV1, asked++ < 2 ? kPart : std::string::npos);
  });
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "the connection was cut after 150.0 kB");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].header("range"), "bytes=150000-");
  EXPECT_EQ(requests[1].header("if-range"), kV1);
  EXPECT_EQ(requests[2].from(), 2 * kPart);
  expect_fetched();
}

TEST_F(ResumeTest, ABodyThatIsAlwaysCutIsGivenUpAndItsPartKeptForTheNextTry) {
  std::atomic<bool> well = false;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (request.path != kFirstLink) return reply.answer("404 Not Found", "");
    reply.file(request, weights(), kV1, well ? std::string::npos : 10'000);
  });
  expect_refused(fetch(server), "the connection was cut after 40.0 kB");
  EXPECT_TRUE(part() == weights().substr(0, 40'000));
  well = true;
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "going on after 40.0 kB");
  EXPECT_EQ(server.requests().back().from(), 40'000u);
  expect_fetched();
}

TEST_F(ResumeTest, AServerThatIgnoresRangesSendsTheFileAnewAndItIsNotAppended) {
  const HttpServer server([&](const HttpRequestSeen&, HttpReply& reply) { reply.answer("200 OK", weights()); });
  leave_a_part(server, weights(), kV1);
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().at(0).from(), kPart);
  expect_fetched();
}

TEST_F(ResumeTest, APartOfAChangedFileIsNotSplicedWithTheNewOne) {
  const HttpServer server = serving(weights(), kV2);
  leave_a_part(server, other_weights(), kV1);
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().size(), 1u) << "If-Range has the whole file sent";
  expect_fetched();
}

TEST_F(ResumeTest, AServerThatDoesNotKnowIfRangeIsFoundOutByItsETagOrTheSize) {
  for (const std::string& etag : {kV2, std::string()}) {
    const std::string now = etag.empty() ? published_weights(5'100'000) : weights();
    const HttpServer server([&](HttpRequestSeen request, HttpReply& reply) {
      request.headers.erase("if-range");
      reply.file(request, now, etag);
    });
    leave_a_part(server, other_weights(), kV1);
    const Outcome outcome = fetch(server);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_CONTAINS(outcome.err, "the server's file has changed since the part of it was fetched");
    EXPECT_TRUE(read_text(target()) == now);
    std::filesystem::remove(target());
  }
}

TEST_F(ResumeTest, ADateServesWhereTheETagIsWeak) {
  const std::string date = "Wed, 21 Oct 2015 07:28:00 GMT";
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    const std::string headers = fmt::format("ETag: W/\"1\"\r\nLast-Modified: {}\r\n", date);
    if (asked++ == 0) {
      reply.head("200 OK", weights().size(), headers);
      reply.raw(weights().substr(0, kPart));
      return;
    }
    EXPECT_EQ(request.header("if-range"), date);
    reply.answer("206 Partial Content", weights().substr(request.from()),
                 fmt::format("{}Content-Range: bytes {}-{}/{}\r\n", headers, request.from(), weights().size() - 1,
                             weights().size()));
  });
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().at(1).from(), kPart);
  expect_fetched();
}

TEST_F(ResumeTest, WithoutETagAndDateTheFileIsBegunAnew) {
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    reply.file(request, weights(), "", asked++ == 0 ? kPart : std::string::npos);
  });
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().at(1).from(), 0u);
  expect_fetched();
}

TEST_F(ResumeTest, APartThatNothingIsKnownOfIsBegunAnew) {
  const HttpServer server = serving(weights(), kV1);
  const std::string damaged[] = {"", "{\"schema_version\": 1, \"url\": 7}", "{\"schema_version\": 2}", "not json"};
  for (const std::string& json : damaged) {
    leave_a_part(server, other_weights(), kV1);
    write_plainly(target().string() + ".part.json", json);
    ASSERT_EQ(fetch(server).exit_code, 0) << json;
    EXPECT_EQ(server.requests().back().from(), 0u);
    expect_fetched();
    std::filesystem::remove(target());
  }
}

TEST_F(ResumeTest, AnotherRangeThanWasAskedForIsNotWritten) {
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (request.from() == 0) return reply.file(request, weights(), kV1);
    reply.answer("206 Partial Content", weights().substr(1000),
                 fmt::format("Content-Range: bytes 1000-{}/{}\r\n", weights().size() - 1, weights().size()));
  });
  leave_a_part(server, weights(), kV1);
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "the server sends another part than was asked for");
  expect_fetched();
}

TEST_F(ResumeTest, APartThatIsWholeAlreadyNeedsOneRequestAndATooLongOneIsBegunAnew) {
  const HttpServer server = serving(weights(), kV1);
  leave_a_part(server, weights(), kV1);
  write_plainly(target().string() + ".part", weights());
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().size(), 1u);
  expect_fetched();
  std::filesystem::remove(target());
  leave_a_part(server, weights(), kV1);
  write_plainly(target().string() + ".part", weights() + "and more");
  ASSERT_EQ(fetch(server).exit_code, 0);
  expect_fetched();
}

TEST_F(ResumeTest, ADamagedPartIsFoundOutAndTheFileFetchedWhole) {
  const HttpServer server = serving(weights(), kV1);
  leave_a_part(server, weights(), kV1);
  write_plainly(target().string() + ".part", std::string(kPart, '\0'));  // as a power cut leaves it
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "the parts of it do not make the file; fetching it whole");
  expect_fetched();
}

TEST_F(ResumeTest, AStallIsEndedByTheTimeoutAndGoneOnWith) {
  program_.set("VISE_FETCH_TIMEOUT", "1");
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    reply.file(request, weights(), kV1, asked == 0 ? kPart : std::string::npos);
    if (asked++ == 0) reply.stall();
  });
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "nothing came for 1 s after 150.0 kB; trying again");
  expect_fetched();
}

TEST_F(ResumeTest, AServerThatNeverAnswersIsGivenUp) {
  program_.set("VISE_FETCH_TIMEOUT", "1");
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (request.path == kFirstLink) reply.stall();
    reply.answer("404 Not Found", "");
  });
  const Stopwatch watch;
  expect_refused(fetch(server), "nothing came for 1 s (4 tries)");
  EXPECT_GE(watch.seconds(), 4.0);
}

TEST_F(ResumeTest, TwoProcessesFetchTheFileOnce) {
  Program other;
  // The one that asks first is answered once the other waits.
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    wait_for([&] {
      const std::string said = read_text(program_ / "stderr") + read_text(other / "stderr");
      return contains(said, "another process is fetching");
    });
    reply.file(request, weights(), kV1);
  });
  for (Program* program : {&program_, &other}) {
    program->set("VISE_MIRROR", server.url());
    program->set("VISE_OFFLINE", "0");
    program->set("TORCH_HOME", (program_ / "torch").string());
  }
  const pid_t first = program_.start({"backbone", "fetch", "vise-1.2m"}),
              second = other.start({"backbone", "fetch", "vise-1.2m"});
  const Outcome one = program_.wait(first), two = other.wait(second);
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(two.exit_code, 0) << two.err;
  EXPECT_CONTAINS(one.err + two.err, "another process is fetching");
  EXPECT_EQ(server.requests().size(), 1u);
  expect_fetched();
}

TEST_F(ResumeTest, CtrlCEndsADownloadAndKeepsItsPart) {
  std::atomic<bool> sent = false;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    reply.file(request, weights(), kV1, kPart);
    sent = true;
    reply.stall();
  });
  program_.set("VISE_MIRROR", server.url());
  program_.set("VISE_FETCH_TIMEOUT", "60");
  const pid_t child = program_.start({"backbone", "fetch", "vise-1.2m"});
  const auto arrived = [&] {
    return sent && std::filesystem::exists(target().string() + ".part") && part().size() == kPart;
  };
  ASSERT_TRUE(wait_for(arrived));
  ::kill(child, SIGINT);
  EXPECT_EQ(program_.wait(child).exit_code, 130);
  EXPECT_TRUE(part() == weights().substr(0, kPart));
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST_F(ResumeTest, KilledAtRandomMomentsARerunHasTheSameFile) {
  const int rounds = kill_rounds(8);
  constexpr std::size_t kStep = 100'000;
  std::atomic<std::size_t> sent = 0, most = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    const std::size_t from = request.from();
    const std::string range =
        fmt::format("ETag: {}\r\nContent-Range: bytes {}-{}/{}\r\n", kV1, from, weights().size() - 1, weights().size());
    reply.head(from == 0 ? "200 OK" : "206 Partial Content", weights().size() - from, range);
    for (std::size_t at = from; at < weights().size(); at += kStep) {
      sent = at;
      if (at >= most) return reply.stall();
      if (!reply.raw(weights().substr(at, kStep))) return;
      ::usleep(3000);
    }
  });
  int resumed = 0;
  for (int round = 0; round < rounds; ++round) {
    sent = 0;
    most = RandomStream("kill a download", static_cast<std::uint64_t>(round)).below(weights().size() - kStep);
    program_.set("VISE_MIRROR", server.url());
    const pid_t child = program_.start({"backbone", "fetch", "vise-1.2m"});
    // Sent is not received: beside busy neighbours it may wait in the system's buffers.
    const Path part = target().string() + ".part";
    std::error_code none;
    ASSERT_TRUE(wait_for(
        [&] {
          return sent >= most &&
                 (most == 0 || (std::filesystem::exists(part) && std::filesystem::file_size(part, none) > 0));
        },
        90, 200));
    ::kill(child, SIGKILL);
    EXPECT_EQ(program_.wait(child).exit_code, 128 + SIGKILL);
    EXPECT_FALSE(std::filesystem::exists(target()));
    most = weights().size();
    const Outcome again = fetch(server);
    EXPECT_EQ(again.exit_code, 0) << again.err;
    resumed += contains(again.err, "going on after");
    expect_fetched();
    std::filesystem::remove(target());
  }
  EXPECT_GE(2 * resumed, rounds) << "most downloads had brought nothing when they were killed: nothing was shown";
}

TEST_F(ResumeTest, AFullDiskIsSaidAndThePartGoneOnWithOnceThereIsRoom) {
  SmallDisk disk(folder());
  SKIP_WITHOUT_A_DISK(disk);
  const HttpServer server = serving(weights(), kV1);
  const Outcome full = fetch(server);
  EXPECT_EQ(full.exit_code, 4);
  for (const char* part : {"No space left on device", "TORCH_HOME=DIR", "--weights-dir DIR"})
    EXPECT_CONTAINS(full.err, part);
  EXPECT_FALSE(std::filesystem::exists(target()));
  disk.remount(0, "size=8m");
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_GT(server.requests().back().from(), 0u);
  expect_fetched();
}

TEST_F(ResumeTest, AReadOnlyFolderIsNamedWithItsCure) {
  SmallDisk disk(folder());
  SKIP_WITHOUT_A_DISK(disk);
  disk.remount(MS_RDONLY, "size=8m");
  const HttpServer server = serving(weights(), kV1);
  const Outcome outcome = fetch(server);
  EXPECT_EQ(outcome.exit_code, 4);
  for (const char* part : {"Read-only file system", "TORCH_HOME=DIR", "--weights-dir DIR"})
    EXPECT_CONTAINS(outcome.err, part);
}

}  // namespace
}  // namespace vise::test
