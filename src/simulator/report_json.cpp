#include "simulator/report.hpp"
#include "simulator/scenario_file.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr double microseconds = 1e6;

json::value seconds(const std::optional<SwarmTime>& time)
{
    return time ? json::value(static_cast<double>(*time) / microseconds) : json::value();
}

json::object times_json(const RunTimes& times)
{
    return {
        {"p50", seconds(times.p50)},
        {"p90", seconds(times.p90)},
        {"p99", seconds(times.p99)},
        {"p99_9", seconds(times.p999)},
        {"last", seconds(times.last)},
    };
}

json::object multiples_json(const RunTimes& times, SwarmTime bound)
{
    const auto multiple = [=](const std::optional<SwarmTime>& time) {
        return time ? json::value(static_cast<double>(*time) / static_cast<double>(bound)) : json::value();
    };
    return {
        {"p50", multiple(times.p50)},
        {"p90", multiple(times.p90)},
        {"p99", multiple(times.p99)},
        {"p99_9", multiple(times.p999)},
        {"last", multiple(times.last)},
    };
}

json::object result_json(const RunReport& report)
{
    const auto& outcome = report.outcome;
    return {
        {"bound_seconds", seconds(outcome.bound)},
        {"done_seconds", times_json(report.times)},
        {"done_of_bound", multiples_json(report.times, outcome.bound)},
        {"first_byte_seconds", times_json(report.first_byte)},
        {"ended_seconds", seconds(outcome.ended)},
        {"nodes",
         {{"counted", report.counted},
          {"never_finished", report.unfinished},
          {"died", report.died},
          {"slow_silent_or_lying", report.odd}}},
        {"image_bytes", outcome.image_bytes},
        {"pieces", report.pieces},
        {"piece_bytes", report.piece_bytes},
        {"streamable_share", report.streamable},
        {"origin_copies", report.origin_copies},
        {"bytes_share",
         {{"origin", report.origin_share},
          {"zone", report.zone_share},
          {"across", report.across_share},
          {"wasted", report.wasted_share}}},
        {"requests", outcome.requests},
        {"refusals", outcome.refusals},
        {"refusals_per_request", report.refusals_per_request},
        {"timeouts", outcome.timeouts},
        {"rewires", outcome.rewires},
        {"neighbours", {{"mean", outcome.mean_neighbours}, {"most", outcome.most_neighbours}}},
        {"tracker_messages", outcome.tracker_messages},
        {"events", outcome.events},
        {"cost",
         {{"wall_seconds", report.cost.wall_seconds},
          {"processor_seconds", report.cost.processor_seconds},
          {"peak_bytes", report.cost.peak_bytes}}},
    };
}

}  // namespace

std::string json_of(std::span<const RunReport> reports, std::string_view program)
{
    json::array runs;
    for (const auto& report : reports) {
        runs.push_back(json::object{
            {"name", report.name},
            {"label", report.label},
            {"scenario", scenario_json(report.scenario)},
            {"result", result_json(report)},
        });
    }
    const json::object whole{{"simulated", true}, {"program", program}, {"runs", std::move(runs)}};
    return json::serialize(whole) + "\n";
}

}  // namespace entrepot
