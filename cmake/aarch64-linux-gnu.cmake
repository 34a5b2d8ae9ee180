# Cross build for arm64 (Lambda on Graviton) with Debian's g++-aarch64-linux-gnu, against the
# packages that packaging/arm64_sysroot.sh unpacks into IMGPROC_SYSROOT.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES IMGPROC_SYSROOT)
set(CMAKE_FIND_ROOT_PATH ${IMGPROC_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Headers that depend on the processor stand beside the others in Debian.
set(CMAKE_CXX_FLAGS_INIT "-idirafter ${IMGPROC_SYSROOT}/usr/include \
-idirafter ${IMGPROC_SYSROOT}/usr/include/aarch64-linux-gnu")
