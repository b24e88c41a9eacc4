#pragma once

#include "core/clock.hpp"
#include "oci/semantic_version.hpp"
#include "ports/replication_policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A policy's filters, ready to be asked: an artifact goes along when each agrees. What can't be read chooses nothing.
class ReplicationFilterSet {
public:
    explicit ReplicationFilterSet(const ReplicationPolicy& policy);

    bool wants_repository(std::string_view name) const noexcept;
    // Of a tag; a range of versions also leaves out tags that are none.
    bool wants_tag(std::string_view tag) const noexcept;
    bool asks_for_labels() const noexcept;
    bool wants_labels(const std::vector<std::string>& labels) const noexcept;
    // Whether anything but repositories and tags is wanted at all: filters on a resource that is none of ours.
    bool wants_anything() const noexcept { return anything_; }

    // All repositories that can be wanted, where the filters name them in full; nullopt where they must be listed.
    const std::optional<std::vector<std::string>>& names() const noexcept { return names_; }
    // What every wanted name begins with.
    const std::string& prefix() const noexcept { return prefix_; }

private:
    std::vector<ReplicationFilter> filters_;
    std::optional<VersionRange> versions_;
    bool anything_ = true;
    std::optional<std::vector<std::string>> names_;
    std::string prefix_;
};

// The texts that a pattern stands for where it has no wildcards but braces: "lib/{a,b}" is two. nullopt: too many to
// name.
std::optional<std::vector<std::string>> texts_of_glob(std::string_view pattern);

// Whether tasks may go on at `now`; and if not, how many microseconds it is until they may.
Micros wait_for_window(const DayWindow& window, Micros now) noexcept;

}  // namespace entrepot
