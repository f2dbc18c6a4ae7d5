# Debian packages, by cpack in the build's folder (`./dev package`): vise-eval, vise-eval-dev for programs that add a data
# set or a probe of their own, and python3-vise-eval.
#
# LibTorch and OpenCV are large, and most runs never open them. So their modules lie in vise-eval, and what those alone need is recommended, not
# required: apt installs it unless told not to, and without it the program says what is missing (base/module.cc).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vise-eval)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(VISE_CONTACT "The vise-eval authors <vise-eval@localhost>" CACHE STRING
    "Who answers for the Debian packages; localhost until the project has a public address")
set(CPACK_PACKAGE_CONTACT ${VISE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each component's own first line
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(components runtime dev)
if(VISE_PYTHON)
  list(APPEND components python)
endif()
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS OFF)  # they would all be required: debian/depends.cmake asks itself
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/debian/depends.cmake)
set(CPACK_VISE_PROGRAM ${CMAKE_BINARY_DIR}/vise-eval)
set(CPACK_VISE_MODULES "")
if(VISE_TORCH)
  list(APPEND CPACK_VISE_MODULES ${CMAKE_BINARY_DIR}/vise_torch.so)
endif()
if(VISE_OPENCV)
  list(APPEND CPACK_VISE_MODULES ${CMAKE_BINARY_DIR}/vise_opencv.so)
endif()

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME vise-eval)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS vise-eval-dev)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "evaluate frozen image features on subjective visual tasks
Is this frozen representation better than that one on a subjective task
(emotion, political bias, hateful memes), and can a stranger check it?

vise-eval reads images and checkpoints exactly as published pipelines do,
fits linear probes at their optimum, chosen without seeing test, and prints a
comparison table with its proof. It computes on a CPU; the recommended
LibTorch is needed for TorchScript networks, fine-tuning, and as a second
engine to compare with, the recommended OpenCV for ONNX and Caffe graphs.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME vise-eval-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
string(JOIN ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
       "vise-eval (= ${PROJECT_VERSION})" g++ cmake pkg-config libfmt-dev nlohmann-json3-dev libssl-dev libyaml-cpp-dev
       libxxhash-dev zlib1g-dev libzstd-dev libsnappy-dev libcurl4-openssl-dev libdnnl-dev libeigen3-dev libsimdjson-dev
       libjpeg-dev libwebp-dev libtiff-dev libopencv-imgproc-dev liblinear-dev liblapacke-dev libopenblas-pthread-dev
       libboost-math-dev libcli11-dev)
set(CPACK_COMPONENT_DEV_DESCRIPTION "vise-eval with data sets and probes of your own (development files)
Headers, static libraries and the CMake package ViseEval: a main() of a few
lines that adds a data set, a probe, a metric or a backbone is the whole
program. An example lies in /usr/share/doc/vise-eval-dev/examples.")

# The module is for one version of Python, Debian's; of its libraries depends.cmake says where they are.
set(CPACK_VISE_PYTHON "")
if(VISE_PYTHON)
  set(CPACK_VISE_PYTHON ${VISE_PYTHON_PACKAGE}/${VISE_PYTHON_MODULE})
endif()
set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-vise-eval)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_COMPONENT_PYTHON_DESCRIPTION "evaluate frozen image features (Python 3 module)
The engine of vise-eval as a module: linear probes by scikit-learn's rules at
their optimum, paired comparison tables of scores, features from the program's
cache, Pillow's pixels, checkpoints as arrays. Estimators need the recommended
python3-sklearn.")

# What Debian wants beside: copyright, and a changelog in its own form.
set(VISE_MAINTAINER ${CPACK_PACKAGE_CONTACT})
file(READ ${CMAKE_SOURCE_DIR}/LICENSE VISE_LICENCE)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)" unused "${VISE_LICENCE}")
set(VISE_COPYRIGHT ${CMAKE_MATCH_1})
string(REGEX REPLACE "^.*\n\n(Permission)" "\\1" VISE_LICENCE "${VISE_LICENCE}")
string(REGEX REPLACE "\n+(---.*)?$" "" VISE_LICENCE "${VISE_LICENCE}")
string(REPLACE "\n\n" "\n.\n" VISE_LICENCE "${VISE_LICENCE}")
string(REPLACE "\n" "\n " VISE_LICENCE " ${VISE_LICENCE}")
configure_file(cmake/debian/copyright.in ${CMAKE_BINARY_DIR}/generated/debian/copyright @ONLY)
execute_process(COMMAND date -u -R -d ${VISE_RELEASE_DATE} OUTPUT_VARIABLE VISE_RELEASE_TIME OUTPUT_STRIP_TRAILING_WHITESPACE)
configure_file(cmake/debian/changelog.in ${CMAKE_BINARY_DIR}/generated/debian/changelog @ONLY)
execute_process(COMMAND gzip -9nkf changelog WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/generated/debian)
foreach(component ${components})
  string(TOUPPER ${component} upper)
  install(FILES ${CMAKE_BINARY_DIR}/generated/debian/copyright ${CMAKE_BINARY_DIR}/generated/debian/changelog.gz
          DESTINATION ${VISE_DOCUMENTS}/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} COMPONENT ${component})
endforeach()

include(CPack)
