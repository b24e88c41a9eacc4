#pragma once

#include "core/bytes.hpp"
#include "ports/audit_store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace entrepot {

// Audit chains as files: DIRECTORY/INSTANCE/00000001.jsonl and on (docs/formats/audit.md). All blocks.

// Reads the chains of every instance in a directory. Safe from any thread.
class AuditFiles final : public AuditSegments {
public:
    explicit AuditFiles(std::filesystem::path directory) : directory_{std::move(directory)} {}

    Result<std::vector<std::string>> instances() override;
    Result<std::vector<AuditSegment>> segments(const std::string& instance) override;
    Result<std::string>
    read(const std::string& instance, std::uint64_t number, std::uint64_t offset, std::size_t length) override;

private:
    std::filesystem::path directory_;
};

// Another process writes this chain.
class AuditChainInUse : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Writes the chain of one instance: holds its folder's lock. Room is reserved by fallocate behind the file's end, so
// that an append to a full disk still succeeds. append() and what changes segments by one thread, cursors by any.
class AuditFileWriter final : public AuditSegmentWriter, public AuditCursors {
public:
    // Throws AuditChainInUse, and std::runtime_error when the folder can't be made or written.
    AuditFileWriter(const std::filesystem::path& directory, const std::string& instance);
    ~AuditFileWriter() override;
    AuditFileWriter(const AuditFileWriter&) = delete;
    AuditFileWriter& operator=(const AuditFileWriter&) = delete;

    Result<> resume(std::uint64_t number, std::uint64_t length) override;
    Result<> begin(std::uint64_t number) override;
    Result<> append(std::string_view bytes) override;
    std::uint64_t room() const override;
    Result<> make_room(std::uint64_t bytes) override;
    Result<> remove(std::uint64_t number) override;
    void close() override;

    Result<std::string> load(const std::string& name) override;
    Result<> save(const std::string& name, std::string_view text) override;

private:
    Result<> mend();

    std::filesystem::path folder_;
    std::optional<OpenFile> lock_;
    int folder_descriptor_ = -1;
    int file_ = -1;
    std::uint64_t size_ = 0;      // acknowledged
    std::uint64_t reserved_ = 0;  // the file's blocks reach to here
    bool damaged_ = false;        // a write failed: something may lie behind size_
};

}  // namespace entrepot
