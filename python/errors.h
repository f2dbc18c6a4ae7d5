// Every vise::Error is a Python exception of its kind: vise_eval.UsageError, MissingError, InputError,
// VerificationError, Interrupted, SystemFailure, all of vise_eval.Error (vise_eval/errors.py), with `message` and
// `hint`.
#pragma once

namespace vise::python {

// For this module. Call it once, while the module is made.
void translate_errors();

}  // namespace vise::python
