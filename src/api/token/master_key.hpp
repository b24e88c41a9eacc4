#pragma once

#include "core/error.hpp"
#include "core/random.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// The 32 bytes under which secrets are sealed at rest. Wiped from memory with its last copy.
class MasterKey {
public:
    // 64 hexadecimal digits, or base64 of 32 bytes; white space around it is ignored. bad_request.
    static Result<MasterKey> parse(std::string_view text);
    // The key in `file`, which is made (mode 0600, synced, never overwritten) when it doesn't exist. bad_request for
    // a file that holds none; unavailable when it can't be read or made. Blocks.
    static Result<MasterKey> load_or_create(const std::filesystem::path& file, Random& random);

    ~MasterKey();
    MasterKey(const MasterKey&) = default;
    MasterKey& operator=(const MasterKey&) = default;

    std::span<const std::byte, 32> bytes() const noexcept { return bytes_; }
    // Eight hexadecimal digits that tell keys apart without saying anything about them.
    std::string fingerprint() const;

private:
    MasterKey() = default;
    std::array<std::byte, 32> bytes_{};
};

}  // namespace entrepot
