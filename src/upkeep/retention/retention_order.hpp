#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// What a retention job is to do, as its parameters say it (JSON).
struct RetentionOrder {
    static constexpr const char* kind = "retention";

    std::int64_t policy_id = 0;
    std::int64_t user_id = 0;  // who asked; 0: the schedule
    bool dry_run = false;
    bool confirm_all = false;

    static Result<RetentionOrder> parse(std::string_view json);  // corrupt
    std::string json() const;
};

// How far a run has come: its checkpoint, its progress and its result (JSON).
struct RetentionProgress {
    std::string after;  // the last repository that is done
    std::int64_t repositories = 0;
    std::int64_t total = 0;
    std::int64_t retained = 0;
    std::int64_t removed = 0;  // of a dry run, what would be
    std::int64_t artifacts = 0;
    std::int64_t spared = 0;  // changed under our hands

    static RetentionProgress parse(std::string_view json);  // nothing done, when it is none
    std::string json() const;
};

}  // namespace entrepot
