#include "datasets/tree.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

class TreeWalk {
 public:
  TreeWalk(const Path& root, ImageTree& tree) : root_(root.string()), tree_(tree) {}

  // `folder` is relative to the root: "" or "images/joy". False where it is a link back to a folder above.
  bool visit(const std::string& folder) {
    const std::string path = folder.empty() ? root_ : root_ + '/' + folder;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) throw_errno("cannot list", path);
    // Symbolic links are followed; one to a folder that is being visited would never end.
    const std::pair identity(info.st_dev, info.st_ino);
    if (std::find(open_.begin(), open_.end(), identity) != open_.end()) return false;
    open_.push_back(identity);
    list(folder, path);
    open_.pop_back();
    return true;
  }

 private:
  struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };

  void list(const std::string& folder, const std::string& path) {
    const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));
    if (!dir) throw_errno("cannot list", path);
    std::vector<std::string> folders;
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (is_junk_name(name)) continue;
      std::string id = folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
      if (is_folder(*entry, id)) {
        folders.push_back(std::move(id));
      } else {
        (has_image_extension(name) ? tree_.images : tree_.others).push_back(std::move(id));
      }
    }
    for (std::string& inner : folders) {
      const std::size_t images = tree_.images.size(), bare = tree_.bare.size();
      if (!visit(inner) || tree_.images.size() > images) continue;
      tree_.bare.resize(bare);  // it stands for those in it
      tree_.bare.push_back(std::move(inner));
    }
  }

  bool is_folder(const dirent& entry, const std::string& id) const {
    // readdir() tells the type on most file systems, which saves a stat for each of a million images.
    if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat info {};
    return ::stat((root_ + '/' + id).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }

  std::string root_;
  ImageTree& tree_;
  std::vector<std::pair<dev_t, ino_t>> open_;
};

}  // namespace

bool has_image_extension(std::string_view name) {
  constexpr std::array<std::string_view, 14> known{"jpg", "jpeg", "jpe",  "jfif", "png", "webp", "gif",
                                                   "bmp", "tif",  "tiff", "pnm",  "ppm", "pgm",  "pbm"};
  const auto dot = name.rfind('.');
  return dot != std::string_view::npos &&
         std::find(known.begin(), known.end(), lower(name.substr(dot + 1))) != known.end();
}

// Hidden files, and what file managers and archivers leave behind.
bool is_junk_name(std::string_view name) {
  return name.starts_with('.') || name == "__MACOSX" || name == "Thumbs.db" || name == "desktop.ini";
}

ImageTree list_images(const Path& root, const std::string& below) {
  ImageTree tree;
  TreeWalk(root, tree).visit(below);
  // Bytewise, so that the order is that of every machine and file system.
  std::sort(tree.images.begin(), tree.images.end());
  std::sort(tree.others.begin(), tree.others.end());
  std::sort(tree.bare.begin(), tree.bare.end());
  return tree;
}

std::string describe_others(const ImageTree& tree) {
  if (tree.others.empty()) return {};
  const auto shown = std::span(tree.others).first(std::min<std::size_t>(tree.others.size(), 3));
  return fmt::format("{} other file{}, such as {}", tree.others.size(), tree.others.size() == 1 ? "" : "s",
                     join(shown, ", "));
}

}  // namespace vise::datasets
