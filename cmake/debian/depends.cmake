# Read by cpack before it packs: which Debian packages hold the libraries of what was built. Those of the program are required;
# those that only the modules of LibTorch and OpenCV need are recommended.
cmake_policy(SET CMP0057 NEW)  # IN_LIST
set(folder ${CPACK_PACKAGE_DIRECTORY}/shlibdeps)
file(WRITE ${folder}/debian/control "Source: vise-eval\n\nPackage: vise-eval\nArchitecture: any\n")
set(modules "")
if(CPACK_VISE_MODULES)
  set(modules -dRecommends ${CPACK_VISE_MODULES})
endif()
execute_process(COMMAND dpkg-shlibdeps -O -dDepends ${CPACK_VISE_PROGRAM} ${modules}
                WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)

# doctor warns of the reference BLAS, which is what Debian has where nobody asked for another.
set(depends "libopenblas0-pthread")
set(recommends "ca-certificates")
if(found MATCHES "shlibs:Depends=([^\n]+)")
  string(PREPEND depends "${CMAKE_MATCH_1}, ")
endif()
if(found MATCHES "shlibs:Recommends=([^\n]+)")
  string(PREPEND recommends "${CMAKE_MATCH_1}, ")
endif()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "${depends}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "${recommends}")

if(CPACK_VISE_PYTHON AND "python" IN_LIST CPACK_COMPONENTS_ALL)
  execute_process(COMMAND dpkg-shlibdeps -O ${CPACK_VISE_PYTHON}
                  WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "shlibs:Depends=([^\n]+)" unused "${found}")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
      "${CMAKE_MATCH_1}, libopenblas0-pthread, python3 (>= 3.11), python3 (<< 3.12), python3-numpy")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_RECOMMENDS "python3-sklearn, python3-pandas, vise-eval (= ${CPACK_PACKAGE_VERSION})")
endif()
