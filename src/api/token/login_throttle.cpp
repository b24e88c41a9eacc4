#include "api/token/login_throttle.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

namespace entrepot {
namespace {

constexpr std::string_view break_glass_user = "admin";

// From the `from`th failure on: 1 s, doubling.
struct Growth {
    unsigned from;
    std::chrono::seconds longest;
};
constexpr Growth of_pair{10, std::chrono::seconds{60}};
constexpr Growth of_user{20, std::chrono::minutes{15}};
constexpr std::chrono::hours memory_of_user{1};

std::chrono::seconds delay_after(unsigned failures, const Growth& growth) noexcept
{
    if (failures < growth.from) return std::chrono::seconds{0};
    const auto doublings = std::min(failures - growth.from, 12U);
    return std::min(std::chrono::seconds{1 << doublings}, growth.longest);
}

// User names hold no control characters (parse_basic), so a pair reads in one way only.
std::string pair_of(std::string_view user, std::string_view source)
{
    std::string pair{user};
    pair += '\n';
    pair += source;
    return pair;
}

}  // namespace

// The break-glass user is never held up at the machine itself by what strangers do.
bool LoginThrottle::is_trusted(std::string_view user, std::string_view source, const std::string& pair) const
{
    return trusted_.find(pair) != nullptr || (user == break_glass_user && is_loopback(source));
}

std::chrono::seconds LoginThrottle::left(const Failures* failures) const
{
    if (failures == nullptr) return std::chrono::seconds{0};
    const auto left = failures->until - clock_.steady();
    return std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds{0});
}

std::chrono::seconds LoginThrottle::remaining(std::string_view user, std::string_view source) const
{
    const auto pair = pair_of(user, source);
    const std::lock_guard lock{mutex_};
    const auto here = left(pairs_.find(pair));
    return is_trusted(user, source, pair) ? here : std::max(here, left(users_.find(user)));
}

void LoginThrottle::failed(std::string_view user, std::string_view source)
{
    const auto pair = pair_of(user, source);
    const auto now = clock_.steady();
    const std::lock_guard lock{mutex_};
    auto& here = pairs_.touch(pair);
    here.until = now + delay_after(++here.count, of_pair);
    if (is_trusted(user, source, pair)) return;
    auto& everywhere = users_.touch(user);
    if (now - everywhere.last > memory_of_user) everywhere.count = 0;
    everywhere.last = now;
    everywhere.until = now + delay_after(++everywhere.count, of_user);
}

void LoginThrottle::succeeded(std::string_view user, std::string_view source)
{
    const auto pair = pair_of(user, source);
    const std::lock_guard lock{mutex_};
    pairs_.remove(pair);
    // A success where the user is known says nothing about the strangers.
    if (!is_trusted(user, source, pair)) users_.remove(user);
    trusted_.touch(pair);
}

std::string throttled_source(std::string_view client)
{
    const std::string text{client};
    std::array<unsigned char, 16> address{};
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return text;
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (std::memcmp(address.data(), mapped.data(), mapped.size()) == 0) {
        ::inet_ntop(AF_INET, address.data() + mapped.size(), out.data(), out.size());
        return out.data();
    }
    std::fill(address.begin() + 8, address.end(), static_cast<unsigned char>(0));
    ::inet_ntop(AF_INET6, address.data(), out.data(), out.size());
    return std::string{out.data()} + "/64";
}

bool is_loopback(std::string_view client)
{
    // As throttled_source() writes ::1, too.
    return client.starts_with("127.") || client == "::1" || client == "::/64";
}

}  // namespace entrepot
