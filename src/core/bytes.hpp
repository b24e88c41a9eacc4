#pragma once

#include "core/task.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// Bytes that arrive over time, such as a request's body. One reader at a time.
class ByteSource {
public:
    virtual ~ByteSource() = default;

    // How many bytes will come in all, where that is known in advance.
    virtual std::optional<std::uint64_t> size() const = 0;

    // Fills the front of `into` with at least one byte and returns how many; 0 at the end, or when `into` is empty.
    // request_timeout, connection_lost, bad_request (broken framing), payload_too_large.
    virtual Task<std::size_t> read(std::span<std::byte> into) = 0;
};

// Reads until `into` is full or the source ends; returns how many bytes it got.
Task<std::size_t> read_full(ByteSource& source, std::span<std::byte> into);

// The whole of `source` as text. payload_too_large beyond `limit` bytes.
Task<std::string> read_all(ByteSource& source, std::size_t limit);

// An open file descriptor that is closed with its last owner. Immutable: readers use pread or sendfile.
class OpenFile {
public:
    explicit OpenFile(int descriptor) noexcept : descriptor_{descriptor} {}
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

inline std::span<const std::byte> as_bytes(std::string_view text) noexcept
{
    return std::as_bytes(std::span{text.data(), text.size()});
}

inline std::string_view as_text(std::span<const std::byte> bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hexadecimal.
std::string to_hex(std::span<const std::byte> bytes);

// Base64 with the URL alphabet and without padding (RFC 4648 section 5), and plain with padding (section 4).
// The decoders are strict: nothing but the alphabet, no stray bits; nullopt otherwise.
std::string to_base64url(std::span<const std::byte> bytes);
std::optional<std::string> from_base64url(std::string_view text);
std::string to_base64(std::span<const std::byte> bytes);
std::optional<std::string> from_base64(std::string_view text);

// Equal or not in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept;

}  // namespace entrepot
