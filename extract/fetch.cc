#include "extract/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "extract/architecture/inspect.h"

namespace vise {
namespace {

struct Transfer {
  Log& log;
  int fd;
  std::string what;
  std::uint64_t already;
  const Path& path;
};

std::size_t on_bytes(char* bytes, std::size_t, std::size_t count, void* user) {
  const auto& transfer = *static_cast<const Transfer*>(user);
  try {
    write_fully(transfer.fd, as_byte_view(std::string_view(bytes, count)), -1, transfer.path);
    return count;
  } catch (const Error&) {
    return 0;  // curl then ends the transfer with CURLE_WRITE_ERROR; C frames must not be unwound
  }
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<const Transfer*>(user);
  transfer.log.progress(transfer.what, transfer.already + static_cast<std::uint64_t>(now),
                        total > 0 ? transfer.already + static_cast<std::uint64_t>(total) : 0);
  return 0;
}

// Downloads the rest of a file; curl's own words on failure.
void download(const std::string& url, const Path& partial, const std::string& what, Log& log) {
  const FileDescriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) throw_errno("cannot write", partial);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    throw Error(ErrorKind::system, fmt::format("another process is fetching {}", partial.string()),
                "wait for it, then run again");
  const off_t have = ::lseek(file.get(), 0, SEEK_END);
  Transfer transfer{log, file.get(), what, static_cast<std::uint64_t>(have), partial};
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  std::array<char, CURL_ERROR_SIZE> words{};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, 20L);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, 60L);
  set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(have));
  set(CURLOPT_WRITEFUNCTION, &on_bytes);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  set(CURLOPT_ERRORBUFFER, words.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK)
    throw Error(ErrorKind::missing, fmt::format("{}: {}", url, words[0] ? words.data() : curl_easy_strerror(code)));
}

}  // namespace

std::string mirrored_url(const std::string& url, const std::string& mirror) {
  if (mirror.empty()) return url;
  const auto host = url.find("://");
  const auto path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
  const std::string base = mirror.ends_with('/') ? mirror.substr(0, mirror.size() - 1) : mirror;
  return path == std::string::npos ? url : base + url.substr(path);
}

Path fetch_weights(const Backbone& backbone, const WeightsSearch& search, Log& log) {
  const Path target = search.folders.back() / backbone.files.front();
  const Path partial(target.string() + ".part");
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  const std::string url = mirrored_url(backbone.url, search.mirror);
  log.info(fmt::format("fetching {} from {} (licence: {}) into {}", backbone.name, url, backbone.licence,
                       target.parent_path().string()));
  download(url, partial, "fetching " + backbone.name, log);
  const std::string have = sha256_hex(MappedFile(partial).bytes());
  const NameHash promised = hash_in_name(target, have);
  const std::string& wanted = backbone.sha256.empty() ? promised.digits : backbone.sha256;
  if (!have.starts_with(wanted)) {
    std::filesystem::remove(partial, error);
    throw Error(ErrorKind::input,
                fmt::format("{}: what came has SHA-256 {}..., not {}...", url, have.substr(0, 8), wanted.substr(0, 8)));
  }
  if (::rename(partial.c_str(), target.c_str()) != 0) throw_errno("cannot write", target);
  log.info(fmt::format("{}: {}", target.string(), bytes_text(std::filesystem::file_size(target, error))));
  return target;
}

}  // namespace vise
