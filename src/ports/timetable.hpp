#pragma once

#include "ports/schedule_catalog.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// When jobs come round, for those who have such jobs and don't reckon with cron themselves.
class Timetable {
public:
    virtual ~Timetable() = default;
    virtual Result<> check_cron(const std::string& cron) const = 0;  // bad_request names the field
    // Replaces the one of its kind and subject; of type Custom with a cron, UTC. bad_request.
    virtual Task<> put(Schedule schedule) = 0;
    virtual Task<> drop(std::string kind, std::int64_t subject_id) = 0;  // also when there is none
};

}  // namespace entrepot
