#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Wall-clock time as stored: microseconds since 1970-01-01T00:00:00Z.
using Micros = std::int64_t;

// Where time comes from. Nothing below app/ asks the operating system for it, so tests can move it.
class Clock {
public:
    virtual ~Clock() = default;
    // Wall-clock time; may jump.
    virtual Micros now() const noexcept = 0;
    // Never goes back.
    virtual std::chrono::steady_clock::time_point steady() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    Micros now() const noexcept override;
    std::chrono::steady_clock::time_point steady() const noexcept override;
};

// "2026-11-21T22:51:00Z" (RFC 3339, UTC, whole seconds) and "Sat, 21 Nov 2026 22:51:00 GMT" (RFC 9110 section 5.6.7).
std::string rfc3339(Micros time);
std::string http_date(Micros time);
// RFC 3339 with any offset and fraction, or seconds since 1970 as a decimal; nullopt for anything else.
std::optional<Micros> parse_time(std::string_view text) noexcept;

}  // namespace entrepot
