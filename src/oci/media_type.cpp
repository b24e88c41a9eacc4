#include "oci/media_type.hpp"

#include "core/ascii.hpp"

namespace entrepot {
namespace {

constexpr std::size_t longest = 255;

}  // namespace

Result<MediaType> MediaType::parse(std::string_view text)
{
    const auto slash = text.find('/');
    const bool whole = slash != std::string_view::npos && text.size() <= longest;
    if (!whole || !is_token(text.substr(0, slash)) || !is_token(text.substr(slash + 1))) {
        return fail(Errc::manifest_invalid, "the media type is malformed");
    }
    return MediaType{std::string{text}};
}

Result<MediaType> MediaType::of_content_type(std::string_view value)
{
    value = value.substr(0, value.find(';'));
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    return parse(value);
}

}  // namespace entrepot
