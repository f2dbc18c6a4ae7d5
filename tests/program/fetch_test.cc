// `backbone fetch` against a real server that answers as real servers do, and worse: nothing ever appears under the
// final name but a whole, checked file, and every refusal names the cause and the cure.
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "tests/http_server.h"
#include "tests/plain_file.h"
#include "tests/program/fetching.h"

namespace vise::test {
namespace {

TEST_F(FetchTest, AFileIsFetchedAndSaidFromWhereHowLargeAndUnderWhichLicence) {
  const HttpServer server = serving(weights(), "\"v1\"");
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, fmt::format("{}  {}\n", sha256_hex(weights()), target().string()));
  EXPECT_CONTAINS(outcome.err, fmt::format("fetching vise-1.2m from {}{} ({}; licence: CC BY-NC 4.0) into {}",
                                           server.url(), kFirstLink, bytes_text(weights().size()), folder().string()));
  EXPECT_CONTAINS(outcome.err, "its publisher states no hash, so note this one: SHA-256 " + sha256_hex(weights()));
  expect_fetched();
}

TEST_F(FetchTest, WhatIsThereIsNotFetchedAgainAndJsonSaysTheSame) {
  const HttpServer server = serving(weights(), "\"v1\"");
  ASSERT_EQ(fetch(server).exit_code, 0);
  const Outcome again = run(server, {"backbone", "fetch", "vise-1.2m", "--json"});
  EXPECT_EQ(Json::parse(again.out),
            Json({{"name", "vise-1.2m"}, {"file", target().string()}, {"sha256", sha256_hex(weights())}}));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(FetchTest, TorchHomeIsWhereTorchWouldPutIt) {
  const HttpServer server = serving(weights(), "");
  program_.set("TORCH_HOME", (program_ / "elsewhere").string());
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_TRUE(read_text(program_ / "elsewhere/hub/checkpoints" / kFirstName) == weights());
}

TEST_F(FetchTest, ThreeGenerationsOfLinksAreTriedInOrder) {
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (request.path == kThirdLink) return reply.file(request, weights(), "");
    reply.answer("404 Not Found", "no");
  });
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(paths(server), (std::vector<std::string>{kFirstLink, kSecondLink, kThirdLink}));
  EXPECT_TRUE(read_text(folder() / kThirdName) == weights());
  EXPECT_EQ(names(), std::vector<std::string>{kThirdName});
}

TEST_F(FetchTest, ARunFetchesWhatItNeedsAndUsesIt) {
  const HttpServer server = serving(weights(), "\"v1\"");
  for (const char* name : {"images/a/1.ppm", "images/b/2.ppm"}) write_plainly(program_ / name, noise_picture(name));
  const std::vector<std::string> words{"extract",    "--json",    "--data", (program_ / "images").string(),
                                       "--backbone", "vise-1.2m", "--out",  (program_ / "out").string()};
  const Outcome outcome = run(server, words);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_fetched();
  const Json facts = Json::parse(read_text(program_ / "out/features.json"));
  EXPECT_CONTAINS(facts.dump(), sha256_hex(weights()));
}

TEST_F(FetchTest, NothingIsAskedForOffline) {
  const HttpServer server = serving(weights(), "");
  EXPECT_EQ(run(server, {"backbone", "fetch", "vise-1.2m", "--offline"}).exit_code, 3);
  Program offline;
  offline.set("VISE_MIRROR", server.url());
  for (const char* value : {"1", "true"}) {
    offline.set("VISE_OFFLINE", value);
    const Outcome outcome = offline.run({"backbone", "fetch", "vise-1.2m"});
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_CONTAINS(outcome.err, "fetching is off (--offline)");
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(FetchTest, RedirectsAreFollowedButNotForEverAndNotToFiles) {
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (request.path == kFirstLink) return reply.answer("302 Found", "moved", "Location: /moved/once\r\n");
    if (request.path == "/moved/once") return reply.answer("307 Temporary Redirect", "", "Location: /moved/twice\r\n");
    reply.file(request, weights(), "");
  });
  ASSERT_EQ(fetch(server).exit_code, 0);
  expect_fetched();
  std::filesystem::remove(target());
  const HttpServer circle(
      [&](const HttpRequestSeen&, HttpReply& reply) { reply.answer("302 Found", "", "Location: /again\r\n"); });
  expect_refused(fetch(circle), "redirects");
  write_plainly(program_ / "secret", weights());
  const HttpServer to_a_file([&](const HttpRequestSeen&, HttpReply& reply) {
    reply.answer("302 Found", "", fmt::format("Location: file://{}\r\n", (program_ / "secret").string()));
  });
  expect_refused(fetch(to_a_file), "Protocol \"file\" not supported");
}

TEST_F(FetchTest, AMissingFileAndAForbiddenOneAreRefusalsAtOnce) {
  const HttpServer missing([](const HttpRequestSeen&, HttpReply& reply) { reply.answer("404 Not Found", "<html>"); });
  expect_refused(fetch(missing), "the server answers 404 (it does not have the file)");
  EXPECT_EQ(missing.requests().size(), 3u) << "one a link";
  const HttpServer locked([](const HttpRequestSeen&, HttpReply& reply) { reply.answer("403 Forbidden", "no"); });
  expect_refused(fetch(locked), "the server answers 403 (it does not give the file to us)");
}

TEST_F(FetchTest, ABusyServerIsAskedAgain) {
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (asked++ < 2) return reply.answer("503 Service Unavailable", "busy");
    reply.file(request, weights(), "");
  });
  const Outcome outcome = fetch(server);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.err, "the server answers 503 (it is busy); trying again in");
  expect_fetched();
}

