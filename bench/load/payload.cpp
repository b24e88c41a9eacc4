#include "payload.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include <openssl/evp.h>

namespace entrepot::load {
namespace {

std::mt19937_64& generator()
{
    static std::mt19937_64 shared = [] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device()};
        return std::mt19937_64{seed};
    }();
    return shared;
}

std::string hexadecimal(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

}  // namespace

std::string digest_of(std::string_view content)
{
    std::array<unsigned char, 32> sum{};
    EVP_Digest(content.data(), content.size(), sum.data(), nullptr, EVP_sha256(), nullptr);
    return "sha256:" + hexadecimal({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

std::string unique_bytes(std::size_t size)
{
    std::string bytes(size, '\0');
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
        const std::uint64_t word = generator()();
        std::memcpy(bytes.data() + at, &word, std::min(sizeof word, size - at));
    }
    return bytes;
}

std::string unique_name()
{
    return hexadecimal(unique_bytes(16));
}

}  // namespace entrepot::load
