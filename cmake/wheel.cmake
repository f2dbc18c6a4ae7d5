# The wheel of vise_eval: `cmake --build build/release --target vise_wheel` (`./dev package`) writes it to the build's package/.
# As a script it is what the target runs: stages the component python, stripped, and packs what lies there.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  add_custom_target(vise_wheel
    COMMAND ${CMAKE_COMMAND} -DBUILD=${CMAKE_BINARY_DIR} -DSOURCE=${CMAKE_SOURCE_DIR} -DPYTHON=${Python_EXECUTABLE}
            -DVERSION=${PROJECT_VERSION} -DDATE=${VISE_RELEASE_DATE} -DOUT=${CMAKE_BINARY_DIR}/package
            -P ${CMAKE_CURRENT_LIST_FILE}
    DEPENDS vise_python VERBATIM)
  return()
endif()

set(stage ${OUT}/wheel)
file(REMOVE_RECURSE ${stage})
file(MAKE_DIRECTORY ${stage}/debian)
set(ENV{DESTDIR} ${stage}/tree)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix / --component python --strip
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
set(package ${stage}/tree/lib/python3/dist-packages/vise_eval)
# Debian's names of the libraries; elsewhere the metadata names none.
set(required "")
find_program(SHLIBDEPS dpkg-shlibdeps)
if(SHLIBDEPS)
  file(GLOB module ${package}/_core*.so)
  file(WRITE ${stage}/debian/control "Source: vise-eval\n\nPackage: vise-eval\nArchitecture: any\n")
  execute_process(COMMAND ${SHLIBDEPS} -O ${module} WORKING_DIRECTORY ${stage} OUTPUT_VARIABLE found ERROR_QUIET)
  string(REGEX MATCH "shlibs:Depends=([^\n]+)" unused "${found}")
  set(required "${CMAKE_MATCH_1}")
endif()
execute_process(COMMAND ${PYTHON} ${SOURCE}/cmake/wheel.py ${package} ${OUT} ${VERSION} ${DATE} ${SOURCE}/LICENSE "${required}"
                COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${stage})
