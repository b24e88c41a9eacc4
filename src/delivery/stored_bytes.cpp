#include "delivery/stored_bytes.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace entrepot {

Result<std::size_t> read_blob_at(const OpenFile& file, std::uint64_t offset, std::span<std::byte> into)
{
    std::size_t got = 0;
    while (got < into.size()) {
        const auto count =
            ::pread(file.descriptor(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(Errc::unavailable, "a blob can't be read", std::strerror(errno));
        if (count == 0) break;
        got += static_cast<std::size_t>(count);
    }
    return got;
}

Digest named_by(const Sha256& hash)
{
    return Digest::of_hash(DigestAlgorithm::sha256, as_text(std::as_bytes(std::span{hash.bytes})));
}

}  // namespace entrepot
