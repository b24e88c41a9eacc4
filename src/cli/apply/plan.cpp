#include "cli/apply/plan.hpp"

#include "cli/ctl_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;
using What = ApplyStep::What;

std::vector<ApplyDifference> differences(const ApplyShape& shape, const json::object& before, const json::object& after)
{
    std::vector<ApplyDifference> out;
    const auto compare = [&out](std::string name, const json::value* old, const json::value& wanted) {
        if (old != nullptr && *old == wanted) return;
        out.push_back({std::move(name), old == nullptr ? json::value{} : *old, wanted});
    };
    for (const auto& field : shape.spec) {
        const auto* wanted = after.if_contains(field.name);
        if (wanted == nullptr || field.only_at_creation) continue;
        const auto* old = before.if_contains(field.name);
        if (field.type != ApplyType::map) {
            compare(std::string{field.name}, old, *wanted);
            continue;
        }
        for (const auto& [key, value] : wanted->as_object()) {
            const auto* entry = old != nullptr && old->is_object() ? old->as_object().if_contains(key) : nullptr;
            compare(fmt::format("{}.{}", field.name, std::string_view{key}), entry, value);
        }
    }
    return out;
}

std::string value_text(const json::value& value)
{
    if (value.is_null()) return "(none)";
    if (const auto* array = value.if_array()) {
        std::string out;
        for (const auto& each : *array) out += (out.empty() ? "" : ", ") + std::string{each.as_string()};
        return "[" + out + "]";
    }
    auto text = yaml_text(value);
    text.pop_back();
    return text;
}

// "+ada -bob" for two sets.
std::string set_change(const json::array& before, const json::array& after)
{
    std::string out;
    const auto say = [&out](char sign, const json::array& these, const json::array& those) {
        for (const auto& each : these) {
            if (std::find(those.begin(), those.end(), each) == those.end())
                out += fmt::format("{}{}{}", out.empty() ? "" : " ", sign, std::string_view{each.as_string()});
        }
    };
    say('+', after, before);
    say('-', before, after);
    return out;
}

std::string step_text(const ApplyStep& step)
{
    static const std::map<What, char> signs{{What::create, '+'}, {What::change, '~'}, {What::remove, '-'}};
    const auto sign = signs.find(step.what);
    if (sign == signs.end()) return {};
    auto out = fmt::format("{} {} {}\n", sign->second, step.wanted.kind, step.wanted.key());
    if (step.what == What::create) {
        for (const auto& [name, value] : step.wanted.spec)
            out += fmt::format(
                "    {}: {}\n", std::string_view{name}, value.is_object() ? json::serialize(value) : value_text(value)
            );
    }
    for (const auto& each : step.differences) {
        const bool is_set = each.before.is_array() && each.after.is_array();
        const auto change = is_set ? set_change(each.before.as_array(), each.after.as_array()) : std::string{};
        if (!change.empty())
            out += fmt::format("    {}: {}\n", each.name, change);
        else
            out += fmt::format("    {}: {} -> {}\n", each.name, value_text(each.before), value_text(each.after));
    }
    return out;
}

}  // namespace

std::size_t ApplyPlan::count(What what) const
{
    return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [what](const auto& step) {
        return step.what == what;
    }));
}

ApplyPlan make_plan(
    std::span<const ApplyShape> shapes,
    std::vector<ApplyDocument> wanted,
    const std::vector<ApplyDocument>& present,
    const std::vector<ApplyDocument>& removable
)
{
    using Key = std::pair<std::string_view, std::string>;
    std::map<Key, const ApplyDocument*> there;
    for (const auto& document : present) there[{document.kind, document.key()}] = &document;
    ApplyPlan plan;
    std::set<Key> named;
    for (const auto& shape : shapes) {
        for (auto& document : wanted) {
            if (document.kind != shape.kind) continue;
            const Key key{shape.kind, document.key()};
            named.insert(key);
            const auto found = there.find(key);
            ApplyStep step{.what = What::create, .wanted = std::move(document), .present = {}, .differences = {}};
            if (found != there.end()) {
                step.present = *found->second;
                step.differences = differences(shape, step.present.spec, step.wanted.spec);
                step.what = step.differences.empty() ? What::nothing : What::change;
            }
            // Moved from, it has no kind.
            document.kind = {};
            plan.steps.push_back(std::move(step));
        }
    }
    for (auto shape = shapes.rbegin(); shape != shapes.rend(); ++shape) {
        for (const auto& document : removable) {
            if (document.kind != shape->kind || named.contains({document.kind, document.key()})) continue;
            plan.steps.push_back({.what = What::remove, .wanted = document, .present = document, .differences = {}});
        }
    }
    return plan;
}

std::string plan_text(const ApplyPlan& plan)
{
    std::string out;
    for (const auto& step : plan.steps) out += step_text(step);
    return out + fmt::format(
                     "{} to create, {} to change, {} to delete, {} unchanged\n",
                     plan.count(What::create),
                     plan.count(What::change),
                     plan.count(What::remove),
                     plan.count(What::nothing)
                 );
}

}  // namespace entrepot
