#include "simulator/scenario_file.hpp"

#include "core/yaml_documents.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t most_settings = 1'000;
constexpr std::size_t most_values = 10'000;
constexpr std::size_t most_runs = 1'000;
constexpr int deepest = 8;
constexpr std::string_view grid_prefix = "grid.";

using Settings = std::vector<ScenarioSetting>;

std::string line_of(const YAML::Node& node)
{
    return fmt::format("line {}", node.Mark().line + 1);
}

Result<YAML::Node> only_document(const std::string& text)
{
    const auto documents = load_yaml_documents(text);
    if (documents.size() > 1) {
        const auto line = documents[1].Mark().line + 1;
        return fail(Errc::bad_request, fmt::format("line {}: there is more than one document", line));
    }
    return documents.empty() ? YAML::Node{} : documents.front();
}

// Maps within maps as settings with dotted keys.
class SettingsReader {
public:
    explicit SettingsReader(Settings& settings) : settings_{settings} {}

    Result<> map(const YAML::Node& node, const std::string& prefix, int depth)
    {
        if (depth == deepest) return fail(Errc::bad_request, line_of(node) + ": is nested too deeply");
        // Without this, aliases of maps without a key could stand for more maps than there is time to look at.
        if (node.size() == 0) return fail(Errc::bad_request, line_of(node) + ": has no keys");
        for (const auto& entry : node) {
            const auto place = line_of(entry.first);
            if (!entry.first.IsScalar()) return fail(Errc::bad_request, place + ": a key must be plain text");
            const auto key = prefix + entry.first.Scalar();
            if (entry.second.IsMap()) {
                CHECK(map(entry.second, key + ".", depth + 1));
            } else {
                CHECK(value(entry.second, key, place));
            }
        }
        return {};
    }

    Result<> value(const YAML::Node& node, const std::string& key, const std::string& place)
    {
        const auto wrong = [&](std::string_view what) {
            return fail(Errc::bad_request, fmt::format("{}: {}: {}", place, key, what));
        };
        if (settings_.size() == most_settings) return fail(Errc::bad_request, "there are too many keys");
        if (std::ranges::find(settings_, key, &ScenarioSetting::key) != settings_.end()) return wrong("is set twice");
        ScenarioSetting setting{.key = key, .values = {}, .is_list = node.IsSequence(), .place = place};
        if (node.IsScalar()) {
            setting.values.push_back(node.Scalar());
        } else if (node.IsSequence() && node.size() <= most_values) {
            for (const auto& item : node) {
                if (!item.IsScalar()) return wrong("an item of the list must be plain");
                setting.values.push_back(item.Scalar());
            }
        } else if (node.IsSequence()) {
            return wrong("the list is too long");
        } else {
            return wrong("has no value");
        }
        settings_.push_back(std::move(setting));
        return {};
    }

private:
    Settings& settings_;
};

Result<Settings> read_settings(std::string_view text)
{
    Settings settings;
    try {
        TRY(const auto document, only_document(std::string{text}));
        if (!document.IsMap()) return fail(Errc::bad_request, "must be a map of keys and values");
        CHECK(SettingsReader{settings}.map(document, "", 0));
    } catch (const YAML::Exception& failure) {
        return fail(
            Errc::bad_request, fmt::format("line {}: is not valid YAML: {}", failure.mark.line + 1, failure.msg)
        );
    }
    return settings;
}

Result<ScenarioSetting> read_override(const ScenarioOverride& override)
{
    Settings one;
    try {
        TRY(const auto value, only_document(override.value));
        CHECK(SettingsReader{one}.value(value, override.key, "--set"));
    } catch (const YAML::Exception& failure) {
        return fail(Errc::bad_request, fmt::format("--set: {}: is not valid YAML: {}", override.key, failure.msg));
    }
    return std::move(one.front());
}

void put(Settings& settings, ScenarioSetting setting)
{
    const auto same = std::ranges::find(settings, setting.key, &ScenarioSetting::key);
    if (same != settings.end())
        *same = std::move(setting);
    else
        settings.push_back(std::move(setting));
}

// Takes the grid out of the settings.
Result<Settings> take_grid(Settings& settings)
{
    Settings grid;
    std::size_t runs = 1;
    for (auto& setting : settings) {
        if (!setting.key.starts_with(grid_prefix)) continue;
        if (!setting.is_list || setting.values.empty())
            return fail(Errc::bad_request, fmt::format("{}: {}: must be a list", setting.place, setting.key));
        runs *= setting.values.size();
        if (runs > most_runs)
            return fail(Errc::bad_request, fmt::format("{}: grid: has more than {} runs", setting.place, most_runs));
        auto& axis = grid.emplace_back(setting);
        axis.key.erase(0, grid_prefix.size());
    }
    std::erase_if(settings, [](const ScenarioSetting& one) { return one.key.starts_with(grid_prefix); });
    return grid;
}

// False: that was the last one. `at` counts like a clock with one wheel for each list.
bool advance(std::vector<std::size_t>& at, const Settings& grid)
{
    for (auto wheel = grid.size(); wheel-- > 0;) {
        if (++at[wheel] < grid[wheel].values.size()) return true;
        at[wheel] = 0;
    }
    return false;
}

}  // namespace

Result<std::vector<ScenarioRun>> parse_scenario_runs(std::string_view text, std::span<const ScenarioOverride> overrides)
{
    TRY(auto settings, read_settings(text));
    TRY(auto grid, take_grid(settings));
    for (const auto& override : overrides) {
        TRY(auto setting, read_override(override));
        std::erase_if(grid, [&](const ScenarioSetting& axis) { return axis.key == setting.key; });
        put(settings, std::move(setting));
    }
    std::vector<ScenarioRun> runs;
    std::vector<std::size_t> at(grid.size(), 0);
    do {
        auto one = settings;
        ScenarioRun run;
        for (std::size_t wheel = 0; wheel < grid.size(); ++wheel) {
            const auto& axis = grid[wheel];
            const auto& value = axis.values[at[wheel]];
            run.label += fmt::format("{}{}={}", wheel == 0 ? "" : " ", axis.key, value);
            put(one, {.key = axis.key, .values = {value}, .is_list = false, .place = axis.place});
        }
        TRY(run.scenario, scenario_of(one));
        runs.push_back(std::move(run));
    } while (advance(at, grid));
    return runs;
}

}  // namespace entrepot
