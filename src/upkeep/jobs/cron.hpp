#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <string_view>

namespace entrepot {

// When something comes round, as Harbor writes it: seconds, minutes, hours, days of the month, months, days of the
// week; each `*`, numbers, ranges, steps, lists, and names of months and days. In UTC. Where both kinds of days are
// restricted, either is enough, as in crontab(5).
class Cron {
public:
    // bad_request names the field. Refused besides: what comes more often than once a minute, and what never comes.
    static Result<Cron> parse(std::string_view text);

    // The first time after `time`.
    Micros next(Micros time) const noexcept;

private:
    Cron() = default;
    bool comes_on(std::int64_t day) const noexcept;

    unsigned second_ = 0;
    std::uint64_t minutes_ = 0;  // a bit for each value
    std::uint64_t hours_ = 0;
    std::uint64_t days_ = 0;
    std::uint64_t months_ = 0;
    std::uint64_t weekdays_ = 0;  // 0: Sunday
    bool any_day_ = false;
    bool any_weekday_ = false;
};

}  // namespace entrepot
