#include "ports/blob_store.hpp"

#include <algorithm>

namespace entrepot {

std::optional<UploadId> UploadId::parse(std::string_view text)
{
    const auto is_lower_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (text.size() != 32 || !std::ranges::all_of(text, is_lower_hex)) return std::nullopt;
    return UploadId{std::string{text}};
}

}  // namespace entrepot
