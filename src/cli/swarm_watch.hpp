#pragma once

#include "cli/ctl_run.hpp"
#include "cli/sse_reader.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace entrepot {

// What somebody who watches images sees: a block that is drawn again on a terminal, lines elsewhere, JSON lines with
// -o json.
class SwarmWatch {
public:
    explicit SwarmWatch(CtlRun& run);

    // An event of the stream. internal: it is none that the API describes.
    Result<> take(const SseEvent& event);
    // After the events that came together.
    void draw();
    std::int64_t seen() const noexcept { return seen_; }
    // There are images, and all nodes have all of them.
    bool complete() const;

private:
    Result<> replace(const boost::json::object& state);
    void put(const boost::json::object& image);
    std::string text() const;

    CtlRun& run_;
    const bool in_json_;
    const bool draws_;
    std::map<std::string, boost::json::object> images_;  // by swarm
    std::size_t drawn_lines_ = 0;
    bool changed_ = false;
    std::int64_t seen_ = 0;
};

}  // namespace entrepot
