#include "oracle.h"

#include <csetjmp>
#include <cstdio>
// After cstdio, whose FILE it uses.
#include <jpeglib.h>

namespace imgproc::oracle {
namespace {

struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf leave;
};

void on_error(j_common_ptr info) {
  std::longjmp(reinterpret_cast<Errors*>(info->err)->leave, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level < 0) ++info->err->num_warnings;
}

/// Everything between setjmp and a longjmp out of libjpeg; `out` belongs to the caller, so that
/// nothing with a destructor lives here.
void decode(std::span<const std::byte> file, std::uint64_t pixels_max, Eighth& out) {
  jpeg_decompress_struct info;
  Errors errors;
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  if (setjmp(errors.leave) != 0) {
    out.warnings = errors.manager.num_warnings;
    jpeg_destroy_decompress(&info);
    return;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  if (std::uint64_t{info.image_width} * info.image_height <= pixels_max) {
    info.scale_num = 1;
    info.scale_denom = 8;
    jpeg_start_decompress(&info);
    out.width = info.output_width;
    out.height = info.output_height;
    out.bands = static_cast<unsigned>(info.output_components);
    const std::size_t row_bytes = std::size_t{out.width} * out.bands;
    out.pixels.resize(row_bytes * out.height);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = out.pixels.data() + row_bytes * info.output_scanline;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    out.is_decoded = true;
  }
  out.warnings = errors.manager.num_warnings;
  jpeg_destroy_decompress(&info);
}

}  // namespace

Eighth decode_eighth(std::span<const std::byte> file, std::uint64_t pixels_max) {
  Eighth out;
  decode(file, pixels_max, out);
  return out;
}

}  // namespace imgproc::oracle
