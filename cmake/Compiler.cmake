# Warnings, sanitizers and ccache come from one place. Warnings are errors under the two compilers
# that the code is kept clean for, and only there: a user's may know more warnings.
set(werror_default OFF)
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.") OR
   (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\."))
  set(werror_default ON)
endif()
option(IMGPROC_WERROR "Take warnings for errors" ${werror_default})
add_library(imgproc_options INTERFACE)
target_compile_options(imgproc_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wno-missing-field-initializers $<$<BOOL:${IMGPROC_WERROR}>:-Werror>
  # Keep absolute paths out of programs and let every checkout share one compiler cache.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library's own headers when it inlines.
  target_compile_options(imgproc_options INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds
    -Wno-dangling-pointer -Wno-free-nonheap-object)
endif()
target_include_directories(imgproc_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(imgproc_options INTERFACE IMGPROC_VERSION="${PROJECT_VERSION}")

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(imgproc_options INTERFACE -O1 -g1)
else()
  target_compile_definitions(imgproc_options INTERFACE _FORTIFY_SOURCE=2)
  # Where the time goes elsewhere (SMALL in Module.cmake), code is a fifth smaller for the package.
  target_compile_options(imgproc_options INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:IMGPROC_SMALL>>,-Os,-O2> -fstack-protector-strong
    -ffunction-sections -fdata-sections)
  target_link_options(imgproc_options INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now -s)
endif()

if(IMGPROC_SANITIZE)
  target_compile_options(imgproc_options INTERFACE
    -fsanitize=${IMGPROC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(imgproc_options INTERFACE -fsanitize=${IMGPROC_SANITIZE})
endif()

if(IMGPROC_FUZZ)
  target_compile_options(imgproc_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
# The mold linker halves the time of a link where it is installed; the result is the same.
find_program(MOLD mold)
if(MOLD AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_link_options(imgproc_options INTERFACE -fuse-ld=mold)
endif()
