#include "core/clock.hpp"

#include <array>
#include <ctime>

namespace entrepot {
namespace {

std::string formatted(Micros time, const char* format)
{
    const auto seconds = static_cast<std::time_t>(time / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const auto length = std::strftime(text.data(), text.size(), format, &parts);
    return {text.data(), length};
}

}  // namespace

Micros SystemClock::now() const noexcept
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

std::chrono::steady_clock::time_point SystemClock::steady() const noexcept
{
    return std::chrono::steady_clock::now();
}

std::string rfc3339(Micros time)
{
    return formatted(time, "%Y-%m-%dT%H:%M:%SZ");
}

std::string http_date(Micros time)
{
    return formatted(time, "%a, %d %b %Y %H:%M:%S GMT");
}

}  // namespace entrepot
