#include "extract/features/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "base/version.h"

namespace vise::features {
namespace {

constexpr long kMostRedirects = 10;

// C frames must not be unwound, so what `body` throws is kept until curl has returned.
struct Transfer {
  CURL* curl;
  const HttpBody& body;
  const Context& context;
  std::chrono::seconds patience;
  std::chrono::steady_clock::time_point last_byte = std::chrono::steady_clock::now();
  bool stalled = false;
  std::exception_ptr thrown{};
  std::optional<HttpHead> head{};
};

// The header of the last answer (-1), after all redirects.
std::string header(CURL* curl, const char* name) {
  curl_header* found = nullptr;
  return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? std::string(trim(found->value)) : "";
}

// "bytes 100-199/200", "bytes */200", "bytes 100-199/*" (RFC 9110, section 14.4).
void read_content_range(const std::string& text, HttpHead& head) {
  const std::size_t blank = text.find(' '), dash = text.find('-'), slash = text.find('/');
  if (blank == std::string::npos || slash == std::string::npos) return;
  std::int64_t number = 0;
  if (dash < slash && parse_int(text.substr(blank, dash - blank), number) && number >= 0)
    head.first = static_cast<std::uint64_t>(number);
  if (parse_int(text.substr(slash + 1), number) && number >= 0) head.total = static_cast<std::uint64_t>(number);
}

// Called at the first byte of the body, or at the end of an answer that has none.
HttpHead read_head(CURL* curl) {
  HttpHead head;
  long status = 0;
  curl_off_t length = -1, seconds = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
  head.status = static_cast<int>(status);
  // Bounded before it is narrowed: the header is the server's to write.
  head.retry_after = static_cast<int>(std::min<curl_off_t>(seconds, 1'000'000));
  head.etag = header(curl, "ETag");
  head.last_modified = header(curl, "Last-Modified");
  // The length of a partial answer is that of the piece; the file's is in Content-Range.
  if (status == 206 || status == 416) read_content_range(header(curl, "Content-Range"), head);
  if (status == 200 && length >= 0) head.total = static_cast<std::uint64_t>(length);
  return head;
}

// libcurl's CURLOPT_WRITEFUNCTION. It may throw nothing through C: errors are kept in the transfer.
std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.last_byte = std::chrono::steady_clock::now();
  try {
    // By the first byte of the body all headers are in, those of the last redirect's answer.
    if (!transfer.head) transfer.head = read_head(transfer.curl);
    // The text of an error page isn't read; the status is enough.
    if (transfer.head->status != 200 && transfer.head->status != 206) return CURL_WRITEFUNC_ERROR;
    transfer.body(*transfer.head, as_byte_view(std::string_view(bytes, count)));
    return count;
  } catch (...) {
    transfer.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

// Called once a second at least. CURLOPT_LOW_SPEED_TIME would look at the mean of the last five seconds, not at bytes.
int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.stalled = std::chrono::steady_clock::now() - transfer.last_byte > transfer.patience;
  return transfer.stalled || transfer.context.stop.stop_requested() ? 1 : 0;
}

// What libcurl's code means for whoever may try again.
HttpEnd end_of(CURLcode code, CURL* curl) {
  curl_off_t connected = 0;
  // For https a connection counts once TLS is set up: a proxy that accepts and then stays
  // silent has reached nobody.
  curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T, &connected);
  if (connected == 0) curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected);
  switch (code) {
    case CURLE_OK:
      return HttpEnd::complete;
    case CURLE_ABORTED_BY_CALLBACK:
      return connected > 0 ? HttpEnd::stalled : HttpEnd::unreachable;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return HttpEnd::cut;
    default:
      return HttpEnd::unreachable;
  }
}

using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

// The options that a request decides; curl copies texts, but not the list of headers, which is returned.
Headers set_request(CURL* curl, const HttpRequest& request) {
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.patience));
  // CURLOPT_RESUME_FROM would make an error of a 200, which is a server's right to answer.
  if (request.from > 0) set(CURLOPT_RANGE, fmt::format("{}-", request.from).c_str());
  Headers headers(nullptr, curl_slist_free_all);
  if (request.from > 0 && !request.if_range.empty())
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + request.if_range).c_str()));
  set(CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

// Where other systems than Debian keep whom they trust; null where libcurl's own place has it. A program that is
// carried to them (cmake/bundle) would trust nobody.
const char* trusted_by_this_system() {
  std::error_code error;
  if (std::filesystem::exists("/etc/ssl/certs/ca-certificates.crt", error)) return nullptr;
  for (const char* file : {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (std::filesystem::exists(file, error)) return file;
  return nullptr;
}

// What doesn't depend on the request: who we are, which protocols, how far redirects may lead.
void set_conduct(CURL* curl, bool https) {
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl, option, value); };
  set(CURLOPT_USERAGENT, fmt::format("vise-eval/{}", kVersion).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  // A redirect must not lead from https to plain http, where anybody on the way could change the file.
  set(CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kMostRedirects);
  // libcurl otherwise ends slow name lookups with SIGALRM, which isn't safe in a program with threads.
  set(CURLOPT_NOSIGNAL, 1L);
  if (const char* const file = trusted_by_this_system()) set(CURLOPT_CAINFO, file);
}

}  // namespace

HttpAnswer http_get(const HttpRequest& request, const HttpBody& body, const Context& context) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) throw Error(ErrorKind::system, "libcurl can't be started");
  Transfer transfer{curl.get(), body, context, std::chrono::seconds(request.patience)};
  std::array<char, CURL_ERROR_SIZE> words{};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set_conduct(curl.get(), request.url.starts_with("https:"));
  const Headers headers = set_request(curl.get(), request);
  set(CURLOPT_WRITEFUNCTION, &on_bytes);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  set(CURLOPT_ERRORBUFFER, words.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  context.throw_if_stopped();
  HttpAnswer answer{HttpEnd::complete, "", transfer.head.value_or(read_head(curl.get()))};
  if (code == CURLE_WRITE_ERROR) return answer;  // a body that nobody wants
  answer.end = end_of(code, curl.get());
  if (code != CURLE_OK) answer.words = words[0] != '\0' ? words.data() : curl_easy_strerror(code);
  if (transfer.stalled) answer.words = fmt::format("nothing came for {} s", request.patience);
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    answer.words += "; if a proxy of your network signs for others, add its certificate (update-ca-certificates)";
  return answer;
}

}  // namespace vise::features
