#include "api/token/login_throttle.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

namespace entrepot {
namespace {

constexpr unsigned free_failures = 10;
constexpr unsigned longest_doubling = 6;
constexpr std::chrono::seconds longest_delay{60};

std::chrono::seconds delay_after(unsigned failures) noexcept
{
    if (failures < free_failures) return std::chrono::seconds{0};
    const auto doublings = std::min(failures - free_failures, longest_doubling);
    return std::min(std::chrono::seconds{1 << doublings}, longest_delay);
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

std::chrono::seconds LoginThrottle::remaining(std::string_view user, std::string_view source) const
{
    const auto pair = pair_of(user, source);
    const std::lock_guard lock{mutex_};
    const auto found = index_.find(pair);
    if (found == index_.end()) return std::chrono::seconds{0};
    const auto left = found->second->until - clock_.steady();
    return std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds{0});
}

void LoginThrottle::failed(std::string_view user, std::string_view source)
{
    auto pair = pair_of(user, source);
    const std::lock_guard lock{mutex_};
    if (const auto found = index_.find(pair); found != index_.end()) {
        records_.splice(records_.end(), records_, found->second);
    } else {
        records_.push_back({std::move(pair), 0, {}});
        index_.emplace(records_.back().pair, std::prev(records_.end()));
    }
    auto& record = records_.back();
    ++record.failures;
    record.until = clock_.steady() + delay_after(record.failures);
    if (records_.size() <= capacity_) return;
    index_.erase(records_.front().pair);
    records_.pop_front();
}

void LoginThrottle::succeeded(std::string_view user, std::string_view source)
{
    const auto pair = pair_of(user, source);
    const std::lock_guard lock{mutex_};
    const auto found = index_.find(pair);
    if (found == index_.end()) return;
    const auto record = found->second;
    index_.erase(found);
    records_.erase(record);
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

}  // namespace entrepot
