#include "ports/scrub_catalog.hpp"

namespace entrepot {

std::string_view name_of(FindingKind kind) noexcept
{
    switch (kind) {
        case FindingKind::orphan: return "orphan";
        case FindingKind::missing: return "missing";
        case FindingKind::rotten: return "rotten";
        case FindingKind::unreadable: return "unreadable";
        case FindingKind::wrong_size: return "wrong_size";
        case FindingKind::stray_upload: break;
    }
    return "stray_upload";
}

std::string_view name_of(FindingState state) noexcept
{
    switch (state) {
        case FindingState::open: return "open";
        case FindingState::healed: return "healed";
        case FindingState::adopted: return "adopted";
        case FindingState::deleted: return "deleted";
        case FindingState::gone: break;
    }
    return "gone";
}

}  // namespace entrepot
