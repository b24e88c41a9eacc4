#include "upkeep/backup/compressed.hpp"

#include <stdexcept>

#include <zstd.h>

namespace entrepot {
namespace {

// What rows of a registry gain from higher levels is a few per cent, for several times the work.
constexpr int level = 3;

}  // namespace

std::string compressed(std::string_view content)
{
    std::string frame(ZSTD_compressBound(content.size()), '\0');
    const auto size = ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), level);
    if (ZSTD_isError(size) != 0) throw std::runtime_error{std::string{"zstd: "} + ZSTD_getErrorName(size)};
    frame.resize(size);
    return frame;
}

Result<std::string> decompressed(std::string_view frame, std::size_t most)
{
    const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > most)
        return fail(Errc::corrupt, "this is no zstd frame of a backup");
    std::string content(size, '\0');
    const auto got = ZSTD_decompress(content.data(), content.size(), frame.data(), frame.size());
    if (ZSTD_isError(got) != 0) return fail(Errc::corrupt, "a zstd frame is damaged", ZSTD_getErrorName(got));
    if (got != content.size()) return fail(Errc::corrupt, "a zstd frame is shorter than it says");
    return content;
}

}  // namespace entrepot
