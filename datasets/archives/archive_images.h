// The images of several archives as one set of ids.
//
//   ArchiveImages images({{index_of_train, "train/"}, {index_of_test, "test/"}}, "data");
//   images.ids();                       // "test/0001.png", ...
//
// An id is the archive's prefix and the member's name. Images are also found by the name of their archive
// ("data/train.tar/0001.png" is asked for as "train.tar/0001.png") and, where only one archive has it, by their name
// inside: so do tables name them. At most 64 archives are open at a time.
#pragma once

#include <compare>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/archives/archive.h"
#include "datasets/image_container.h"

namespace vise::datasets {

// Where the archive's images are placed among the others': `prefix` ("" or "train/") replaces `inside`, with which all
// its names begin ("" or "photos/").
struct PlacedArchive {
  ArchiveIndex index;
  std::string prefix, inside;

  std::string id_of(std::string_view name) const { return prefix + std::string(name.substr(inside.size())); }
};

class ArchiveImages final : public ImageContainer {
 public:
  // `name` is for messages. Error{input} where two images have one id.
  ArchiveImages(std::vector<PlacedArchive> archives, std::string name);
  ~ArchiveImages() override;

  bool has(const std::string& id) const override { return find(id).has_value(); }
  std::vector<std::byte> read(const std::string& id) const override;
  FileIdentity identity(const std::string& id) const override;
  std::uint64_t place(const std::string& id) const override;
  bool has_random_access() const override;

  // Sorted bytewise.
  std::vector<std::string> ids() const;

 private:
  struct Item {
    std::uint32_t archive, member;
  };
  // An id in its two pieces, put together nowhere but for callers: a million of them would take 100 MB.
  struct Name {
    std::string_view prefix, rest;
    std::string str() const { return std::string(prefix) + std::string(rest); }
    std::strong_ordering operator<=>(const Name& other) const;
  };
  Name name_of(const Item& item) const;
  std::optional<Item> find(const std::string& id) const;
  std::optional<Item> find_by_archive(std::string_view id) const;
  std::optional<Item> find_inside(std::string_view id) const;
  Item found(const std::string& id) const;
  const ArchiveMember& member(const Item& item) const { return archives_[item.archive].index.images[item.member]; }
  void keep_open(std::uint32_t archive) const;

  std::vector<PlacedArchive> archives_;
  std::string name_;
  std::vector<Item> items_;  // by id
  std::vector<std::unique_ptr<ArchiveReader>> readers_;
  mutable std::mutex open_mutex_;
  mutable std::deque<std::uint32_t> open_;  // the archives that were opened last
};

}  // namespace vise::datasets
