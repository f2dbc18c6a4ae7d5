# A library that is added to a room joins the list below, its packages those in ViseEvalConfig.cmake.in: configuring fails
# for the first, the test Install_... for the second.
#
# cmake --install build/release --prefix P: the program, its LibTorch module, headers and static libraries, and what
# find_package(ViseEval) needs in a project that adds a data set or a probe (examples/sidecars).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(VISE_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/vise-eval)
set(VISE_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/ViseEval)
target_include_directories(vise_options INTERFACE $<INSTALL_INTERFACE:${VISE_HEADERS}>)
target_compile_features(vise_options INTERFACE $<INSTALL_INTERFACE:cxx_std_20>)

install(TARGETS vise-eval RUNTIME)
if(VISE_TORCH)
  install(TARGETS vise_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/vise-eval)
endif()
install(
  TARGETS vise_options vise_base vise_datasets vise_checkpoint vise_architecture vise_decode vise_transform vise_extract
          vise_image vise_probes vise_results vise_experiments vise_reports vise_cli
  EXPORT ViseEvalTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/vise-eval)
foreach(room base datasets extract probes experiments reports cli)
  install(DIRECTORY ${room} DESTINATION ${VISE_HEADERS} FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/generated/base/version.h DESTINATION ${VISE_HEADERS}/base)

install(EXPORT ViseEvalTargets NAMESPACE vise:: DESTINATION ${VISE_PACKAGE})
set(VISE_MODULE_DIR ${CMAKE_INSTALL_LIBDIR}/vise-eval)
configure_package_config_file(cmake/ViseEvalConfig.cmake.in ${CMAKE_BINARY_DIR}/ViseEvalConfig.cmake
                              INSTALL_DESTINATION ${VISE_PACKAGE} PATH_VARS VISE_MODULE_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ViseEvalConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ViseEvalConfig.cmake ${CMAKE_BINARY_DIR}/ViseEvalConfigVersion.cmake
        DESTINATION ${VISE_PACKAGE})
