# Everything that is not ours. Linked statically where Debian ships an archive, so that the
# programs run from wherever their folder is copied.
find_package(Threads REQUIRED)
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3 REQUIRED)
# Nothing is ever thrown through OpenSSL, which calls none of our code: without the tables for it, a
# program is 0.17 MB smaller in the package.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  foreach(library Crypto SSL)
    get_target_property(original OpenSSL::${library} IMPORTED_LOCATION)
    set(copy ${CMAKE_BINARY_DIR}/openssl/${library}.a)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/openssl)
    execute_process(COMMAND ${CMAKE_OBJCOPY} --remove-section=.eh_frame ${original} ${copy}
      COMMAND_ERROR_IS_FATAL ANY)
    # The system's update of OpenSSL must reach the copy.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${original})
    set_target_properties(OpenSSL::${library} PROPERTIES IMPORTED_LOCATION ${copy})
  endforeach()
endif()
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
if(IMGPROC_TESTS)
  find_package(GTest REQUIRED)
endif()
find_library(PUGIXML_ARCHIVE NAMES libpugixml.a pugixml REQUIRED)
find_package(CLI11 REQUIRED)
find_library(SQLITE3_ARCHIVE libsqlite3.a REQUIRED)
add_library(imgproc_sqlite INTERFACE)
target_link_libraries(imgproc_sqlite INTERFACE
  ${SQLITE3_ARCHIVE} Threads::Threads m ${CMAKE_DL_LIBS})

# The local cloud unpacks uploaded functions with minizip.
find_library(MINIZIP_ARCHIVE libminizip.a REQUIRED)
find_library(ZLIB_ARCHIVE libz.a REQUIRED)
add_library(imgproc_minizip INTERFACE)
target_link_libraries(imgproc_minizip INTERFACE ${MINIZIP_ARCHIVE} ${ZLIB_ARCHIVE})

# libvips comes from npm, locked by third_party/libvips/package-lock.json.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(vips_arch arm64)
else()
  set(vips_arch x64)
endif()
set(vips_modules ${CMAKE_SOURCE_DIR}/third_party/libvips/node_modules/@img)
set(vips_dev ${vips_modules}/sharp-libvips-dev)
set(vips_bin ${vips_modules}/sharp-libvips-linux-${vips_arch})
file(GLOB IMGPROC_VIPS_SO ${vips_bin}/lib/libvips-cpp.so.*)
if(NOT IMGPROC_VIPS_SO)
  message(FATAL_ERROR "libvips is missing: run ./dev build, which fetches it, "
                      "or `npm ci` in third_party/libvips")
endif()
add_library(imgproc_vips INTERFACE)
target_include_directories(imgproc_vips SYSTEM INTERFACE
  ${vips_dev}/include ${vips_dev}/include/glib-2.0 ${vips_bin}/lib/glib-2.0/include)
target_link_libraries(imgproc_vips INTERFACE ${IMGPROC_VIPS_SO})

# A library that is compiled here, from one source that includes all of it.
function(imgproc_included_library name)
  add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/${name}.cc)
  target_compile_options(${name} PRIVATE -O2 -ffunction-sections -fdata-sections
    -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
endfunction()

# fmt: Debian ships no static archive of it, and header-only it doubles the time of every source. Of
# a newer fmt the headers alone are taken.
if(fmt_VERSION VERSION_LESS 10)
  imgproc_included_library(imgproc_fmt)
else()
  add_library(imgproc_fmt INTERFACE)
  target_link_libraries(imgproc_fmt INTERFACE fmt::fmt-header-only)
  # As imgproc_fmt.cc has it.
  target_compile_definitions(imgproc_fmt INTERFACE "FMT_STATIC_THOUSANDS_SEPARATOR=','")
endif()

imgproc_included_library(imgproc_json)
target_link_libraries(imgproc_json PUBLIC Boost::headers)
# What Boost's own targets define: no header asks for a library.
target_compile_definitions(imgproc_json PUBLIC
  BOOST_CONTAINER_NO_LIB BOOST_JSON_NO_LIB BOOST_URL_NO_LIB)

# Every target has the same definitions, so that all share one precompiled header.
target_link_libraries(imgproc_options INTERFACE
  imgproc_json imgproc_fmt Threads::Threads)
