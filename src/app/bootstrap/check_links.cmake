# Fails if bootstrap was linked with what it must not hold: the local cloud, libvips, or a shared
# library that Lambda's provided.al2023 may not have. MAP is the linker's map, PROGRAM the result.
file(STRINGS ${MAP} lines)
list(LENGTH lines count)
if(count LESS 100)
  message(FATAL_ERROR "${MAP} is no linker map: ${count} lines")
endif()
list(FILTER lines INCLUDE REGEX
  "imgproc_localcloud|imgproc_image|libvips|libsqlite|imgproc::localcloud|imgproc::image::")
if(lines)
  list(GET lines 0 first)
  message(FATAL_ERROR "bootstrap holds what it must not: ${first}")
endif()

execute_process(COMMAND readelf -d ${PROGRAM} OUTPUT_VARIABLE dynamic RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "readelf cannot read ${PROGRAM}")
endif()
string(REGEX MATCHALL "Shared library: \\[[^]]*\\]" needed "${dynamic}")
if(NOT needed)
  message(FATAL_ERROR "no shared library at all: this is not the program that was meant")
endif()
foreach(library ${needed})
  # A sanitizer's own library comes with the sanitizer.
  if(NOT library MATCHES
     "\\[(libc|libm|ld-linux-x86-64|ld-linux-aarch64|libasan|libubsan|libtsan)\\.so")
    message(FATAL_ERROR "bootstrap needs ${library}")
  endif()
endforeach()
message(STATUS "bootstrap needs only: ${needed}")
