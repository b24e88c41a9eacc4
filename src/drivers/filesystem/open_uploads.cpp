#include "drivers/filesystem/open_uploads.hpp"

#include "drivers/filesystem/small_blobs.hpp"

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

FilesystemUpload::FilesystemUpload(std::shared_ptr<UploadFile> file, SmallBlobs& small, asio::thread_pool& syncing)
    : file_{std::move(file)}, small_{small}, syncing_{syncing}
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
    if (file_->progress().offset <= BlobCache::small) co_return co_await commit_small(std::move(expected));
    auto finish = [file = file_, expected = std::move(expected)] { return file->finish(expected); };
    auto size = co_await offload(syncing_, std::move(finish));
    co_return size;
}

Task<std::uint64_t> FilesystemUpload::commit_small(Digest expected)
{
    auto take = [file = file_, expected] { return file->take_bytes(expected); };
    CO_TRY(auto bytes, co_await offload(syncing_, std::move(take)));
    const std::uint64_t size = bytes.size();
    auto stored = co_await small_.put(std::move(expected), std::move(bytes));
    auto end = [file = file_, stored = std::move(stored)] {
        file->bytes_taken(stored.has_value());
        return stored;
    };
    CO_CHECK(co_await offload(syncing_, std::move(end)));
    co_return size;
}

}  // namespace entrepot
