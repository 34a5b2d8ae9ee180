# The system's libjpeg-turbo, which judges image/jpeg_dc in tests and fuzzers; no program links it.
find_path(JPEG_INCLUDE_DIR jpeglib.h REQUIRED)
find_library(JPEG_LIBRARY jpeg REQUIRED)
add_library(jpeg_oracle STATIC ${CMAKE_SOURCE_DIR}/tests/jpeg_dc/oracle.cc)
target_include_directories(jpeg_oracle PUBLIC ${CMAKE_SOURCE_DIR}/tests/jpeg_dc)
target_include_directories(jpeg_oracle SYSTEM PRIVATE ${JPEG_INCLUDE_DIR})
target_link_libraries(jpeg_oracle PUBLIC imgproc_options PRIVATE ${JPEG_LIBRARY})
