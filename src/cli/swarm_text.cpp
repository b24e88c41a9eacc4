#include "cli/swarm_text.hpp"

#include "cli/ctl_text.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t bar_width = 20;
constexpr std::size_t most_zones = 16;
constexpr std::size_t digits_of_digest = 12;

// A number that is missing is 0.
double number(const json::object& object, std::string_view path)
{
    const auto* const value = find_field(object, path);
    if (value == nullptr || !value->is_number()) return 0;
    return value->to_number<double>();
}

std::int64_t whole(const json::object& object, std::string_view path)
{
    return static_cast<std::int64_t>(number(object, path));
}

std::string digest_text(const json::object& image)
{
    const auto digest = field_text(image, "digest");
    return digest.substr(0, digest.find(':') + 1 + digits_of_digest);
}

// In tenths of the image, by how many nodes have so many of it.
std::vector<double> tenths_of(const json::object& sum)
{
    std::vector<double> tenths;
    const auto* const value = find_field(sum, "tenths");
    if (value == nullptr || !value->is_array()) return tenths;
    for (const auto& one : value->as_array()) tenths.push_back(one.is_number() ? one.to_number<double>() : 0);
    return tenths;
}

// How much all nodes have together of what they want.
double share_of(const json::object& sum)
{
    const auto tenths = tenths_of(sum);
    double have = 0;
    double members = 0;
    for (std::size_t tenth = 0; tenth < tenths.size(); ++tenth) {
        // Those that have all, and others, who are half-way between two tenths.
        have += tenths[tenth] * (tenth + 1 == tenths.size() ? 1 : (static_cast<double>(tenth) + 0.5) / 10);
        members += tenths[tenth];
    }
    return members > 0 ? have / members : 0;
}

std::string bar(double share)
{
    const auto full = std::min(bar_width, static_cast<std::size_t>(share * static_cast<double>(bar_width)));
    return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "]";
}

std::string left_text(const json::object& image)
{
    const auto seconds = whole(image, "seconds_left");
    if (find_field(image, "seconds_left") == nullptr) return {};
    return seconds < 120 ? fmt::format(", {} s left", seconds) : fmt::format(", {} min left", (seconds + 59) / 60);
}

std::string efficiency_text(const json::object& image)
{
    if (find_field(image, "efficiency") == nullptr) return {};
    return fmt::format(", {:.2f} of what links allow", number(image, "efficiency"));
}

std::string sum_text(const json::object& sum)
{
    return fmt::format(
        "{}/{} complete, {}/s", whole(sum, "complete"), whole(sum, "members"), size_text(whole(sum, "rate"))
    );
}

std::string zone_lines(const json::object& image)
{
    const auto* const zones = find_field(image, "zones");
    if (zones == nullptr || !zones->is_array() || zones->as_array().size() < 2) return {};
    std::string out;
    std::size_t shown = 0;
    for (const auto& value : zones->as_array()) {
        if (!value.is_object()) continue;
        if (++shown > most_zones) return out + fmt::format("  … {} zones\n", zones->as_array().size());
        const auto& zone = value.as_object();
        const auto name = field_text(zone, "zone");
        out += fmt::format("  {} {:<12} {}\n", bar(share_of(zone)), name.empty() ? "(no zone)" : name, sum_text(zone));
    }
    return out;
}

}  // namespace

std::string swarm_image_name(const json::object& image)
{
    const auto* const repositories = find_field(image, "repositories");
    std::string name;
    if (repositories != nullptr && repositories->is_array() && !repositories->as_array().empty()) {
        const auto& all = repositories->as_array();
        if (all.front().is_object()) name = field_text(all.front().as_object(), "name") + "@";
    }
    return name + digest_text(image);
}

std::string swarm_image_line(const json::object& image)
{
    return fmt::format(
        "{} {}: {}, half of them at {} %{}",
        swarm_image_name(image),
        field_text(image, "state"),
        sum_text(image),
        whole(image, "half_way"),
        left_text(image)
    );
}

std::string swarm_image_block(const json::object& image)
{
    auto out = fmt::format(
        "{}  {}  {} in {} pieces\n",
        swarm_image_name(image),
        field_text(image, "state"),
        size_text(whole(image, "size")),
        whole(image, "pieces")
    );
    out += fmt::format(
        "  {} {:<12} {}, half at {} %{}{}\n",
        bar(share_of(image)),
        "all nodes",
        sum_text(image),
        whole(image, "half_way"),
        left_text(image),
        efficiency_text(image)
    );
    out += zone_lines(image);
    std::vector<std::int64_t> tenths;
    for (const auto members : tenths_of(image)) tenths.push_back(static_cast<std::int64_t>(members));
    out += fmt::format("  nodes at 0 %, 10 %, … 100 %: {}\n", fmt::join(tenths, " "));
    out += fmt::format(
        "  received {} from the registry, {} within zones, {} across\n",
        size_text(whole(image, "received.origin")),
        size_text(whole(image, "received.zone")),
        size_text(whole(image, "received.across"))
    );
    const auto* const slowest = find_field(image, "slowest");
    if (slowest != nullptr && slowest->is_object()) {
        const auto& node = slowest->as_object();
        out += fmt::format(
            "  slowest {}: {} %, {} neighbours, {} % of the time idle\n",
            field_text(node, "name"),
            whole(node, "progress") / 10,
            whole(node, "neighbours"),
            whole(node, "idle")
        );
    }
    return out;
}

}  // namespace entrepot
