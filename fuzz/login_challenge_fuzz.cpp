// What another registry sends as its challenge is read to its end, and nothing is made up.
#include "drivers/replica/registry_replica.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto challenge = entrepot::parse_login_challenge(text);
    if (challenge.realm.size() + challenge.service.size() > size || challenge.scheme.size() > size) std::abort();
    return 0;
}
