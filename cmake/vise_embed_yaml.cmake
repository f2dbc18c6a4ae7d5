# vise_embed_yaml(FOLDER FUNCTION HEADER): the folder's YAML files as a function of the program, name -> text.
# ${CMAKE_CURRENT_BINARY_DIR}/FUNCTION.cc defines what HEADER declares:
#     const std::map<std::string, std::string>& FUNCTION();
function(vise_embed_yaml folder function header)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.yaml)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_yaml.cmake)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DFUNCTION=${function} -DHEADER=${header} "-DFILES=${files}" -P ${script}
    DEPENDS ${files} ${script}
    VERBATIM)
endfunction()
