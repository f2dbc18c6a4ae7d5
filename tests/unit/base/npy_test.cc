#include "base/npy.h"

#include <cstring>

#include "base/error.h"
#include "tests/shared.h"

namespace vise {
namespace {

// A file as numpy writes it: magic, version 1.0, header, data.
std::string npy(std::string header, const std::string& data) {
  header.resize((header.size() + 10 + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  return file + header + data;
}

NpyArray parse(const std::string& file) { return NpyArray::parse(as_byte_view(file), "x.npy"); }

TEST(Npy, ReadsWhatItWrote) {
  const test::ScratchDir dir;
  const std::vector<float> values{1.5f, -2, 3, 4, 5, 6};
  write_npy(dir / "x.npy", std::span<const float>(values), {2, 3});
  const NpyArray array = NpyArray::open(dir / "x.npy");
  EXPECT_EQ(array.shape(), (std::vector<std::uint64_t>{2, 3}));
  const auto read = array.as<float>();
  EXPECT_EQ(std::vector<float>(read.begin(), read.end()), values);
  EXPECT_THROW(array.as<double>(), Error);
}

TEST(Npy, WidensIntegersHalvesAndBools) {
  EXPECT_EQ(
      parse(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", std::string("\x01\x00", 2))).to_doubles(),
      (std::vector<double>{1, 0}));
  EXPECT_EQ(parse(npy("{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", "\xFE\xFF")).to_doubles(),
            (std::vector<double>{-2}));
  EXPECT_EQ(
      parse(npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", std::string("\x00\xC1", 2))).to_doubles(),
      (std::vector<double>{-2.5}));
}

TEST(Npy, RefusesWhatWouldBeReadWrongly) {
  const std::string eight(8, '\0');
  for (const char* header : {
           "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }",
           "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
           "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
           "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
           "{'descr': '<f4', 'fortran_order': False}",
           "not a header",
       })
    EXPECT_THROW(parse(npy(header, eight)), Error) << header;
  EXPECT_THROW(parse("\x93NUMPY"), Error);
  EXPECT_THROW(parse(""), Error);
}

TEST(Npy, ReadsTexts) {
  const auto letters = [](std::u32string text) {
    return std::string(reinterpret_cast<const char*>(text.data()), text.size() * 4);
  };
  // An array refers to the bytes that it was parsed from.
  const std::string of_letters = npy("{'descr': '<U4', 'fortran_order': False, 'shape': (3,), }",
                                     letters(std::u32string(U"joy\0f\u00e9e\0\0\0\0\0", 12)));
  const NpyArray wide = parse(of_letters);
  EXPECT_EQ(wide.to_texts(), (std::vector<std::string>{"joy",
                                                       "f\xC3\xA9"
                                                       "e",
                                                       ""}));
  const std::string of_bytes =
      npy("{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }", std::string("joyaw\0", 6));
  const NpyArray bytes = parse(of_bytes);
  EXPECT_EQ(bytes.to_texts(), (std::vector<std::string>{"joy", "aw"}));
  EXPECT_THROW(bytes.to_doubles(), Error);
  EXPECT_THROW(
      parse(npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", letters({char32_t(0x110000)}))).to_texts(),
      Error);
}

TEST(Npy, SaysWhatIsRefusedAndTheCure) {
  const auto error_of = [](const std::string& file) {
    try {
      parse(file);
    } catch (const Error& error) {
      return error.message() + " | " + error.hint();
    }
    return std::string("none");
  };
  const std::string eight(8, '\0');
  EXPECT_NE(error_of(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", eight))
                .find("big-endian | save x.astype('<f4')"),
            std::string::npos);
  EXPECT_NE(error_of(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", eight)).find("Python objects"),
            std::string::npos);
  EXPECT_NE(error_of("PK\x03\x04 and more of a zip").find("is an .npz"), std::string::npos);
  EXPECT_NE(error_of(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", eight))
                .find("numpy.ascontiguousarray"),
            std::string::npos);
}

TEST(Npy, AGrowingFilesHeaderKeepsItsLength) {
  const std::uint64_t small[] = {0, 2048}, large[] = {1'000'000'000, 2048};
  EXPECT_EQ(npy_header("f4", small, 128).size(), 128u);
  EXPECT_EQ(npy_header("f4", large, 128).size(), 128u);
}

}  // namespace
}  // namespace vise
