#include "api/management/job_types.hpp"

#include "core/ascii.hpp"

#include <utility>

namespace entrepot {

namespace {

// Those that are not just the same word in capitals.
constexpr std::pair<std::string_view, std::string_view> other_words[] = {
    {"gc", "GARBAGE_COLLECTION"},
    {"purge_audit", "PURGE_AUDIT_LOG"},
};

}  // namespace

std::string job_type_of(std::string_view kind)
{
    for (const auto& [ours, harbors] : other_words) {
        if (kind == ours) return std::string{harbors};
    }
    std::string type{kind};
    for (char& c : type) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return type;
}

std::string job_kind_of(std::string_view job_type)
{
    for (const auto& [ours, harbors] : other_words) {
        if (job_type == harbors) return std::string{ours};
    }
    return lowered(job_type);
}

}  // namespace entrepot
