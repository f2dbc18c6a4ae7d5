#include "datasets/mat.h"

#include <cmath>

#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::error_of;
using test::Names;

Path fixture() { return Path(VISE_SOURCE_DIR) / "tests/unit/datasets/emotic.mat"; }

// What SciPy 1.10's savemat wrote, compressed (make_emotic_mat.py).
TEST(MatFile, ReadsStructsCellsTextsAndNumbers) {
  const MatFile file = MatFile::read(fixture());
  const MatArray& train = file.variable("train");
  EXPECT_EQ(train.size(), 2u);
  EXPECT_EQ(train.fields, (Names{"filename", "folder", "image_size", "person"}));
  EXPECT_EQ(train.field("filename", 1)->text, "b.jpg");
  EXPECT_EQ(train.field("image_size")->field("n_col")->numbers, std::vector<double>{640});
  const MatArray& people = *train.field("person");
  EXPECT_EQ(people.size(), 2u);
  EXPECT_EQ(people.field("body_bbox")->shape, (std::vector<std::uint32_t>{1, 4}));
  EXPECT_EQ(people.field("body_bbox")->numbers, (std::vector<double>{1, 2, 30, 40}));
  const MatArray& categories = *people.field("annotations_categories")->field("categories");
  EXPECT_EQ(categories.kind, MatArray::Kind::cells);
  EXPECT_EQ(categories.items.at(1).text, "Fear");
  const MatArray& combined = *file.variable("val").field("person")->field("combined_continuous");
  EXPECT_TRUE(std::isnan(combined.field("arousal")->numbers.at(0)));
  EXPECT_EQ(train.field("filename", 2), nullptr);
  EXPECT_EQ(train.field("nothing"), nullptr);
}

TEST(MatFile, NamesTheVariablesThereAre) {
  EXPECT_NE(error_of([] { MatFile::read(fixture()).variable("trian"); }).hint().find("'train'"), std::string::npos);
}

// Every truncation is refused or reads as fewer variables; none reads past the end (under the sanitizers).
TEST(MatFile, RefusesDamage) {
  const std::string whole = read_text_file(fixture());
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    try {
      MatFile::parse(as_byte_view(std::string_view(whole).substr(0, size)), "cut.mat");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
  for (std::size_t at = 128; at < whole.size(); at += 3) {
    std::string bent = whole;
    bent[at] = static_cast<char>(bent[at] ^ 0x5A);
    try {
      MatFile::parse(as_byte_view(bent), "bent.mat");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
}

TEST(MatFile, SaysHowToSaveVersion73Again) {
  const std::string hdf = "MATLAB 7.3 MAT-file" + std::string(200, ' ');
  EXPECT_NE(error_of([&] { MatFile::parse(as_byte_view(hdf), "x.mat"); }).hint().find("-v7"), std::string::npos);
}

TEST(Emotic, JoinsThePeopleOfAnImage) {
  test::MiniTree tree;
  tree.images({"emotic/mscoco/images/a.jpg", "emotic/framesdb/images/b.jpg", "emotic/mscoco/images/c.jpg",
               "emotic/ade20k/images/d.jpg"})
      .file("emotic/Annotations/Annotations.mat", read_text_file(fixture()));
  const Dataset dataset = test::open_builtin("emotic", tree.path());
  EXPECT_EQ(dataset.ids,
            (Names{"ade20k/images/d.jpg", "framesdb/images/b.jpg", "mscoco/images/a.jpg", "mscoco/images/c.jpg"}));
  const Targets& labels = dataset.target("labels");
  const auto shown = [&](std::size_t item) {
    Names names;
    for (std::size_t k = 0; k < labels.width(); ++k)
      if (labels.multi_label()[item * labels.width() + k] == 1) names.push_back(labels.names()[k]);
    return names;
  };
  EXPECT_EQ(labels.width(), 26u);
  EXPECT_EQ(shown(2), (Names{"Disquietment", "Fear", "Happiness"}));  // as listed in train, misspelt there
  EXPECT_EQ(shown(3), (Names{"Doubt/Confusion", "Peace"}));           // what the annotators agreed on
  EXPECT_DOUBLE_EQ(dataset.target("valence").rows()[2], 4.5);
  EXPECT_FALSE(dataset.target("arousal").known(3));
  EXPECT_EQ(dataset.official->part(2), Part::train);
  EXPECT_EQ(dataset.official->part(3), Part::val);
  EXPECT_EQ(dataset.official->part(0), Part::test);
}

}  // namespace
}  // namespace vise::datasets
