# One folder = one library = one namespace; its unit tests stand beside their sources.
#
#   imgproc_module(image USES base ports LINKS imgproc_vips)
#
# makes library imgproc_image of every *.cc below the folder (tests and main.cc left out) and
# program image_test of every *_test.cc, which ctest runs. A folder within it that is a library of
# its own is named in APART. SMALL is for what is in the Lambda package and not where time is spent:
# it is optimised for size.
function(imgproc_module name)
  cmake_parse_arguments(ARG "SMALL" "" "USES;LINKS;TEST_LINKS;APART" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(folder ${ARG_APART})
    list(FILTER sources EXCLUDE REGEX "/${name}/${folder}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")

  add_library(imgproc_${name} STATIC ${sources})
  list(TRANSFORM ARG_USES PREPEND imgproc_)
  target_link_libraries(imgproc_${name} PUBLIC imgproc_options ${ARG_USES} ${ARG_LINKS})
  set_target_properties(imgproc_${name} PROPERTIES IMGPROC_SMALL ${ARG_SMALL})
  imgproc_precompile(imgproc_${name})
  set_property(GLOBAL APPEND PROPERTY IMGPROC_MODULES imgproc_${name})

  if(tests AND IMGPROC_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE imgproc_${name} ${ARG_TEST_LINKS}
      GTest::gmock GTest::gtest_main)
    imgproc_precompile(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
  endif()
endfunction()

# The few heavy headers nearly every file needs, parsed once for all targets: once for either way
# of optimising, since the compiler takes them for its own only.
foreach(suffix "" _small)
  set(name imgproc_precompiled${suffix})
  add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
  if(suffix)
    set_target_properties(${name} PROPERTIES IMGPROC_SMALL ON)
  endif()
  target_link_libraries(${name} PUBLIC imgproc_options)
  target_precompile_headers(${name} PRIVATE
    <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <functional> <map> <memory>
    <mutex> <optional> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant>
    <vector> <boost/json.hpp> <fmt/format.h>)
endforeach()

function(imgproc_precompile target)
  get_target_property(small ${target} IMGPROC_SMALL)
  if(small)
    target_precompile_headers(${target} REUSE_FROM imgproc_precompiled_small)
  else()
    target_precompile_headers(${target} REUSE_FROM imgproc_precompiled)
  endif()
endfunction()

# Everything that ./dev run needs, and no test.
add_custom_target(programs)

# A program of src/app/<folder>: every source of the folder, main.cc included.
function(imgproc_program name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_executable(${name} ${sources})
  list(TRANSFORM ARG_USES PREPEND imgproc_)
  target_link_libraries(${name} PRIVATE imgproc_options ${ARG_USES} ${ARG_LINKS})
  imgproc_precompile(${name})
  add_dependencies(programs ${name})
endfunction()
