# Everything that is not ours. Linked statically where Debian ships an archive, so that the
# programs run from wherever their folder is copied.
find_package(Threads REQUIRED)
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3 REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
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

# fmt's implementation is compiled here, once: Debian ships no static archive of it, and header-only
# it doubles the time of every source. Of a newer fmt the headers alone are taken.
if(fmt_VERSION VERSION_LESS 10)
  add_library(imgproc_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt.cc)
  target_compile_options(imgproc_fmt PRIVATE -O2 -ffunction-sections -fdata-sections
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
else()
  add_library(imgproc_fmt INTERFACE)
  target_link_libraries(imgproc_fmt INTERFACE fmt::fmt-header-only)
endif()

# Every target has the same definitions, so that all share one precompiled header.
target_link_libraries(imgproc_options INTERFACE
  Boost::json Boost::url imgproc_fmt Threads::Threads)
