#include "registry/blob_bytes.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace entrepot {

Result<std::size_t> read_blob_at(const BlobContent& content, std::uint64_t offset, std::span<char> into)
{
    if (offset >= content.size) return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), content.size - offset));
    if (content.bytes) {
        std::memcpy(into.data(), content.bytes->data() + offset, wanted);
        return wanted;
    }
    std::size_t have = 0;
    while (have < wanted) {
        const auto at = static_cast<off_t>(offset + have);
        const auto got = ::pread(content.file->descriptor(), into.data() + have, wanted - have, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::unavailable, "the blob can't be read", std::strerror(errno));
        if (got == 0) return fail(Errc::corrupt, "the stored blob is damaged", "it is shorter than recorded");
        have += static_cast<std::size_t>(got);
    }
    return have;
}

Result<std::string> read_whole_blob(const BlobContent& content, std::size_t most)
{
    if (content.size > most) return fail(Errc::unprocessable, "the content is too large to be shown");
    std::string text(static_cast<std::size_t>(content.size), '\0');
    CHECK(read_blob_at(content, 0, text));
    return text;
}

}  // namespace entrepot