TEST_F(FetchTest, AServerThatStaysBusyIsGivenUpAfterFourTries) {
  program_.set("VISE_FETCH_TIMEOUT", "1");
  const HttpServer server([](const HttpRequestSeen&, HttpReply& reply) { reply.answer("500 Oops", "no"); });
  expect_refused(fetch(server), "the server answers 500 (4 tries)");
  EXPECT_EQ(server.requests().size(), 12u) << "four a link";
}

TEST_F(FetchTest, RetryAfterIsHonouredWithinReason) {
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (asked++ == 0) return reply.answer("503 Service Unavailable", "", "Retry-After: 1\r\n");
    reply.file(request, weights(), "");
  });
  const Stopwatch watch;
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_GE(watch.seconds(), 1.0);
  std::filesystem::remove(target());
  const HttpServer tomorrow([&](const HttpRequestSeen&, HttpReply& reply) {
    reply.answer("429 Too Many Requests", "", "Retry-After: 7200\r\n");
  });
  expect_refused(fetch(tomorrow), "asks to come back in 2 h 00 m");
}

TEST_F(FetchTest, AWebPageInTheFilesPlaceIsNamed) {
  const HttpServer server([](const HttpRequestSeen&, HttpReply& reply) {
    reply.answer("200 OK", "<!DOCTYPE html>\n<html><body>Please sign in</body></html>", "Content-Type: text/html\r\n");
  });
  expect_refused(fetch(server), "what the server sent is a web page");
  EXPECT_TRUE(names().empty());
}

TEST_F(FetchTest, AWebPageDoesNotReplaceAPartThatIsThere) {
  std::atomic<bool> signed_in = false;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    if (signed_in) return reply.file(request, weights(), "\"v1\"");
    reply.answer("200 OK", "<html>" + std::string(100'000, ' ') + "</html>");
  });
  leave_a_part(server, weights(), "\"v1\"");
  expect_refused(fetch(server), "is a web page");
  EXPECT_TRUE(part() == weights().substr(0, kPart));
  signed_in = true;
  ASSERT_EQ(fetch(server).exit_code, 0);
  EXPECT_EQ(server.requests().back().from(), kPart);
  expect_fetched();
}

TEST_F(FetchTest, OtherThingsThanWeightsAreNamed) {
  const std::pair<std::string, std::string> bodies[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 94323013\n", "Git LFS pointer"},
      {"{\"error\": \"quota exceeded\"}", "JSON text"},
      {"", "what the server sent is empty"},
      {published_weights(100'000, "resnet18"), "what came is not the weights of a resnet50"},
      {weights().substr(0, weights().size() / 2), "what came is not the weights of a resnet50"},
      {"\x80\x02 garbage " + std::string(5000, '\x7f'), "what came is not the weights of a resnet50"}};
  for (const auto& [body, cause] : bodies) {
    const HttpServer server([&body = body](const HttpRequestSeen&, HttpReply& reply) { reply.answer("200 OK", body); });
    expect_refused(fetch(server), cause);
    EXPECT_TRUE(names().empty()) << cause;
  }
}

TEST_F(FetchTest, ABodyThatEndsEarlyWithoutALengthIsNotTakenForTheFile) {
  const HttpServer server([&](const HttpRequestSeen&, HttpReply& reply) {
    reply.raw("HTTP/1.0 200 OK\r\n\r\n" + weights().substr(0, weights().size() - 100));
  });
  expect_refused(fetch(server), "what came is not the weights of a resnet50");
  EXPECT_TRUE(names().empty());
}

TEST_F(FetchTest, AnOfferOfTerabytesIsRefusedBeforeItIsTaken) {
  const HttpServer server([](const HttpRequestSeen&, HttpReply& reply) {
    reply.head("200 OK", 5'000'000'000'000);
    reply.raw(std::string(4096, '\x80'));
  });
  expect_refused(fetch(server), "the server offers 5.0 TB, more than any weights have");
}

TEST_F(FetchTest, NoServerNoTlsAndNoTrustAreNamed) {
  std::string nowhere;
  {
    const HttpServer gone = serving(weights(), "");
    nowhere = gone.url();
  }
  program_.set("VISE_MIRROR", nowhere);
  expect_refused(program_.run({"backbone", "fetch", "vise-1.2m"}), "Failed to connect to 127.0.0.1");
  const HttpServer plain = serving(weights(), "");
  Program to_tls;
  to_tls.set("VISE_OFFLINE", "0");
  to_tls.set("VISE_MIRROR", "https" + plain.url().substr(4));
  expect_refused(to_tls.run({"backbone", "fetch", "vise-1.2m"}), "SSL");
}

TEST_F(FetchTest, SettingsThatAreNoAddressAndNoTimeAreUsageErrors) {
  Program wrong;
  wrong.set("VISE_OFFLINE", "0");
  wrong.set("VISE_MIRROR", "localhost:8000");
  const Outcome mirror = wrong.run({"backbone", "fetch", "vise-1.2m"});
  EXPECT_EQ(mirror.exit_code, 2);
  EXPECT_CONTAINS(mirror.err, "VISE_MIRROR: 'localhost:8000' is no http:// or https:// address");
  wrong.set("VISE_FETCH_TIMEOUT", "soon");
  EXPECT_EQ(wrong.run({"backbone", "fetch", "vise-1.2m"}).exit_code, 2);
  const Outcome floor = program_.run({"backbone", "fetch", "random"});
  EXPECT_EQ(floor.exit_code, 2);
  EXPECT_CONTAINS(floor.err, "random: is a floor and has no weights to fetch");
}

}  // namespace
}  // namespace vise::test
