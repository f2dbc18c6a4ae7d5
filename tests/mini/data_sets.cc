#include "tests/mini/data_sets.h"

#include <fmt/format.h>

#include <fstream>

#include "base/random.h"

namespace vise::test {
namespace {

void put(const Path& path, const std::string& bytes) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// FOLDER/<name>, one a name.
std::vector<std::string> below(const std::string& folder, std::initializer_list<const char*> names) {
  std::vector<std::string> paths;
  for (const char* name : names) paths.push_back(folder + "/" + name);
  return paths;
}

std::string face(int grey) {
  std::string pixels;
  for (int i = 0; i < 48 * 48; ++i) pixels += fmt::format("{}{}", i == 0 ? "" : " ", (grey + i) % 256);
  return pixels;
}

MiniData fer2013() {
  std::string table = "emotion,pixels,Usage\n",
              votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";
  const char* const usages[] = {"Training", "Training", "PublicTest", "PrivateTest"};
  for (int i = 0; i < 8; ++i) {
    table += fmt::format("{},{},{}\n", i % 2 == 0 ? 0 : 3, face(40 * i), usages[i / 2]);
    votes += fmt::format("{},fer{}.png,{},{},0,0,1,0,0,0,0,0\n", usages[i / 2], i, i % 2, 9 - i % 2);
  }
  return {"fer2013", {{"fer2013/fer2013.csv", table}, {"fer2013/fer2013new.csv", votes}}, {}};
}

MiniData emoset() {
  MiniData data{"emoset", {}, {}};
  for (const char* part : {"train", "val", "test"}) {
    std::string rows;
    for (const char* mood : {"awe", "sadness"})
      for (int i = 0; i < 2; ++i) {
        const std::string stem = fmt::format("{}/{}_{}", mood, part, i);
        rows += fmt::format("{}[\"{}\", \"image/{}.jpg\", \"annotation/{}.json\"]", rows.empty() ? "" : ", ", mood,
                            stem, stem);
        data.images.push_back(fmt::format("EmoSet-118K/image/{}.jpg", stem));
        data.texts[fmt::format("EmoSet-118K/annotation/{}.json", stem)] = fmt::format(
            "{{\"emotion\": \"{}\", \"brightness\": \"0.{}\", \"colorfulness\": 0.3, \"scene\": \"beach\", \"object\": "
            "[\"Sky\", \"Tree\"]}}",
            mood, i + 1);
      }
    data.texts[fmt::format("EmoSet-118K/{}.json", part)] = "[" + rows + "]";
  }
  return data;
}

MiniData intent() {
  MiniData data{"intent", {}, {}};
  for (const char* part : {"train", "val", "test"}) {
    std::string images, annotations;
    for (int i = 0; i < 4; ++i) {
      const char* const comma = i == 0 ? "" : ", ";
      images += fmt::format("{}{{\"id\": {}, \"filename\": \"{}{}.jpg\"}}", comma, i, part, i);
      annotations += fmt::format("{}{{\"image_id\": {}, {}}}", comma, i,
                                 part[1] == 'r' ? fmt::format("\"category_ids_softprob\": [0.{0}, 0.{1}]", 2 + i, 8 - i)
                                                : fmt::format("\"category_ids\": [{}]", i % 2));
      data.images.push_back(fmt::format("intentonomy/images/{}{}.jpg", part, i));
    }
    data.texts[fmt::format("intentonomy/intentonomy_{}2020.json", part)] = fmt::format(
        "{{\"categories\": [{{\"id\": 0, \"name\": \"Health\"}}, {{\"id\": 1, \"name\": \"Love\"}}], \"images\": [{}], "
        "\"annotations\": [{}]}}",
        images, annotations);
  }
  return data;
}

MiniData lamem() {
  MiniData data{"lamem", {}, below("lamem/images", {"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"})};
  for (int s = 1; s <= 5; ++s) {
    data.texts[fmt::format("lamem/splits/train_{}.txt", s)] = "1.jpg 0.7\n2.jpg 0.5\n";
    data.texts[fmt::format("lamem/splits/val_{}.txt", s)] = "3.jpg 0.6\n4.jpg 0.4\n";
    data.texts[fmt::format("lamem/splits/test_{}.txt", s)] = "5.jpg 0.9\n6.jpg 0.1\n";
  }
  return data;
}

std::vector<MiniData> tables() {
  return {
      {"abstract",
       {{"testImages_abstract/ABSTRACT_groundTruth.csv",
         "'','Amusement','Anger','Awe','Content'\n'a1.jpg',0,1,0,5\n'a2.jpg',4,0,1,0\n'a3.jpg',0,4,1,0\n"
         "'a4.jpg',0,1,6,0\n'a5.jpg',0,1,0,5\n'a6.jpg',4,0,1,0\n"}},
       below("testImages_abstract", {"a1.jpg", "a2.jpg", "a3.jpg", "a4.jpg", "a5.jpg", "a6.jpg"})},
      {"ava",
       {{"AVA/AVA.txt",
         "1 1 0 1 5 17 38 36 15 6 5 1 1 22 1396\n2 2 10 7 15 26 26 21 10 8 1 2 15 21 1396\n"
         "3 3 0 1 5 17 38 36 15 6 5 1 1 22 7\n4 4 10 7 15 26 26 21 10 8 1 2 15 21 7\n"}},
       below("AVA/images", {"1.jpg", "2.jpg", "3.jpg", "4.jpg"})},
      {"bass",
       {{"bass/BASS_data.csv",
         "filename,val_mean_us,aro_mean_us,note\n1.png,1.7,4.2 ,a\n2.png,5.5,3.1,b\n3.png,6,2,c\n4.png,2,1.5,d\n"}},
       below("bass/images", {"1.png", "2.png", "3.png", "4.png"})},
      {"cub",
       {{"CUB_200_2011/images.txt", "1 001.A/1.jpg\n2 001.A/2.jpg\n3 002.B/3.jpg\n4 002.B/4.jpg\n"},
        {"CUB_200_2011/image_class_labels.txt", "1 1\n2 1\n3 2\n4 2\n"},
        {"CUB_200_2011/train_test_split.txt", "1 0\n2 1\n3 0\n4 1\n"},
        {"CUB_200_2011/classes.txt", "1 001.A\n2 002.B\n"}},
       below("CUB_200_2011/images", {"001.A/1.jpg", "001.A/2.jpg", "002.B/3.jpg", "002.B/4.jpg"})},
      {"emotion6",
       {{"Emotion6/ground_truth.txt",
         "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]\t[prob. joy]\t[prob. "
         "sadness]\t[prob. surprise]\t[prob. neutral]\ndisgust/1.jpg\t4.2\t5.5\t0.1\t0.2\t0\t0\t0\t0.1\t0.6\n"
         "joy/2.jpg\t7\t4\t0\t0\t0\t0.9\t0\t0.1\t0\njoy/3.jpg\t7\t4\t0\t0\t0\t0.8\t0\t0.2\t0\n"
         "anger/4.jpg\t2\t6\t0.9\t0\t0.1\t0\t0\t0\t0\n"}},
       below("Emotion6/images", {"disgust/1.jpg", "joy/2.jpg", "joy/3.jpg", "anger/4.jpg"})},
      {"hateful-memes",
       {{"hateful_memes/train.jsonl",
         "{\"id\": 1, \"img\": \"img/00001.png\", \"label\": 1, \"text\": \"a\"}\n"
         "{\"id\": 2, \"img\": \"img/00002.png\", \"label\": 0, \"text\": \"b\"}\n"},
        {"hateful_memes/dev_seen.jsonl", "{\"id\": 3, \"label\": 1, \"text\": \"c\"}\n{\"id\": 4, \"label\": 0}\n"},
        {"hateful_memes/test_seen.jsonl",
         "{\"id\": 5, \"img\": \"img/00005.png\", \"label\": 1}\n{\"id\": 6, \"img\": \"img/00006.png\", \"label\": "
         "0}\n"}},
       below("hateful_memes/img", {"00001.png", "00002.png", "00003.png", "00004.png", "00005.png", "00006.png"})},
      {"koniq",
       {{"koniq10k/koniq10k_scores_and_distributions.csv",
         "\"image_name\",\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c_total\",\"MOS\",\"SD\",\"MOS_zscore\"\n"
         "\"1.jpg\",0,0,25,73,7,105,3.8,0.5,63.9\n\"2.jpg\",9,0,25,3,7,44,2.8,0.5,33.9\n"
         "\"3.jpg\",0,0,5,73,70,148,4.4,0.5,73.9\n\"4.jpg\",50,0,2,7,0,59,1.8,0.5,13.9\n"}},
       below("koniq10k/1024x768", {"1.jpg", "2.jpg", "3.jpg", "4.jpg"})},
      {"memotion",
       {{"memotion_dataset_7k/labels.csv",
         ",image_name,text_ocr,text_corrected,humour,sarcasm,offensive,motivational,overall_sentiment\n"
         "0,1.jpg,\"A\nB, C\",x,hilarious,general,not_offensive,not_motivational,very_positive\n"
         "1,2.jpg,,,not_funny,twisted_meaning,hateful_offensive,motivational,neutral\n"
         "2,3.jpg,NA,,funny,general,slight,motivational,negative\n3,4.jpg,q,,funny,general,slight,motivational,"
         "positive\n"}},
       below("memotion_dataset_7k/images", {"1.jpg", "2.jpg", "3.jpg", "4.jpg"})},
      {"oasis",
       {{"OASIS/OASIS.csv",
         ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N\n"
         "I1,Acorns 1 ,Object,P,4.6,1.0,102,2.3,1.6,101\nI2,Dog 1,Animal,P,5.6,1.0,102,3.3,1.6,101\n"
         "I3,War 1,Scene,P,1.6,1.0,102,5.3,1.6,101\nI4,Lake 1,Scene,P,6.1,1.0,102,2.0,1.6,101\n"}},
       below("OASIS/images", {"Acorns 1.jpg", "Dog 1.jpg", "War 1.jpg", "Lake 1.jpg"})},
      {"omi",
       {{"omi/attribute_means.csv", "stimulus,trustworthy,happy\n1,43.67,18.97\n2,50,70\n3,10,20\n4,80,90\n"}},
       below("omi/images", {"1.jpg", "2.jpg", "3.jpg", "4.jpg"})},
      {"politics",
       {{"politics/politics.csv",
         "path,label,split,group\n1.jpg,left,train,a\n2.jpg,right,train,b\n3.jpg,left,val,a\n4.jpg,right,val,c\n"
         "5.jpg,left,test,d\n6.jpg,right,test,e\n"}},
       below("politics", {"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"})},
      {"twitter-i",
       {{"twitter-i/three_agree.txt", "1.jpg 1\n2.jpg 0\n3.jpg 1\n4.jpg 0\n"},
        {"twitter-i/five_agree.txt", "2.jpg 0\n"}},
       below("twitter-i/Agg_AMT_Candidates", {"1.jpg", "2.jpg", "3.jpg", "4.jpg"})},
      {"webemo",
       {{"WEBEmo/metadata.csv",
         "file_name,label,split\njoy/1.jpg,joy,train\njoy/2.jpg,joy,test\nfear/3.jpg,fear,train\n"
         "fear/4.jpg,fear,test\n"}},
       below("WEBEmo", {"joy/1.jpg", "joy/2.jpg", "fear/3.jpg", "fear/4.jpg"})},
  };
}

}  // namespace

void MiniData::write(const Path& root) const {
  for (const std::string& image : images) put(root / image, mini_picture(image));
  for (const auto& [path, text] : texts) put(root / path, text);
}

const std::vector<MiniData>& mini_data_sets() {
  static const std::vector<MiniData> all = [] {
    std::vector<MiniData> sets = tables();
    for (MiniData& data : std::vector<MiniData>{fer2013(), emoset(), intent(), lamem()})
      sets.push_back(std::move(data));
    return sets;
  }();
  return all;
}

std::string mini_picture(const std::string& name) {
  constexpr std::size_t kSide = 40;
  RandomStream random("mini/" + name, 0);
  std::string file = fmt::format("P6\n{} {}\n255\n", kSide, kSide);
  for (std::size_t i = 0; i < kSide * kSide * 3; ++i) file += static_cast<char>(random.below(256));
  return file;
}

}  // namespace vise::test
