#include "datasets/folder_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

using Items = std::vector<std::size_t>;

// Items by the folder that their ids name at some depth; those that name none there.
struct Level {
  std::map<std::string, Items> folders;
  Items loose;
};

// A walk down the ids, each from a place of its own on.
class Walk {
 public:
  explicit Walk(std::span<const std::string> ids) : ids_(ids), begin_(ids.size(), 0) {}

  // The folder at the item's place, or "" where the file's own name is there.
  std::string_view folder(std::size_t item) const {
    const std::string_view rest = std::string_view(ids_[item]).substr(begin_[item]);
    const auto slash = rest.find('/');
    return slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
  }

  Level level(const Items& items) const {
    Level level;
    for (const std::size_t item : items) {
      const std::string_view name = folder(item);
      (name.empty() ? level.loose : level.folders[std::string(name)]).push_back(item);
    }
    return level;
  }

  // Each item's place moves into the folder that it is in.
  void enter(const Items& items) {
    for (const std::size_t item : items) begin_[item] += folder(item).size() + 1;
  }

  // The names of the folders within `items`' folder.
  std::set<std::string> inner_names(const Items& items) const {
    std::set<std::string> names;
    for (const std::size_t item : items) {
      const std::string_view rest = std::string_view(ids_[item]).substr(begin_[item] + folder(item).size() + 1);
      if (const auto slash = rest.find('/'); slash != std::string_view::npos) names.emplace(rest.substr(0, slash));
    }
    return names;
  }

  // The folders above the item's place: "", or "photos/train/".
  std::string_view above(std::size_t item) const { return std::string_view(ids_[item]).substr(0, begin_[item]); }

  const std::string& id(std::size_t item) const { return ids_[item]; }

 private:
  std::span<const std::string> ids_;
  std::vector<std::size_t> begin_;
};

std::string quoted_names(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, names.size());
  std::string text;
  for (std::size_t k = 0; k < shown; ++k) text += fmt::format("{}'{}'", k == 0 ? "" : ", ", names[k]);
  return names.size() > shown ? text + fmt::format(" and {} more", names.size() - shown) : text;
}

// Finds where the folders begin to differ, then decides by their names: two parts' names or more are a split, one alone
// is judged by its neighbours, and any others are classes.
class LayoutReader {
 public:
  LayoutReader(std::span<const std::string> ids, std::span<const std::string> bare)
      : walk_(ids), bare_(bare), parts_(ids.size(), Part::unused) {
    layout_.labels.resize(ids.size());
  }

