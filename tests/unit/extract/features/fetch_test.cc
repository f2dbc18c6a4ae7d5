// Fetching a file whose publisher states a hash: no registry row's can be made, so these rows are the tests' own.
#include "extract/features/fetch.h"

#include "base/error.h"
#include "base/hash.h"
#include "tests/http_server.h"
#include "tests/plain_file.h"
#include "tests/shared.h"

namespace vise::features {
namespace {

using test::HttpReply;
using test::HttpRequestSeen;
using test::HttpServer;

class FetchTest : public testing::Test {
 protected:
  FetchTest() {
    row_.name = "mine";
    row_.files = {"mine.pth"};
    search_.folders = {scratch_.path()};
    search_.into = scratch_.path();
    search_.patience = 1;
  }

  Path fetch(const HttpServer& server) {
    row_.urls = {server.url() + "/mine.pth"};
    return fetch_weights(row_, search_, Context{log_});
  }
  std::string refusal(const HttpServer& server) {
    try {
      fetch(server);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::missing);
      return e.message();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }
  bool nothing_is_left() const { return std::filesystem::is_empty(scratch_.path()); }

  const std::string bytes_ = "\x80\x02 a published file " + std::string(10'000, '\x01');
  const test::ScratchDir scratch_;
  Backbone row_;
  WeightsSearch search_;
  RecordingLog log_;
};

HttpServer serving(const std::string& bytes, const std::string& etag = "") {
  return HttpServer([=](const HttpRequestSeen& request, HttpReply& reply) { reply.file(request, bytes, etag); });
}

TEST_F(FetchTest, AFileOfTheStatedHashIsTakenAndAnyOtherRemoved) {
  const HttpServer server = serving(bytes_), wrong = serving(bytes_ + "!");
  for (const std::string& digits : {sha256_hex(bytes_), sha256_hex(bytes_).substr(0, 8)}) {
    row_.sha256 = digits;
    EXPECT_EQ(read_text_file(fetch(server)), bytes_);
    std::filesystem::remove(scratch_ / "mine.pth");
    const std::string cause = refusal(wrong);
    EXPECT_NE(cause.find("what came is not the published file: its SHA-256 begins"), std::string::npos) << cause;
    EXPECT_TRUE(nothing_is_left());
  }
}

TEST_F(FetchTest, AnMd5IsComparedWhereThePublisherStatesThat) {
  row_.md5 = md5_hex(as_byte_view(bytes_)).substr(0, 8);
  const HttpServer server = serving(bytes_), wrong = serving(bytes_ + "!");
  EXPECT_NE(refusal(wrong).find("its MD5 begins"), std::string::npos);
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(read_text_file(fetch(server)), bytes_);
}

TEST_F(FetchTest, TheDigitsInTheNameAreCompared) {
  row_.files = {"mine-" + sha256_hex(bytes_).substr(0, 8) + ".pth"};
  const HttpServer server = serving(bytes_), wrong = serving(bytes_ + "!");
  EXPECT_NE(refusal(wrong).find("is not the published file"), std::string::npos);
  EXPECT_EQ(read_text_file(fetch(server)), bytes_);
}

TEST_F(FetchTest, WithAKnownHashAPartIsGoneOnWithEvenIfTheServerSaysNothingOfTheFilesVersion) {
  row_.sha256 = sha256_hex(bytes_);
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    reply.file(request, bytes_, "", asked++ == 0 ? 5000 : std::string::npos);
  });
  EXPECT_EQ(read_text_file(fetch(server)), bytes_);
  EXPECT_EQ(server.requests().at(1).from(), 5000u);
}

TEST_F(FetchTest, PiecesThatDoNotMakeTheStatedHashAreFetchedAgainInOnePiece) {
  row_.sha256 = sha256_hex(bytes_);
  std::atomic<int> asked = 0;
  const HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) {
    std::string bytes = bytes_;
    if (asked++ == 0) bytes[100] = '?';
    reply.file(request, bytes, "\"same\"", asked == 1 ? 5000 : std::string::npos);
  });
  EXPECT_EQ(read_text_file(fetch(server)), bytes_);
  EXPECT_EQ(server.requests().size(), 3u);
  ASSERT_EQ(log_.warnings().size(), 1u);
  EXPECT_NE(log_.warnings()[0].find("fetching it whole"), std::string::npos);
}

TEST_F(FetchTest, EveryRegistryLinkIsHttpAndHasAFileNameOfItsOwn) {
  for (const Backbone& row : registry_backbones()) {
    EXPECT_LE(row.urls.size(), row.files.size()) << row.name;
    for (const std::string& url : row.urls) EXPECT_TRUE(url.starts_with("http")) << url;
  }
}

TEST(MirroredUrl, ReplacesSchemeAndHostOnly) {
  EXPECT_EQ(mirrored_url("https://a.b/models/x.pth", "http://127.0.0.1:8000/"), "http://127.0.0.1:8000/models/x.pth");
  EXPECT_EQ(mirrored_url("https://a.b/models/x.pth", ""), "https://a.b/models/x.pth");
}

}  // namespace
}  // namespace vise::features
