#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// What this site is to a project that several sites hold (docs/decisions/0025-synchronous-projects.md).
enum class SiteRole : std::uint8_t {
    none,      // this site alone holds it, or copies are nobody's promise
    home,      // clients push here
    follower,  // holds what the home sends; clients only read
    fenced,    // was the home until another site took over: takes nothing until that one comes
};

constexpr std::string_view text_of(SiteRole role) noexcept
{
    switch (role) {
        case SiteRole::home: return "home";
        case SiteRole::follower: return "follower";
        case SiteRole::fenced: return "fenced";
        case SiteRole::none: break;
    }
    return "";
}

constexpr SiteRole site_role_named(std::string_view text) noexcept
{
    for (const auto role : {SiteRole::home, SiteRole::follower, SiteRole::fenced}) {
        if (text == text_of(role)) return role;
    }
    return SiteRole::none;
}

// How this site stands to a project.
struct SiteState {
    SiteRole role = SiteRole::none;
    std::int64_t epoch = 0;         // grows with every site that becomes the home
    std::string home;               // its address, for people and to know it by
    std::int64_t home_user_id = 0;  // of a follower: in whose name the home writes
};

}  // namespace entrepot
