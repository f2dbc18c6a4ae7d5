// The one exception of the program. A bug is an assertion, never an Error.
//
//   throw Error(ErrorKind::input, fmt::format("{}: row {}: label 'hapy' is not a class", path, row),
//               "did you mean 'happy'?");
//
// `message` says what is wrong, with the file, row or option; `hint` says what to do about it (it may be empty).
// Only cli/ prints an Error and turns its kind into an exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace vise {

enum class ErrorKind {
  usage,         // a wrong option, name or combination; exit code 2
  missing,       // data or weights that are not there; exit code 3
  input,         // a file that is there and bad; exit code 4
  verification,  // parity or a recomputation failed; exit code 5
  interrupted,   // the user asked to stop; exit code 130
  system         // disk full, no permission, a failing library; exit code 4
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind error_kind, const std::string& message, std::string error_hint = {})
      : std::runtime_error(message), kind_(error_kind), hint_(std::move(error_hint)) {}

  ErrorKind kind() const noexcept { return kind_; }
  std::string message() const { return what(); }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

}  // namespace vise