  FolderLayout read() {
    Items all(layout_.labels.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    Level top = look_through(std::move(all));
    std::set<Part> parts;
    std::vector<std::string> named, others;
    for (const auto& [name, items] : top.folders) {
      const auto part = part_named(name);
      if (part && *part != Part::unused) parts.insert(*part);
      (part ? named : others).push_back(name);
    }
    // Two different parts make a split. One alone may be half of a split or the name of a
    // class ("train"), which is judged below.
    if (parts.size() >= 2) {
      read_parts(top, named);
    } else if (parts.size() == 1 && others.empty()) {
      read_only_part(top);
    } else {
      if (parts.size() == 1) judge_only_part(top, named, others);
      read_classes(top);
    }
    remark_bare();
    return std::move(layout_);
  }

 private:
  // Down to where there is a choice of folders. Images beside the only folder are outside.
  Level look_through(Items items) {
    Level level = walk_.level(items);
    Items outside;
    // Hosts and zips wrap a set into a folder of its own, some several times.
    while (level.folders.size() == 1) {
      const Items inside = level.folders.begin()->second;
      passed_.emplace(walk_.above(inside.front()));
      outside.insert(outside.end(), level.loose.begin(), level.loose.end());
      walk_.enter(inside);
      level = walk_.level(inside);
    }
    outside_ = std::move(outside);
    if (!level.folders.empty()) remark_outside("the folder of the others");
    if (level.folders.empty())
      places_ = passed_;
    else
      add_places(level.folders.begin()->second);
    return level;
  }

  // <part>/<class>/...
  void read_parts(Level& top, const std::vector<std::string>& named) {
    // Images beside train/ and test/ belong to none of them.
    outside_ = top.loose;
    std::vector<std::string> names;
    Items inside;
    for (auto& [name, items] : top.folders) {
      const auto part = part_named(name);
      if (!part || *part == Part::unused) {
        outside_.insert(outside_.end(), items.begin(), items.end());
        continue;
      }
      names.push_back(name);
      for (const std::size_t item : items) parts_[item] = *part;
      walk_.enter(items);
      inside.insert(inside.end(), items.begin(), items.end());
    }
    remark_outside(join(names, "/, ") + "/");
    read_inner_classes(inside, named);
    layout_.official = Split(std::move(parts_), "official (folders)");
  }

  // A folder that the images of all parts share, as train/images/<class>, is looked through.
  void read_inner_classes(const Items& inside, const std::vector<std::string>& named) {
    Level level = walk_.level(inside);
    while (level.folders.size() == 1 && !walk_.inner_names(level.folders.begin()->second).empty()) {
      walk_.enter(level.folders.begin()->second);
      level = walk_.level(inside);
    }
    add_places(inside);
    for (const auto& [name, items] : level.folders)
      for (const std::size_t item : items) layout_.labels[item] = name;
    if (!level.loose.empty() && !level.folders.empty())
      layout_.remarks.push_back(
          fmt::format("{} images below {} lie in no class folder and have no label, for example {}", level.loose.size(),
                      join(named, "/, ") + "/", walk_.id(level.loose.front())));
  }

  // train/ beside nothing but unlabelled/ and single images: its folders are the classes, no split is given.
  void read_only_part(const Level& top) {
    outside_ = top.loose;
    std::string inside_name;
    Items inside;
    for (const auto& [name, items] : top.folders) {
      const bool is_unused = *part_named(name) == Part::unused;
      Items& to = is_unused ? outside_ : inside;
      to.insert(to.end(), items.begin(), items.end());
      if (!is_unused) inside_name = name;
    }
    walk_.enter(inside);
    remark_outside(inside_name + "/");
    read_inner_classes(inside, {inside_name});
  }

  // One folder has a part's name, others have names of their own. With the same folders in both it is a split of which
  // one half isn't recognised; else the name is a class's, as a train is beside cars.
  void judge_only_part(const Level& top, const std::vector<std::string>& named,
                       const std::vector<std::string>& others) {
    const std::string& name =
        *std::find_if(named.begin(), named.end(), [](const std::string& n) { return *part_named(n) != Part::unused; });
    const std::set<std::string> classes = walk_.inner_names(top.folders.at(name));
    for (const std::string& other : others)
      for (const std::string& inner : walk_.inner_names(top.folders.at(other)))
        if (classes.contains(inner))
          throw Error(ErrorKind::input,
                      fmt::format("the folder '{}' has a split's name, '{}' beside it has not, and '{}' is in both",
                                  name, other, inner),
                      "call the folders of a split train, val, test; a folder to be left out unused");
    layout_.remarks.push_back(
        fmt::format("the folder '{}' is taken for a class, as {} beside it", name, quoted_names(others)));
  }

  // <class>/..., or <class>/<part>/...
  void read_classes(const Level& top) {
    for (const auto& [name, items] : top.folders)
      for (const std::size_t item : items) layout_.labels[item] = name;
    if (!top.loose.empty() && !top.folders.empty())
      layout_.remarks.push_back(fmt::format("{} images lie in no class folder and have no label, for example {}",
                                            top.loose.size(), walk_.id(top.loose.front())));
    if (!read_parts_of_classes(top)) remark_same_inner(top);
  }

  // The other order, joy/train/1.jpg. Only where every inner folder is called by a part's name; nothing is changed
  // before that is certain.
  bool read_parts_of_classes(const Level& top) {
    std::set<Part> seen;
    Items outside = top.loose;
    for (const auto& [name, items] : top.folders) {
      std::set<Part> of_class;
      for (const std::string& inner : walk_.inner_names(items)) {
        const auto part = part_named(inner);
        // One inner folder with another name, and the inner folders are no split.
        if (!part) return false;
        if (*part != Part::unused) of_class.insert(*part);
      }
      seen.insert(of_class.begin(), of_class.end());
    }
    // One part only would leave nothing to test on.
    if (seen.size() < 2) return false;
    for (const auto& [name, items] : top.folders) {
      walk_.enter(items);
      add_places(items);
      for (const std::size_t item : items) {
        const auto part = part_named(walk_.folder(item));
        parts_[item] = part.value_or(Part::unused);
        if (parts_[item] == Part::unused) outside.push_back(item);
      }
    }
    outside_ = std::move(outside);
    remark_outside("the classes' folders of the split");
    layout_.official = Split(std::move(parts_), "official (folders in the classes' folders)");
    return true;
  }

  // Two folders and more that all hold folders of the same names: either level may be the classes.
  void remark_same_inner(const Level& top) {
    if (top.folders.size() < 2) return;
    const std::set<std::string> first = walk_.inner_names(top.folders.begin()->second);
    if (first.size() < 2) return;
    for (const auto& [name, items] : top.folders)
      if (walk_.inner_names(items) != first) return;
    std::vector<std::string> outer;
    for (const auto& [name, items] : top.folders) outer.push_back(name);
    layout_.remarks.push_back(
        fmt::format("the labels are the outer folders, {}; each holds the same ones, {}: if these are the classes, put "
                    "them outside",
                    quoted_names(outer), quoted_names({first.begin(), first.end()})));
  }

  void remark_outside(const std::string& of_what) {
    if (outside_.empty()) return;
    layout_.remarks.push_back(fmt::format("{} image{} outside {} {} unused, for example {}", outside_.size(),
                                          outside_.size() == 1 ? "" : "s", of_what, outside_.size() == 1 ? "is" : "are",
                                          walk_.id(outside_.front())));
    outside_.clear();
  }

  // Folders beside these items' are classes or parts.
  void add_places(const Items& items) {
    if (bare_.empty()) return;
    std::string_view last = "none";
    for (const std::size_t item : items)
      if (const std::string_view place = walk_.above(item); place != last) places_.emplace(last = place);
  }

  // A folder that was made for a class or a part and never filled leaves no trace in the ids.
  void remark_bare() {
    std::vector<std::string> names;
    for (const std::string& folder : bare_) {
      const std::string above = folder.substr(0, folder.rfind('/') + 1);
      const auto part = part_named(folder.substr(above.size()));
      // Beside a folder that everything is in, as annotations/ beside images/, none but a split's is missed.
      if (places_.contains(above) || (passed_.contains(above) && part && *part != Part::unused))
        names.push_back(folder);
    }
    if (names.empty()) return;
    layout_.remarks.push_back(fmt::format("no image is in the folder{} {}, which {} passed over",
                                          names.size() == 1 ? "" : "s", quoted_names(names),
                                          names.size() == 1 ? "is" : "are"));
  }

  Walk walk_;
  std::span<const std::string> bare_;
  // Of folders: where classes or parts stand, and what was looked through.
  std::set<std::string, std::less<>> places_, passed_;
  std::vector<Part> parts_;
  Items outside_;
  FolderLayout layout_;
};

}  // namespace

FolderLayout folder_layout(std::span<const std::string> ids, std::span<const std::string> bare) {
  return LayoutReader(ids, bare).read();
}

}  // namespace vise::datasets
