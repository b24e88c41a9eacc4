#pragma once

#include "core/file_descriptor.hpp"
#include "ports/index_files.hpp"

#include <cstdint>
#include <filesystem>

namespace entrepot {

// The journal of the index in a directory, made when something is first written (docs/formats/index.md).
class IndexDirectory final : public IndexFiles {
public:
    explicit IndexDirectory(std::filesystem::path directory) : directory_{std::move(directory)} {}

    Result<bool> hold() override;
    Result<std::vector<std::int64_t>> segments() override;
    Result<std::string> read(std::int64_t segment) override;
    Result<> begin(std::int64_t segment, std::string_view bytes) override;
    Result<> append(std::string_view bytes) override;
    std::uint64_t size() const override { return size_; }
    Result<> remove(std::int64_t segment) override;

private:
    std::filesystem::path path_of(std::int64_t segment) const;

    std::filesystem::path directory_;
    FileDescriptor lock_;
    FileDescriptor file_;
    std::uint64_t size_ = 0;
    bool is_torn_ = false;  // behind size_ may be what a failed append has left
};

}  // namespace entrepot
