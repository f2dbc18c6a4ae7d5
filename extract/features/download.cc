#include "extract/features/download.h"

#include <fmt/format.h>

#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "extract/features/http.h"
#include "extract/networks/checkpoint/foreign.h"

namespace vise::features {
namespace {

constexpr int kTries = 4;                             // in a row, without kGain more bytes than ever before
constexpr std::uint64_t kGain = 1'000'000;            // bytes
constexpr std::uint64_t kMostBytes = 10'000'000'000;  // no published weights are as large
constexpr std::size_t kStart = 512;                   // bytes that tell what kind of file comes

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorKind::missing, why); }

// Thrown out of the body's callback: what comes doesn't continue the part, so the next
// try asks for the whole file.
// How the way goes: run() tries until the file is whole; a try asks for the rest where safe_to_keep() says so;
// receive() takes the answer's pieces; judge() says what the end of the answer means.

struct StartOver {
  std::string why;
};

// How a try ended; `why` is empty if the file is whole.
struct Try {
  std::string why{};
  int retry_after = 0;  // seconds that the server asks for
};

// The statuses that people meet, with what they mean for a download.
std::string status_text(int status) {
  switch (status) {
    case 401:
    case 403:
      return fmt::format("the server answers {} (it does not give the file to us)", status);
    case 404:
    case 410:
      return fmt::format("the server answers {} (it does not have the file)", status);
    case 429:
    case 503:
      return fmt::format("the server answers {} (it is busy)", status);
    default:
      return fmt::format("the server answers {}", status);
  }
}

// Server errors, and the three client errors that are about time: timeout, too early, too many requests.
bool may_pass(int status) { return status >= 500 || status == 408 || status == 425 || status == 429; }

// The state of one download over its tries; PartialFile has what outlives the process.
class Download {
 public:
  Download(const DownloadRequest& request, PartialFile& part, const Context& context)
      : request_(request), part_(part), context_(context), spliced_(part.size() > 0) {}

  DownloadResult run();

 private:
  Try try_once();
  Try try_request();
  Try judge(const HttpAnswer& answer);
  Try judge_end(const HttpHead& head);
  std::uint64_t safe_to_keep() const;
  void receive(const HttpHead& head, ByteView piece);
  void begin(const HttpHead& head);
  void accept_start(const HttpHead& head);
  void write(ByteView bytes);
  void announce(std::uint64_t total);
  void pause(const Try& last, int tries) const;

  const DownloadRequest& request_;
  PartialFile& part_;
  const Context& context_;
  bool spliced_, told_ = false, whole_file_only_ = false;
  // Of the answer under way.
  bool begun_ = false, undecided_ = false;
  std::string start_;  // of a whole file's bytes, until there are enough to know it by
};

// What the server can be asked to compare by; a weak ETag is none (RFC 9110, section 13.1.5).
std::string validator(const DownloadOrigin& origin) {
  return origin.etag.empty() || origin.etag.starts_with("W/") ? origin.last_modified : origin.etag;
}

// Whether an answer with a rest is of the file that the part began; what one side doesn't say can't disagree.
bool same_file(const DownloadOrigin& origin, const HttpHead& head) {
  const auto agree = [](const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; };
  return agree(origin.etag, head.etag) && agree(origin.last_modified, head.last_modified) &&
         (origin.bytes == 0 || !head.total || origin.bytes == *head.total);
}

DownloadResult Download::run() {
  std::uint64_t furthest = part_.size();
  // Tries are counted without progress: a line that is cut every few minutes still brings a file of
  // gigabytes in the end, and a server that starts over each time does not keep us forever.
  for (int tries = 1;; ++tries) {
    const Try last = try_once();
    if (last.why.empty()) return {spliced_};
    if (part_.size() >= furthest + kGain) {
      furthest = part_.size();
      tries = 1;
    }
    if (tries == kTries) refuse(fmt::format("{} ({} tries)", last.why, kTries));
    pause(last, tries);
  }
}

// A part that doesn't fit is no failure of the server: it costs a try, and the next one has none.
Try Download::try_once() {
  try {
    return try_request();
  } catch (const StartOver& reason) {
    // The next try carries no Range.
    whole_file_only_ = true;
    return {reason.why};
  }
}

// Bytes of the part to ask the rest of; 0: begin anew.
std::uint64_t Download::safe_to_keep() const {
  const DownloadOrigin& origin = part_.origin();
  // Without a validator the server can't say whether its file is still the same; a rest is then
  // asked for only if a hash will show whether the pieces fit.
  const bool comparable = !validator(origin).empty() || request_.verifiable;
  return !whole_file_only_ && origin.url == request_.url && comparable ? part_.size() : 0;
}

