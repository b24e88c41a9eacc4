#pragma once

#include "access/selectors.hpp"
#include "core/clock.hpp"
#include "oci/semantic_version.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What a rule keeps of the tags that it is about.
enum class RetentionTemplate : std::uint8_t {
    always,
    latest_pushed,        // so many, the last pushed
    latest_pulled,        // so many, the last pulled
    days_since_push,      // pushed within so many days
    days_since_pull,      // pulled within so many days
    days_since_creation,  // whose artifact came within so many days
    versions,             // semantic versions within a range
    latest_patches,       // of each minor version so many patches, the highest
};

// Names are those of Harbor's API where it has the template.
std::string_view name_of(RetentionTemplate keeps) noexcept;
std::optional<RetentionTemplate> retention_template_named(std::string_view name) noexcept;

struct RetentionRule {
    bool disabled = false;
    RetentionTemplate keeps = RetentionTemplate::always;
    std::int64_t number = 0;              // of tags or days, where the template takes one
    std::optional<VersionRange> range{};  // of `versions`
    bool untagged = false;                // it is about artifacts without a tag, too
    Selectors repositories;               // below the project
    Selectors tags;
};

// What is kept in a project: in a repository that a rule is about, each tag that no rule keeps goes, and with its last
// tag the artifact. Repositories that no rule is about are left alone.
struct RetentionPolicy {
    static constexpr std::size_t most_rules = 15;

    std::int64_t id = 0;
    std::int64_t project_id = 0;
    std::vector<RetentionRule> rules{};
    std::string cron{};        // six fields, UTC; empty: by hand alone
    bool confirm_all = false;  // it may remove everything there is
};

// A tag, or an artifact without one, as rules look at it.
struct RetentionCandidate {
    std::string name;  // of an artifact without a tag its digest
    std::int64_t manifest_id = 0;
    Micros pushed_at = 0;   // when the tag was last pushed
    Micros created_at = 0;  // when its artifact came
    Micros pulled_at = 0;   // 0: never
    bool tagged = true;
    bool immutable = false;
    bool in_use = false;
};

}  // namespace entrepot
