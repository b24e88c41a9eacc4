#include "cli/sse_reader.hpp"

namespace entrepot {

void SseReader::take(std::string_view bytes, const std::function<void(const SseEvent&)>& visit)
{
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (end == std::string_view::npos) return;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        take_line(line_, visit);
        line_.clear();
    }
}

void SseReader::take_line(std::string_view line, const std::function<void(const SseEvent&)>& visit)
{
    if (line.empty()) {
        if (!event_.data.empty()) {
            event_.data.pop_back();
            visit(event_);
        }
        event_.data.clear();
        event_.name.clear();
        return;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") event_.data += std::string{value} + "\n";
    if (field == "event") event_.name = value;
    if (field == "id") event_.last_id = value;
}

}  // namespace entrepot
