#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Where a request stands in a distributed trace (W3C Trace Context, section 3.2: the traceparent header).
struct TraceContext {
    std::string trace_id;  // [0-9a-f]{32}, not all zeros
    std::string span_id;   // [0-9a-f]{16}, not all zeros
    bool sampled = false;

    // Of a version later than ours the known front is read, as section 4.3 asks. nullopt for all that breaks the
    // grammar.
    static std::optional<TraceContext> parse(std::string_view traceparent);
};

}  // namespace entrepot
