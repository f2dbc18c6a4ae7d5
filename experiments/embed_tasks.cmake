# Writes a C++ file that holds experiments/tasks/*.yaml: cmake -DOUT=... -DFILES="a.yaml;b.yaml" -P embed_tasks.cmake
set(text "#include \"experiments/task.h\"\n\nnamespace vise {\n\nconst std::map<std::string, std::string>& builtin_task_files() {\n  static const std::map<std::string, std::string> files{\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} yaml)
  string(APPEND text "      {\"${name}\", R\"yaml(${yaml})yaml\"},\n")
endforeach()
string(APPEND text "  };\n  return files;\n}\n\n}  // namespace vise\n")
file(WRITE ${OUT} "${text}")
