#include "oracle.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
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

/// What the C code below fills; freed by the caller.
struct Written {
  unsigned char* data = nullptr;
  unsigned long size = 0;
};

void clear_ac(jpeg_decompress_struct& info, const jpeg_component_info& component,
              jvirt_barray_ptr blocks) {
  for (JDIMENSION y = 0; y < component.height_in_blocks; ++y) {
    JBLOCKARRAY row =
        info.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info), blocks, y, 1, TRUE);
    for (JDIMENSION x = 0; x < component.width_in_blocks; ++x)
      for (int k = 1; k < DCTSIZE2; ++k) row[0][x][k] = 0;
  }
}

/// As for decode.
void transcode(std::span<const std::byte> file, std::uint64_t pixels_max, Written& out) {
  jpeg_decompress_struct in;
  jpeg_compress_struct to;
  Errors errors;
  in.err = to.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  jpeg_create_decompress(&in);
  jpeg_create_compress(&to);
  if (setjmp(errors.leave) == 0) {
    jpeg_mem_src(&in, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_read_header(&in, TRUE);
    if (std::uint64_t{in.image_width} * in.image_height <= pixels_max) {
      jvirt_barray_ptr* blocks = jpeg_read_coefficients(&in);
      for (int i = 0; i < in.num_components; ++i) {
        const jpeg_component_info& component = in.comp_info[i];
        if (in.max_h_samp_factor % (2 * component.h_samp_factor) == 0 &&
            in.max_v_samp_factor % (2 * component.v_samp_factor) == 0)
          clear_ac(in, component, blocks[i]);
      }
      jpeg_copy_critical_parameters(&in, &to);
      to.optimize_coding = TRUE;
      jpeg_mem_dest(&to, &out.data, &out.size);
      jpeg_write_coefficients(&to, blocks);
      jpeg_finish_compress(&to);
    }
  } else {
    out.size = 0;
  }
  jpeg_destroy_compress(&to);
  jpeg_destroy_decompress(&in);
}

}  // namespace

Eighth decode_eighth(std::span<const std::byte> file, std::uint64_t pixels_max) {
  Eighth out;
  decode(file, pixels_max, out);
  return out;
}

std::vector<std::byte> with_flat_chroma(std::span<const std::byte> file, std::uint64_t pixels_max) {
  Written written;
  transcode(file, pixels_max, written);
  const auto* data = reinterpret_cast<const std::byte*>(written.data);
  std::vector<std::byte> bytes(data, data + written.size);
  std::free(written.data);
  return bytes;
}

}  // namespace imgproc::oracle
