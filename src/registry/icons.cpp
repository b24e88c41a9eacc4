#include "registry/icons.hpp"

#include "oci/digest.hpp"
#include "registry/blob_bytes.hpp"

#include <algorithm>
#include <vector>

namespace entrepot {
namespace {

struct Drawing {
    std::string_view type;
    std::string_view shapes;  // on a field of 24 by 24
};

constexpr Drawing drawings[] = {
    {"IMAGE", R"(<path d="M12 3 3 8l9 5 9-5zM3 12l9 5 9-5M3 16l9 5 9-5"/>)"},
    {"CHART",
     R"(<circle cx="12" cy="12" r="7"/><circle cx="12" cy="12" r="2"/>)"
     R"(<path d="M12 1v6M12 17v6M1 12h6M17 12h6M4 4l4 4M16 16l4 4M20 4l-4 4M8 16l-4 4"/>)"},
    {"CNAB", R"(<path d="M3 7h18v14H3zM3 7l3-4h12l3 4M9 11h6"/>)"},
    {"WASM", R"(<path d="M3 3h6a3 3 0 0 0 6 0h6v18H3zM6 11l2 6 2-6 2 6M14 17l2-6 2 6M15 15h2"/>)"},
    {"CNAI",
     R"(<circle cx="6" cy="6" r="2"/><circle cx="6" cy="18" r="2"/><circle cx="18" cy="12" r="2"/>)"
     R"(<circle cx="12" cy="12" r="2"/><path d="M8 7l3 4M8 17l3-4M14 12h2"/>)"},
    {"SBOM", R"(<path d="M5 2h10l4 4v16H5zM15 2v4h4M8 11h8M8 14h8M8 17h5"/>)"},
    {"SIGNATURE", R"(<path d="M3 20h18M4 15c4-9 6-12 8-10s-3 8-2 10 3-3 4-3 0 3 2 3 2-1 4-2"/>)"},
    {"", R"(<path d="M12 2l9 5v10l-9 5-9-5V7zM3 7l9 5 9-5M12 12v10"/>)"},
};

std::vector<BuiltinIcon> draw()
{
    std::vector<BuiltinIcon> icons;
    for (const auto& drawing : drawings) {
        std::string svg = R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="96" height="96" )"
                          R"(fill="none" stroke="#3b5b7a" stroke-width="1.5" stroke-linejoin="round">)";
        svg.append(drawing.shapes).append("</svg>");
        auto digest = digest_of(svg).text();
        icons.push_back({std::move(digest), std::move(svg)});
    }
    return icons;
}

constexpr std::size_t largest_icon = 1 << 20;
constexpr std::int64_t most_holders = 100;

// By its first bytes; empty for what is no picture that browsers show as nothing else.
std::string_view picture_type(std::string_view bytes)
{
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
    if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return "image/gif";
    return {};
}

std::unexpected<Error> no_such_icon()
{
    return fail(Errc::not_found, "there is no such icon");
}

const std::vector<BuiltinIcon>& builtin_icons()
{
    static const auto icons = draw();
    return icons;
}

}  // namespace

const BuiltinIcon& builtin_icon(std::string_view artifact_type)
{
    const auto& icons = builtin_icons();
    for (std::size_t i = 0; i < icons.size(); ++i) {
        if (drawings[i].type == artifact_type) return icons[i];
    }
    return icons.back();
}

const BuiltinIcon* find_builtin_icon(std::string_view digest)
{
    const auto& icons = builtin_icons();
    const auto found = std::ranges::find(icons, digest, &BuiltinIcon::digest);
    return found == icons.end() ? nullptr : &*found;
}

Task<IconPicture> Icons::find(Caller caller, Digest digest)
{
    if (const auto* builtin = find_builtin_icon(digest.text())) co_return IconPicture{"image/svg+xml", builtin->svg};
    CO_TRY(const auto holders, co_await links_.holders(digest, most_holders));
    const bool readable = std::ranges::any_of(holders, [&](const RepositoryName& holder) {
        return policy_.may(caller, holder.text(), Action::pull);
    });
    if (!readable) co_return no_such_icon();
    auto content = co_await blobs_.load(digest);
    if (!content || content->size > largest_icon) co_return no_such_icon();
    const auto work = [found = *std::move(content)] { return read_whole_blob(found, largest_icon); };
    CO_TRY(auto bytes, co_await offload(pool_, work));
    const auto type = picture_type(bytes);
    if (type.empty()) co_return no_such_icon();
    co_return IconPicture{std::string{type}, std::move(bytes)};
}

}  // namespace entrepot
