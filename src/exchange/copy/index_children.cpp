#include "exchange/copy/index_children.hpp"

#include "oci/json_fields.hpp"
#include "oci/platform.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace json = boost::json;

namespace {

constexpr std::string_view reference_digest = "vnd.docker.reference.digest";

}  // namespace

Result<> check_platform(std::string_view text)
{
    const auto slashes = std::ranges::count(text, '/');
    const bool parts = !text.starts_with('/') && !text.ends_with('/') && !text.contains("//");
    const auto plain = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-' || letter == '/';
    };
    const bool sound = (slashes == 1 || slashes == 2) && parts && text.size() <= longest_platform;
    if (sound && std::ranges::all_of(text, plain)) return {};
    return fail(Errc::bad_request, "a platform is written as os/architecture or os/architecture/variant");
}

bool wants_platform(const std::vector<std::string>& wanted, std::string_view platform) noexcept
{
    if (wanted.empty()) return true;
    return std::ranges::any_of(wanted, [&](const std::string& one) { return is_of_platform(platform, one); });
}

Result<std::set<Digest>> children_for(std::string_view index, const std::vector<std::string>& wanted)
{
    const auto document = parse_object(index);
    const auto* list = document ? find_array(*document, "manifests") : nullptr;
    if (list == nullptr) return fail(Errc::manifest_invalid, "the index lists no manifests");
    std::set<Digest> chosen;
    std::vector<std::pair<Digest, std::string_view>> attestations;  // with what each is about
    for (const auto& entry : *list) {
        const auto* child = entry.if_object();
        if (child == nullptr) continue;
        TRY(auto digest, Digest::parse(find_text(*child, "digest")));
        const auto* annotations = find_object(*child, "annotations");
        const auto about = annotations == nullptr ? std::string_view{} : find_text(*annotations, reference_digest);
        const auto* platform = find_object(*child, "platform");
        if (!about.empty()) {
            attestations.emplace_back(std::move(digest), about);
        } else if (platform == nullptr || wants_platform(wanted, platform_in(*platform))) {
            chosen.insert(std::move(digest));
        }
    }
    for (auto& [digest, about] : attestations) {
        const auto is_subject = [&](const Digest& one) { return one.text() == about; };
        if (wanted.empty() || std::ranges::any_of(chosen, is_subject)) chosen.insert(std::move(digest));
    }
    return chosen;
}

std::optional<std::string> platform_of_config(std::string_view config)
{
    const auto object = parse_object(config);
    if (!object || find_text(*object, "os").empty() || find_text(*object, "architecture").empty()) return std::nullopt;
    return platform_in(*object);
}

}  // namespace entrepot