// One request and what came of it. `begun_` and `undecided_` are of this answer alone.
Try Download::try_request() {
  begun_ = undecided_ = false;
  const std::uint64_t from = safe_to_keep();
  const HttpRequest request{request_.url, from, from > 0 ? validator(part_.origin()) : "", request_.patience};
  return judge(http_get(
      request, [&](const HttpHead& head, ByteView piece) { receive(head, piece); }, context_));
}

void Download::receive(const HttpHead& head, ByteView piece) {
  if (!begun_) begin(head);
  // The first bytes of a whole file are held back until they show what it is: a login page or an
  // error text with status 200 must not replace a good part.
  if (!undecided_) return write(piece);
  start_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  if (start_.size() >= kStart) accept_start(head);
}

void Download::begin(const HttpHead& head) {
  begun_ = true;
  if (head.total.value_or(0) > kMostBytes)
    refuse(fmt::format("the server offers {}, more than any weights have", bytes_text(*head.total)));
  // A server may answer a Range with 200 and the whole file (RFC 9110, section 14.2); with
  // If-Range it does so when the file has changed.
  if (head.status == 200) {
    undecided_ = true;
    start_.clear();
    return;
  }
  if (safe_to_keep() == 0 || head.first != part_.size())
    throw StartOver{"the server sends another part than was asked for"};
  if (!same_file(part_.origin(), head))
    throw StartOver{"the server's file has changed since the part of it was fetched"};
  spliced_ = true;
  announce(head.total.value_or(0));
}

// A whole file comes, and it looks like one: the part, if there was one, gives way.
void Download::accept_start(const HttpHead& head) {
  undecided_ = false;
  try {
    networks::refuse_foreign(as_byte_view(start_));
  } catch (const Error& e) {
    refuse(fmt::format("what the server sent {}", e.message()));
  }
  part_.restart({request_.url, head.etag, head.last_modified, head.total.value_or(0)});
  spliced_ = whole_file_only_ = false;
  announce(head.total.value_or(0));
  write(as_byte_view(start_));
}

void Download::write(ByteView bytes) {
  if (part_.size() + bytes.size() > kMostBytes) refuse("the server sends without end");
  part_.append(bytes);
  context_.log.progress(fmt::format("fetching {} (kB)", request_.name), part_.size() / 1000,
                        part_.origin().bytes / 1000);
}

void Download::announce(std::uint64_t total) {
  if (!told_ && request_.announce) request_.announce(total, part_.size());
  told_ = true;
}

// Three outcomes: the file is whole (an empty Try), another try may help (its reason), or none will (an error).
Try Download::judge(const HttpAnswer& answer) {
  const HttpHead& head = answer.head;
  const std::string after = part_.size() > 0 ? fmt::format(" after {}", bytes_text(part_.size())) : "";
  switch (answer.end) {
    case HttpEnd::unreachable:
      refuse(answer.words);
    case HttpEnd::cut:
      return {fmt::format("the connection was cut{} ({})", after, answer.words)};
    case HttpEnd::stalled:
      return {fmt::format("nothing came for {} s{}", request_.patience, after)};
    case HttpEnd::complete:
      break;
  }
  if (head.status == 200 || head.status == 206) return judge_end(head);
  if (head.status == 416) {  // nothing is left to send: the part is whole, or of another file
    if (part_.size() > 0 && head.total == part_.size()) return {};
    throw StartOver{"the server's file has changed since the part of it was fetched"};
  }
  if (!may_pass(head.status)) refuse(status_text(head.status));
  if (head.retry_after > request_.patience)
    refuse(fmt::format("{}, and asks to come back in {}", status_text(head.status), duration_text(head.retry_after)));
  return {status_text(head.status), head.retry_after};
}

// An answer that ended as it promised; whether the file is whole depends on what was there before.
Try Download::judge_end(const HttpHead& head) {
  if (!begun_) begin(head);
  if (undecided_) accept_start(head);
  // A file shorter than kStart has been held back whole until now.
  if (head.total && *head.total != part_.size())
    return {fmt::format("the server ended after {} of {}", bytes_text(part_.size()), bytes_text(*head.total))};
  return {};
}

void Download::pause(const Try& last, int tries) const {
  using std::chrono::milliseconds;
  // 1, 2 and 4 s at the usual patience of 30 s; tests set a smaller patience and so wait for less.
  const milliseconds own(request_.patience * 1000 / 30 * (1 << (tries - 1))), asked(last.retry_after * 1000);
  milliseconds left = std::max(own, asked);
  context_.log.info(fmt::format("{}: {}; trying again in {}", request_.url, last.why,
                                duration_text(static_cast<double>(left.count()) / 1000)));
  // Slept in steps, so that Ctrl-C ends the wait.
  for (constexpr milliseconds step(50); left > milliseconds(0); left -= step) {
    context_.throw_if_stopped();
    std::this_thread::sleep_for(std::min(left, step));
  }
}

}  // namespace

DownloadResult download(const DownloadRequest& request, PartialFile& part, const Context& context) {
  return Download(request, part, context).run();
}

}  // namespace vise::features
