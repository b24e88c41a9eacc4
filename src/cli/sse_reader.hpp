#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace entrepot {

// Server-sent events out of the pieces that they come in (HTML Living Standard, section 9.2.6); lines end in LF or
// CRLF.
struct SseEvent {
    std::string name;  // empty: a message
    std::string data;
    std::string last_id;  // as of this event
};

class SseReader {
public:
    // Calls `visit` for each event that the bytes complete.
    void take(std::string_view bytes, const std::function<void(const SseEvent&)>& visit);
    // The last id that was told, also by what had no data.
    const std::string& last_id() const noexcept { return event_.last_id; }

private:
    void take_line(std::string_view line, const std::function<void(const SseEvent&)>& visit);

    std::string line_;  // not whole yet
    SseEvent event_;
};

}  // namespace entrepot
