// The images of Parquet files: the bytes of one column, by file and row.
//
//   ParquetImages images(root, files);
//   images.read("train-00000-of-00005.parquet/17");        // row 17 of that file, from 0
//
// One file is open at a time and one page of it in memory, which rows that are asked for in order share; another row
// costs its page. A null is an image of no bytes, which is refused or left out as any other that can't be decoded. What
// tells an image from others is the file's identity, its column and its row, so that images which a path cache knows
// cost no page. Safe from many threads, which take turns.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "datasets/image_container.h"
#include "datasets/parquet/parquet.h"

namespace vise::datasets {

class ParquetImages final : public ImageContainer {
 public:
  struct Shard {
    std::string id;      // relative to the root, with '/'
    std::string column;  // that holds the bytes: "image:bytes"
    std::uint64_t rows = 0;
    FileIdentity identity;  // taken before the file was read
  };
  ParquetImages(Path root, std::vector<Shard> shards);

  bool has(const std::string& id) const override;
  std::vector<std::byte> read(const std::string& id) const override;
  FileIdentity identity(const std::string& id) const override;
  std::uint64_t place(const std::string& id) const override;

 private:
  struct Place {
    std::size_t shard;
    std::uint64_t row;
  };
  // What is open now.
  struct Reading {
    std::size_t shard;
    parquet::File file;
    std::size_t column;
    std::vector<std::uint64_t> first_rows;  // of each group, and behind the last
    std::size_t group = SIZE_MAX;
    std::optional<parquet::Cursor> cursor;
  };

  std::optional<Place> find(const std::string& id) const;
  Place at(const std::string& id) const;
  void open(std::size_t shard) const;
  parquet::Cursor& cursor_at(const Place& place) const;

  Path root_;
  std::vector<Shard> shards_;
  std::unordered_map<std::string, std::size_t> by_id_;
  mutable std::mutex mutex_;
  mutable std::optional<Reading> reading_;
};

}  // namespace vise::datasets
