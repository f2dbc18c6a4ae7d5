// The registry's rows of published models, which are data: backbones/*.yaml, embedded when the program is built.
//
// A file has `defaults` (fields of all its rows) and `backbones`, a list of rows:
//
//   name, title    the command line's name; what it is for people
//   architecture   what the file has to hold; left out: as its tensors say
//   files          names people have it under, the preferred first; models--ORG--NAME is a folder of the hub's cache
//   urls           where the first of them are fetched from
//   sha256, md5    of the published file: whole or first digits, as its publisher states them
//   transform      of the pixels (transform.h)
//   layer, pool    what its authors probe, and `probed`: where they state it
//   facts          what its tensors don't say: act, eps, final-eps, positions, heads (networks/facts.h)
//   branch, drop   which of a file's networks; keys to leave out
//   licence, citation
//   notes          assumptions that a table's foot must say
//   unverified     what in the row nobody could check from its source
#pragma once

#include <map>
#include <string>
#include <vector>

#include "extract/features/backbone.h"

namespace vise::features {

// The files' texts by name, without ".yaml".
const std::map<std::string, std::string>& builtin_backbone_files();

// In the order of the files' names and of their lists. Error{input} for a row that can't be one, with its line.
std::vector<Backbone> published_backbones();
std::vector<Backbone> read_backbone_rows(std::string_view yaml, const std::string& name_for_messages);

}  // namespace vise::features
