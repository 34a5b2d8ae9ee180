#pragma once
// IMGPROC_SANITIZED is defined where memory is watched by a sanitizer, which GCC and clang tell in
// different ways.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IMGPROC_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IMGPROC_SANITIZED 1
#endif
#endif
