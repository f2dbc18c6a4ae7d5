// A real HTTP server on 127.0.0.1 for tests of downloads, which answers as well or as badly as the test asks.
//
//   HttpServer server([&](const HttpRequestSeen& request, HttpReply& reply) { reply.file(request, bytes, "\"v1\""); });
//   fetch(server.url() + "/any/path");  server.requests();
//
// A thread a connection, one request a connection. The handler is called from those threads.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace vise::test {

struct HttpRequestSeen {
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  // N of "Range: bytes=N-"; 0 without one.
  std::size_t from() const { return header("range").empty() ? 0 : std::stoul(header("range").substr(6)); }
};

// The server's side of a connection, closed after the handler.
class HttpReply {
 public:
  HttpReply(int socket, const std::atomic<bool>& ending) : socket_(socket), ending_(ending) {}

  // Unchanged; false if the other side has gone.
  bool raw(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void answer(std::string_view status, std::string_view body, std::string_view headers = "") const {
    head(status, body.size(), headers);
    raw(body);
  }

  void head(std::string_view status, std::size_t length, std::string_view headers = "") const {
    raw(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n", status, length, headers));
  }

  // As a well-behaved server: the rest if it is asked for and If-Range still holds. `most`: the body is cut there.
  void file(const HttpRequestSeen& request, std::string_view bytes, const std::string& etag,
            std::size_t most = std::string::npos) const {
    const std::string tag = etag.empty() ? "" : fmt::format("ETag: {}\r\n", etag), range = request.header("if-range");
    const std::size_t from = range.empty() || range == etag ? request.from() : 0;
    if (from == 0) {
      head("200 OK", bytes.size(), tag);
      raw(bytes.substr(0, most));
    } else if (from >= bytes.size()) {
      head("416 Range Not Satisfiable", 0, fmt::format("Content-Range: bytes */{}\r\n", bytes.size()));
    } else {
      head("206 Partial Content", bytes.size() - from,
           fmt::format("{}Content-Range: bytes {}-{}/{}\r\n", tag, from, bytes.size() - 1, bytes.size()));
      raw(bytes.substr(from, most));
    }
  }

  // Sends nothing until the other side has gone.
  void stall() const {
    char byte = 0;
    pollfd wait{socket_, POLLIN, 0};
    while (!ending_)
      if (::poll(&wait, 1, 20) > 0 && ::recv(socket_, &byte, 1, 0) <= 0) return;
  }

 private:
  int socket_;
  const std::atomic<bool>& ending_;
};

class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequestSeen&, HttpReply&)>;

  explicit HttpServer(Handler handler)
      : handler_(std::move(handler)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listening_.get(), 16) != 0 ||
        ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw_errno("cannot listen on", "127.0.0.1");
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }

  ~HttpServer() {
    ending_ = true;
    ::shutdown(listening_.get(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& thread : connections_) thread.join();
  }

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  std::vector<HttpRequestSeen> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    while (!ending_) {
      const int socket = ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (socket >= 0) connections_.emplace_back([this, socket] { serve(FileDescriptor(socket)); });
    }
  }

  void serve(const FileDescriptor socket) {
    std::string text;
    char bytes[4096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(socket.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return;
      text.append(bytes, static_cast<std::size_t>(got));
      if (text.starts_with('\x16')) return HttpReply(socket.get(), ending_).answer("400 Bad Request", "no TLS here");
    }
    HttpRequestSeen request;
    const std::vector<std::string> lines = split(text.substr(0, text.find("\r\n\r\n")), '\n');
    request.path = split(lines[0], ' ').at(1);
    for (std::size_t i = 1; i < lines.size(); ++i)
      if (const auto colon = lines[i].find(':'); colon != std::string::npos)
        request.headers[lower(lines[i].substr(0, colon))] = std::string(trim(lines[i].substr(colon + 1)));
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    HttpReply reply(socket.get(), ending_);
    handler_(request, reply);
    ::shutdown(socket.get(), SHUT_WR);
  }

  Handler handler_;
  FileDescriptor listening_;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread accepting_;
  std::vector<std::thread> connections_;
  mutable std::mutex mutex_;
  std::vector<HttpRequestSeen> requests_;
};

}  // namespace vise::test
