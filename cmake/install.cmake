# A library that is added to a room joins the list below, its packages those in ViseEvalConfig.cmake.in: configuring fails
# for the first, the test Install_... for the second.
#
# cmake --install build/release --prefix P, in three components (and three Debian packages, package.cmake):
#   runtime  the program, its modules of LibTorch and OpenCV, manual page, completions, documents
#   dev      headers and static libraries, and what find_package(ViseEval) needs in a project that adds a data set or a
#            probe (examples/sidecars)
#   python   the package vise_eval, where Debian's Python looks below /usr
include(CMakePackageConfigHelpers)

set(VISE_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/vise-eval)
set(VISE_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/ViseEval)
set(VISE_DOCUMENTS ${CMAKE_INSTALL_DATADIR}/doc)
target_include_directories(vise_options INTERFACE $<INSTALL_INTERFACE:${VISE_HEADERS}>)
target_compile_features(vise_options INTERFACE $<INSTALL_INTERFACE:cxx_std_20>)

install(TARGETS vise-eval RUNTIME COMPONENT runtime)
if(VISE_TORCH)
  install(TARGETS vise_torch LIBRARY DESTINATION ${VISE_MODULE_DIR} COMPONENT runtime)
endif()
if(VISE_OPENCV)
  install(TARGETS vise_opencv LIBRARY DESTINATION ${VISE_MODULE_DIR} COMPONENT runtime)
endif()
if(VISE_PYTHON)
  install(TARGETS vise_python LIBRARY DESTINATION lib/python3/dist-packages/vise_eval COMPONENT python)
  install(DIRECTORY python/vise_eval DESTINATION lib/python3/dist-packages COMPONENT python
          FILES_MATCHING PATTERN "*.py" PATTERN "*.pyi" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)
endif()
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${VISE_DOCUMENTS}/vise-eval COMPONENT runtime OPTIONAL)
install(DIRECTORY docs DESTINATION ${VISE_DOCUMENTS}/vise-eval COMPONENT runtime)

# The program describes itself. A program under sanitizers isn't installed, and would only be slow at it.
if(NOT VISE_SANITIZE)
  set(VISE_MANUAL ${CMAKE_BINARY_DIR}/generated/manual)
  set(manual ${VISE_MANUAL}/vise-eval.1.gz ${VISE_MANUAL}/vise-eval.bash ${VISE_MANUAL}/_vise-eval)
  add_custom_command(
    OUTPUT ${manual}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${VISE_MANUAL}
    COMMAND vise-eval help --man > ${VISE_MANUAL}/vise-eval.1
    COMMAND gzip -9nf ${VISE_MANUAL}/vise-eval.1
    COMMAND vise-eval completion bash > ${VISE_MANUAL}/vise-eval.bash
    COMMAND vise-eval completion zsh > ${VISE_MANUAL}/_vise-eval
    DEPENDS vise-eval
    COMMENT "Manual page and shell completion" VERBATIM)
  add_custom_target(vise_manual ALL DEPENDS ${manual})
  install(FILES ${VISE_MANUAL}/vise-eval.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
  install(FILES ${VISE_MANUAL}/vise-eval.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          RENAME vise-eval COMPONENT runtime)
  install(FILES ${VISE_MANUAL}/_vise-eval DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT runtime)
endif()

install(
  TARGETS vise_options vise_base vise_parquet vise_datasets vise_images vise_checkpoint vise_networks vise_features
          vise_probes vise_results vise_experiments vise_reports vise_cli
  EXPORT ViseEvalTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/vise-eval COMPONENT dev)
foreach(room base datasets extract probes experiments reports cli)
  install(DIRECTORY ${room} DESTINATION ${VISE_HEADERS} COMPONENT dev FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/generated/base/version.h DESTINATION ${VISE_HEADERS}/base COMPONENT dev)
install(DIRECTORY examples DESTINATION ${VISE_DOCUMENTS}/vise-eval-dev COMPONENT dev)

install(EXPORT ViseEvalTargets NAMESPACE vise:: DESTINATION ${VISE_PACKAGE} COMPONENT dev)
configure_package_config_file(cmake/ViseEvalConfig.cmake.in ${CMAKE_BINARY_DIR}/ViseEvalConfig.cmake
                              INSTALL_DESTINATION ${VISE_PACKAGE} PATH_VARS VISE_MODULE_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ViseEvalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ViseEvalConfig.cmake ${CMAKE_BINARY_DIR}/ViseEvalConfigVersion.cmake
        DESTINATION ${VISE_PACKAGE} COMPONENT dev)
