#include "core/random.hpp"

#include "core/bytes.hpp"

#include <cerrno>
#include <stdexcept>
#include <vector>

#include <sys/random.h>

namespace entrepot {

std::string Random::base64url(std::size_t count)
{
    std::vector<std::byte> bytes(count);
    fill(bytes);
    return to_base64url(bytes);
}

std::string Random::hex(std::size_t count)
{
    std::vector<std::byte> bytes(count);
    fill(bytes);
    return to_hex(bytes);
}

void SystemRandom::fill(std::span<std::byte> into)
{
    while (!into.empty()) {
        const auto count = ::getrandom(into.data(), into.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw std::runtime_error{"the kernel gives no random bytes"};
        into = into.subspan(static_cast<std::size_t>(count));
    }
}

}  // namespace entrepot
