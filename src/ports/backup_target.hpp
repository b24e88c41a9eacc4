#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Bytes that are read from their beginning to their end. Blocks. unavailable.
class ByteReader {
public:
    virtual ~ByteReader() = default;
    virtual std::uint64_t size() const = 0;
    // 0 at the end.
    virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
    // The file that these bytes are, so that a copy may share its blocks; -1 where they are none.
    virtual int file() const noexcept { return -1; }
};

// Where backups lie: objects with names such as "chunks/ab/abcd…", written once and never changed, as a directory or an
// object store has them. Blocks; one thread. What is put is not there before settle(), or it is there in part: whoever
// counts on it settles first. unavailable, storage_full.
class BackupTarget {
public:
    virtual ~BackupTarget() = default;

    // The object's size; nullopt where there is none.
    virtual Result<std::optional<std::uint64_t>> find(const std::string& name) = 0;
    virtual Result<std::unique_ptr<ByteReader>> open(const std::string& name) = 0;  // not_found

    virtual Result<> put(const std::string& name, std::string_view bytes) = 0;
    // All that `source` has; `seen` is given each piece, and its failure ends it without the object.
    using Seen = std::function<Result<>(std::span<const std::byte> piece, bool last)>;
    virtual Result<> copy(const std::string& name, ByteReader& source, const Seen& seen) = 0;
    // All that was put is durable and whole, under its name.
    virtual Result<> settle() = 0;

    // Names below a folder ("backups", "chunks"), without it, in no order.
    virtual Result<> list(const std::string& folder, const std::function<Result<>(std::string_view name)>& each) = 0;
    virtual Result<> remove(const std::string& name) = 0;  // none there is success

    // Held by what it returns, among all processes: one alone, or many that only read. conflict.
    class Hold {
    public:
        virtual ~Hold() = default;
    };
    enum class Use { writing, reading };
    virtual Result<std::unique_ptr<Hold>> hold(Use use) = 0;
};

}  // namespace entrepot
