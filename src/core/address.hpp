#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace entrepot {

// A host's numeric address: IPv6, IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that both compare alike.
class Address {
public:
    Address() noexcept = default;
    // "192.0.2.1", "2001:db8::1", also in brackets or with a port behind it, as X-Forwarded-For may hold it.
    static std::optional<Address> parse(std::string_view text);
    static Address of(const sockaddr& peer) noexcept;
    static Address of_bytes(const std::array<std::uint8_t, 16>& bytes) noexcept
    {
        Address address;
        address.bytes_ = bytes;
        return address;
    }

    std::string text() const;
    bool is_v4() const noexcept;
    const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

    bool operator==(const Address&) const noexcept = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

// A list of networks. Immutable once built.
class CidrList {
public:
    // Each entry is an address or "address/prefix". Throws std::runtime_error when one is malformed.
    explicit CidrList(const std::vector<std::string>& networks);
    bool contains(const Address& address) const noexcept;

private:
    struct Network {
        Address address;
        unsigned prefix = 128;
    };
    std::vector<Network> networks_;
};

}  // namespace entrepot
