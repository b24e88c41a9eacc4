#pragma once

#include "drivers/filesystem/upload_file.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace entrepot {

class SmallBlobs;

// Who writes to which upload in this process: one at a time, the latest. Safe from any thread.
class OpenUploads {
public:
    // Makes `file` the writer of its upload and returns the one before, which has to retire.
    std::shared_ptr<UploadFile> enter(const std::shared_ptr<UploadFile>& file);
    std::shared_ptr<UploadFile> find(const UploadId& id);
    // Forgets `file` unless a later one took its place.
    void leave(const UploadFile& file);

private:
    struct Entry {
        const UploadFile* identity = nullptr;
        std::weak_ptr<UploadFile> file;
    };
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> files_;
};

// The upload as its request sees it.
class FilesystemUpload final : public BlobUpload {
public:
    FilesystemUpload(std::shared_ptr<UploadFile> file, SmallBlobs& small, asio::thread_pool& syncing);
    ~FilesystemUpload() override;
    FilesystemUpload(const FilesystemUpload&) = delete;
    FilesystemUpload& operator=(const FilesystemUpload&) = delete;

    Task<> append(Buffer chunk) override;
    Task<Progress> settle() override;
    Task<std::uint64_t> commit(Digest expected) override;

private:
    Task<std::uint64_t> commit_small(Digest expected);

    std::shared_ptr<UploadFile> file_;
    SmallBlobs& small_;
    asio::thread_pool& syncing_;
};

}  // namespace entrepot
