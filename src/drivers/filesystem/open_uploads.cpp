#include "drivers/filesystem/open_uploads.hpp"

#include <utility>

namespace entrepot {

std::shared_ptr<UploadFile> OpenUploads::enter(const std::shared_ptr<UploadFile>& file)
{
    const std::lock_guard guard{mutex_};
    auto& entry = files_[file->id().text];
    auto previous = entry.file.lock();
    entry = {file.get(), file};
    return previous;
}

std::shared_ptr<UploadFile> OpenUploads::find(const UploadId& id)
{
    const std::lock_guard guard{mutex_};
    const auto place = files_.find(id.text);
    return place == files_.end() ? nullptr : place->second.file.lock();
}

void OpenUploads::leave(const UploadFile& file)
{
    const std::lock_guard guard{mutex_};
    const auto place = files_.find(file.id().text);
    if (place != files_.end() && place->second.identity == &file) files_.erase(place);
}

FilesystemUpload::FilesystemUpload(std::shared_ptr<UploadFile> file, asio::thread_pool& syncing)
    : file_{std::move(file)}, syncing_{syncing}
{
}

FilesystemUpload::~FilesystemUpload()
{
    file_->abandon();
}

Task<> FilesystemUpload::append(Buffer chunk)
{
    CO_CHECK(co_await file_->drain_to(UploadFile::most_in_flight - 1));
    co_return file_->push(std::move(chunk));
}

Task<BlobUpload::Progress> FilesystemUpload::settle()
{
    CO_CHECK(co_await file_->drain_to(0));
    co_return file_->progress();
}

Task<std::uint64_t> FilesystemUpload::commit(Digest expected)
{
    CO_CHECK(co_await file_->drain_to(0));
    auto finish = [file = file_, expected = std::move(expected)] { return file->finish(expected); };
    auto size = co_await offload(syncing_, std::move(finish));
    co_return size;
}

}  // namespace entrepot
