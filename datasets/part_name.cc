// How people write "train", "val" and "test": as folders, and in columns.
#include <array>
#include <cctype>
#include <map>

#include "base/text.h"
#include "datasets/split.h"

namespace vise::datasets {
namespace {

constexpr std::array<std::pair<std::string_view, Part>, 14> kWords{{{"train", Part::train},
                                                                    {"training", Part::train},
                                                                    {"trn", Part::train},
                                                                    {"val", Part::val},
                                                                    {"valid", Part::val},
                                                                    {"validation", Part::val},
                                                                    {"dev", Part::val},
                                                                    {"test", Part::test},
                                                                    {"testing", Part::test},
                                                                    {"tst", Part::test},
                                                                    {"unused", Part::unused},
                                                                    {"unlabeled", Part::unused},
                                                                    {"unlabelled", Part::unused},
                                                                    {"unsupervised", Part::unused}}};

// Words beside such a word that say nothing: "training_set", "test images", "seg_train".
constexpr std::array<std::string_view, 24> kFillers{"set",     "sets",  "data",    "dataset",  "image", "images",
                                                    "img",     "imgs",  "picture", "pictures", "photo", "photos",
                                                    "samples", "split", "subset",  "folder",   "seg",   "cropped",
                                                    "crop",    "faces", "resized", "raw",      "files", "the"};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& list, std::string_view word) {
  for (const std::string_view known : list)
    if (known == word) return true;
  return false;
}

// Runs of letters, divided where a capital follows a small letter; digits and everything else only divide.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  char before = ' ';
  for (const char c : name) {
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0;
    const bool begins =
        !std::isalpha(static_cast<unsigned char>(before)) ||
        (std::islower(static_cast<unsigned char>(before)) && std::isupper(static_cast<unsigned char>(c)));
    if (letter && begins) words.emplace_back();
    if (letter) words.back() += c;
    before = c;
  }
  for (std::string& word : words) word = lower(word);
  return words;
}

// Of one word: "trainset" is "train" with a filler behind it.
// Only a filler may follow: "testament" and "trainer" are no parts.
std::optional<Part> part_of_word(std::string_view word) {
  for (const auto& [known, part] : kWords)
    if (word == known || (word.starts_with(known) && has(kFillers, word.substr(known.size())))) return part;
  return std::nullopt;
}

}  // namespace

std::optional<Part> part_named(std::string_view name) {
  std::optional<Part> found;
  bool is_public = false;
  for (const std::string& word : words_of(name)) {
    if (has(kFillers, word)) continue;
    if (word == "public" || word == "private") {
      is_public = word == "public";
      continue;
    }
    const auto part = part_of_word(word);
    if (!part || found) return std::nullopt;  // another word, or two parts in one name
    found = part;
  }
  // A competition's public test is what its entrants chose by; the private one judged them (FER2013).
  return is_public && found == Part::test ? Part::val : found;
}

}  // namespace vise::datasets
