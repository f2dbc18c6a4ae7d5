#include "extract/features/fetch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "extract/features/download.h"
#include "extract/networks/inspect.h"

namespace vise::features {
namespace {

constexpr std::size_t kShownDigits = 16;

// A hash that the publisher states, whole or its first digits; no digits: none is stated.
struct StatedHash {
  std::string kind, digits;
};

// The strongest hash that the row states, or the digits in the file's name.
StatedHash stated_hash(const Backbone& backbone, const Path& target) {
  // In order of strength. MD5 finds damage, which is what it is used for here; it is all
  // that some publishers state.
  if (!backbone.sha256.empty()) return {"SHA-256", backbone.sha256};
  if (!backbone.md5.empty()) return {"MD5", backbone.md5};
  // Digits that look like a date count only if they agree with the hash: nothing agrees with none.
  return {"SHA-256", networks::hash_in_name(target, "").digits};
}

// Empty where the file has the stated hash.
std::string hash_fault(const Path& file, const StatedHash& stated) {
  const MappedFile map(file);
  const std::string have = stated.kind == "MD5" ? md5_hex(map.bytes()) : sha256_hex(map.bytes());
  if (have.starts_with(stated.digits)) return "";
  return fmt::format("what came is not the published file: its {} begins {}, not {}", stated.kind,
                     have.substr(0, kShownDigits), stated.digits.substr(0, kShownDigits));
}

// Why the file can't be the backbone's weights; empty if it can.
std::string fault(const Backbone& backbone, const Path& file, const StatedHash& stated) {
  if (!stated.digits.empty()) return hash_fault(file, stated);
  try {
    // Without a published hash the file must at least load as the architecture that it is said to be.
    networks::load_network(file, {load_request(backbone), {}, {}, false});
    return "";
  } catch (const Error& e) {
    std::string reason = e.message();
    if (const std::string start = file.string() + ": "; reason.starts_with(start)) reason.erase(0, start.size());
    return fmt::format("what came is not the weights of a {}: {}", backbone.architecture, reason);
  }
}

class Fetch {
 public:
  Fetch(const Backbone& backbone, const WeightsSearch& search, const Context& context)
      : backbone_(backbone), search_(search), context_(context) {}

  // Error{missing} with the cause.
  Path from(const std::string& url, const std::string& name) const;

 private:
  // Whether the file is made of several pieces.
  bool download_into(PartialFile& part, const std::string& url, const StatedHash& stated) const;
  void tell_start(const std::string& url, std::uint64_t total, std::uint64_t already) const;
  void tell_end(const Path& target, const StatedHash& stated) const;

  const Backbone& backbone_;
  const WeightsSearch& search_;
  const Context& context_;
};

Path Fetch::from(const std::string& url, const std::string& name) const {
  const Path target = search_.into / name;
  const StatedHash stated = stated_hash(backbone_, target);
  PartialFile part(target, context_);
  if (part.target_is_there()) return target;  // another process has been faster
  // A file made of two answers may mix two versions of it where the server named neither; fetched
  // whole once more, it is either right or the publisher's fault.
  bool spliced = download_into(part, url, stated);
  std::string why = fault(backbone_, part.path(), stated);
  if (!why.empty() && spliced) {
    context_.log.warn(fmt::format("{}: the parts of it do not make the file; fetching it whole", target.string()));
    part.restart({});
    download_into(part, url, stated);
    why = fault(backbone_, part.path(), stated);
  }
  if (!why.empty()) {
    // Removed, not kept as a part: the next run would otherwise resume from bytes that are known to be wrong.
    part.discard();
    throw Error(ErrorKind::missing, why);
  }
  part.commit();
  tell_end(target, stated);
  return target;
}

// `verifiable` lets a part be gone on with although the server names no version: the hash will tell.
bool Fetch::download_into(PartialFile& part, const std::string& url, const StatedHash& stated) const {
  const auto announce = [&](std::uint64_t total, std::uint64_t already) { tell_start(url, total, already); };
  return download({url, backbone_.name, !stated.digits.empty(), search_.patience, announce}, part, context_).spliced;
}

void Fetch::tell_start(const std::string& url, std::uint64_t total, std::uint64_t already) const {
  const std::string size = total > 0 ? bytes_text(total) : "size not said";
  const std::string rest = already > 0 ? fmt::format(", going on after {}", bytes_text(already)) : "";
  context_.log.info(fmt::format("fetching {} from {} ({}{}; licence: {}) into {}", backbone_.name, url, size, rest,
                                backbone_.licence, search_.into.string()));
}

// The last line of a fetch: what was checked, or which hash to note where nobody states one.
void Fetch::tell_end(const Path& target, const StatedHash& stated) const {
  context_.log.info(stated.digits.empty()
                        ? fmt::format("{}: loads as {}; its publisher states no hash, so note this one: SHA-256 {}",
                                      target.string(), backbone_.architecture, sha256_hex(MappedFile(target).bytes()))
                        : fmt::format("{}: {} {} as published", target.string(), stated.kind, stated.digits));
}

// Checked before the first request, so that a typing error isn't reported as a network that fails.
void check_mirror(const std::string& mirror) {
  if (mirror.empty() || mirror.starts_with("http://") || mirror.starts_with("https://")) return;
  throw Error(ErrorKind::usage, fmt::format("VISE_MIRROR: '{}' is no http:// or https:// address", mirror));
}

}  // namespace

std::string mirrored_url(const std::string& url, const std::string& mirror) {
  if (mirror.empty()) return url;
  const auto host = url.find("://");
  const auto path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
  const std::string base = mirror.ends_with('/') ? mirror.substr(0, mirror.size() - 1) : mirror;
  // A mirror keeps the publisher's path and replaces the scheme and host alone.
  return path == std::string::npos ? url : base + url.substr(path);
}

Path fetch_weights(const Backbone& backbone, const WeightsSearch& search, const Context& context) {
  check_mirror(search.mirror);
  std::string causes;
  for (std::size_t i = 0; i < backbone.urls.size(); ++i) {
    const std::string url = mirrored_url(backbone.urls[i], search.mirror);
    try {
      return Fetch(backbone, search, context).from(url, backbone.files[i]);
    } catch (const Error& e) {
      // A full disk or a stop isn't this link's fault: the next link would fail in the same way.
      if (e.kind() != ErrorKind::missing) throw;
      causes += fmt::format("\n  {}: {}", url, e.message());
    }
  }
  throw Error(ErrorKind::missing, causes);
}

}  // namespace vise::features
