#include "api/operations/trace_context.hpp"

namespace entrepot {
namespace {

constexpr std::size_t trace_bytes = 16;
constexpr std::size_t span_bytes = 8;
constexpr std::size_t length_of_version_00 = 2 + 1 + 2 * trace_bytes + 1 + 2 * span_bytes + 1 + 2;

bool is_hex(std::string_view text)
{
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view text)
{
    return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent)
{
    if (traceparent.size() < length_of_version_00) return std::nullopt;
    const auto version = traceparent.substr(0, 2);
    const auto trace = traceparent.substr(3, 2 * trace_bytes);
    const auto span = traceparent.substr(36, 2 * span_bytes);
    const auto flags = traceparent.substr(53, 2);
    const bool dashed = traceparent[2] == '-' && traceparent[35] == '-' && traceparent[52] == '-';
    if (!dashed || !is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(flags)) return std::nullopt;
    if (version == "ff" || is_zero(trace) || is_zero(span)) return std::nullopt;
    const bool longer = traceparent.size() > length_of_version_00;
    if (longer && (version == "00" || traceparent[length_of_version_00] != '-')) return std::nullopt;
    const bool sampled = std::string_view{"13579bdf"}.contains(flags[1]);
    return TraceContext{std::string{trace}, std::string{span}, sampled};
}

}  // namespace entrepot
