#pragma once

#include "drivers/filesystem/file_batch.hpp"
#include "ports/stored_files.hpp"

#include <filesystem>
#include <optional>

namespace entrepot {

// The files of a blob store (docs/formats/blob-layout.md), with or without a running server: takes no slot and replays
// no journal.
class StoredBlobFiles final : public BlobFiles {
public:
    // not_found where there is no store; with `make` it is made.
    static Result<StoredBlobFiles> open_store(const std::filesystem::path& root, bool make);

    Result<std::unique_ptr<BackupTarget::Hold>> hold_removals() override;
    Result<std::unique_ptr<ByteReader>> open(const Digest& digest) override;
    Result<std::optional<std::uint64_t>> find(const Digest& digest) override;
    Result<> take_in(const Digest& digest, ByteReader& source, const BackupTarget::Seen& seen) override;
    Result<> settle() override;

private:
    StoredBlobFiles(std::filesystem::path path, FileDescriptor root) : path_{std::move(path)}, root_{std::move(root)} {}

    std::filesystem::path path_;
    FileDescriptor root_;
    std::optional<FileBatch> batch_;
};

// Files below a directory whose names a filter takes.
class DirectoryFiles final : public KeptFiles {
public:
    using Wanted = bool (*)(std::string_view name);
    DirectoryFiles(std::filesystem::path directory, Wanted wanted) : directory_{std::move(directory)}, wanted_{wanted}
    {
    }

    Result<std::vector<std::string>> list() override;
    Result<std::unique_ptr<ByteReader>> open(const std::string& path) override;
    Result<> write(const std::string& path, const std::function<Result<std::string>()>& next_piece) override;

private:
    std::filesystem::path directory_;
    Wanted wanted_;
};

}  // namespace entrepot
