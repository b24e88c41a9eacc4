#include "drivers/filesystem/upload_file_view.hpp"

#include "drivers/filesystem/posix.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

class UploadFileView final : public UploadView {
public:
    explicit UploadFileView(int descriptor) : file_{std::make_shared<const OpenFile>(descriptor)} {}

    // The kernel shows a size only when the bytes below it are there.
    std::uint64_t written() const noexcept override
    {
        struct stat status{};
        if (::fstat(file_->descriptor(), &status) != 0) return 0;
        return static_cast<std::uint64_t>(status.st_size);
    }

    Result<UploadPart> part(std::uint64_t offset, std::uint64_t length) override
    {
        const auto there = written();
        if (offset > there || length > there - offset) return fail(Errc::range_invalid, "that is not written yet");
        return UploadPart{.bytes = nullptr, .file = file_};
    }

private:
    const std::shared_ptr<const OpenFile> file_;
};

}  // namespace

Result<std::shared_ptr<UploadView>> view_upload(int uploads, const UploadId& id)
{
    FileDescriptor file{::openat(uploads, id.text.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file && errno == ENOENT) return fail(Errc::upload_unknown, "the upload is not known");
    if (!file) return system_failure("open an upload for reading");
    return std::make_shared<UploadFileView>(file.release());
}

}  // namespace entrepot
