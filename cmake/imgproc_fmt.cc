// fmt's implementation, compiled once. Debian ships fmt as headers and a shared library only; used
// header-only, its number formatting is generated anew in every source and doubles the build.
// The explicit instantiations are those that fmt 9's headers declare and leave to its library.
// Nothing here is written in the manner of a country: without std::locale, programs that are linked
// statically lack the C++ library's streams and locales, 0.2 MB of the Lambda package.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include <fmt/format-inl.h>

namespace fmt::inline v9::detail {

template auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;
template auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref) -> char;
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<FMT_BUFFER_CONTEXT(char)>,
                         locale_ref);

}  // namespace fmt::inline v9::detail
