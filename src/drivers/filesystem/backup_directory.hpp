#pragma once

#include "drivers/filesystem/file_batch.hpp"
#include "ports/backup_target.hpp"

#include <filesystem>
#include <memory>
#include <optional>

namespace entrepot {

// Backups in a directory (docs/formats/backup.md). It is made when something is first put there.
class BackupDirectory final : public BackupTarget {
public:
    explicit BackupDirectory(std::filesystem::path directory, FileSharing sharing = FileSharing::blocks);

    Result<std::optional<std::uint64_t>> find(const std::string& name) override;
    Result<std::unique_ptr<ByteReader>> open(const std::string& name) override;
    Result<> put(const std::string& name, std::string_view bytes) override;
    Result<> copy(const std::string& name, ByteReader& source, const Seen& seen) override;
    Result<> settle() override;
    Result<> list(const std::string& folder, const std::function<Result<>(std::string_view name)>& each) override;
    Result<> remove(const std::string& name) override;
    Result<std::unique_ptr<Hold>> hold(Use use) override;

private:
    Result<FileBatch*> batch();

    std::filesystem::path directory_;
    FileSharing sharing_;
    std::optional<FileBatch> batch_;
};

}  // namespace entrepot
