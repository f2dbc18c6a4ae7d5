# Writes a C++ file that holds YAML files:
# cmake -DOUT=... -DFUNCTION=builtin_studies -DHEADER=experiments/study.h -DFILES="a.yaml;b.yaml" -P embed_yaml.cmake
get_filename_component(room ${HEADER} DIRECTORY)
get_filename_component(room ${room} NAME)
set(text "#include \"${HEADER}\"\n\nnamespace vise::${room} {\n\nconst std::map<std::string, std::string>& ${FUNCTION}() {\n  static const std::map<std::string, std::string> files{\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} yaml)
  string(APPEND text "      {\"${name}\", R\"yaml(${yaml})yaml\"},\n")
endforeach()
string(APPEND text "  };\n  return files;\n}\n\n}  // namespace vise::${room}\n")
file(WRITE ${OUT} "${text}")
