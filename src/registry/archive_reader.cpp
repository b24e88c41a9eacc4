#include "registry/archive_reader.hpp"

#include "registry/blob_bytes.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

namespace entrepot {
namespace {

struct CloseArchive {
    void operator()(archive* reader) const noexcept { archive_read_free(reader); }
};
using ArchivePtr = std::unique_ptr<archive, CloseArchive>;

// What libarchive reads from; its callbacks are C.
struct Source {
    const BlobContent& content;
    std::uint64_t offset = 0;
    std::array<char, 64 * 1024> buffer{};
};

la_ssize_t read_more(archive* reader, void* opaque, const void** block)
{
    auto& source = *static_cast<Source*>(opaque);
    const auto got = read_blob_at(source.content, source.offset, source.buffer);
    if (!got) {
        archive_set_error(reader, EIO, "the blob can't be read");
        return -1;
    }
    source.offset += *got;
    *block = source.buffer.data();
    return static_cast<la_ssize_t>(*got);
}

std::unexpected<Error> unreadable(archive* reader)
{
    const char* why = archive_error_string(reader);
    return fail(Errc::unprocessable, "the content is not a readable archive", why ? why : "");
}

// Walks through one archive within its limits.
class Walk {
public:
    Walk(archive* reader, const Clock& clock, const ArchiveLimits& limits)
        : reader_{reader}, clock_{clock}, limits_{limits}, deadline_{clock.steady() + limits.time}
    {
    }

    Result<std::string> find(const std::function<bool(std::string_view)>& wanted)
    {
        for (std::size_t entries = 0;; ++entries) {
            archive_entry* entry = nullptr;
            const int status = archive_read_next_header(reader_, &entry);
            if (status == ARCHIVE_EOF) return fail(Errc::not_found, "the archive holds no such file");
            if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return unreadable(reader_);
            if (entries >= limits_.entries) return too_much();
            const char* path = archive_entry_pathname_utf8(entry);
            const bool file = archive_entry_filetype(entry) == S_IFREG && archive_entry_hardlink(entry) == nullptr;
            const bool found = path != nullptr && file && wanted(path);
            std::string content;
            CHECK(read_entry(found ? &content : nullptr));
            if (found) return content;
        }
    }

private:
    static std::unexpected<Error> too_much()
    {
        return fail(Errc::unprocessable, "the archive is too large to be looked into");
    }

    // Every entry's data is read here, also of those that nobody wants: what is skipped counts too.
    Result<> read_entry(std::string* into)
    {
        std::array<char, 32 * 1024> piece{};
        while (true) {
            const auto got = archive_read_data(reader_, piece.data(), piece.size());
            if (got == 0) return {};
            if (got < 0) return unreadable(reader_);
            unpacked_ += static_cast<std::uint64_t>(got);
            if (unpacked_ > limits_.unpacked_bytes || clock_.steady() > deadline_) return too_much();
            if (into == nullptr) continue;
            into->append(piece.data(), static_cast<std::size_t>(got));
            if (into->size() > limits_.file_bytes) return too_much();
        }
    }

    archive* reader_;
    const Clock& clock_;
    const ArchiveLimits& limits_;
    std::chrono::steady_clock::time_point deadline_;
    std::uint64_t unpacked_ = 0;
};

}  // namespace

Result<std::string> read_archived_file(
    const BlobContent& archive_content,
    const std::function<bool(std::string_view path)>& wanted,
    const Clock& clock,
    const ArchiveLimits& limits
)
{
    const auto source = std::make_unique<Source>(Source{.content = archive_content});
    const ArchivePtr reader{archive_read_new()};
    if (!reader) return fail(Errc::internal, "out of memory");
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_format_tar(reader.get());
    if (archive_read_open(reader.get(), source.get(), nullptr, read_more, nullptr) != ARCHIVE_OK) {
        return unreadable(reader.get());
    }
    return Walk{reader.get(), clock, limits}.find(wanted);
}

}  // namespace entrepot
