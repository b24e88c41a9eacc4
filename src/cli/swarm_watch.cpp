#include "cli/swarm_watch.hpp"

#include "cli/ctl_text.hpp"
#include "cli/swarm_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace entrepot {

namespace json = boost::json;

SwarmWatch::SwarmWatch(CtlRun& run)
    : run_{run}, in_json_{run.value("output") == "json"}, draws_{!in_json_ && run.io().draws()}
{
}

void SwarmWatch::put(const json::object& image)
{
    images_.insert_or_assign(field_text(image, "swarm"), image);
    if (!draws_ && !in_json_) run_.io().out(fmt::format("{} {}\n", rfc3339(run_.io().now()), swarm_image_line(image)));
}

Result<> SwarmWatch::replace(const json::object& state)
{
    images_.clear();
    const auto* const images = find_field(state, "images");
    if (images == nullptr || !images->is_array()) return fail(Errc::internal, "the swarm's state has no images");
    for (const auto& image : images->as_array()) {
        if (!image.is_object()) return fail(Errc::internal, "an image is no object");
        put(image.as_object());
    }
    if (images_.empty() && !draws_ && !in_json_) run_.io().out("no images are under way\n");
    return {};
}

Result<> SwarmWatch::take(const SseEvent& event)
{
    boost::system::error_code error;
    const auto value = json::parse(event.data, error);
    if (error || !value.is_object()) return fail(Errc::internal, "an event is no object");
    const auto& object = value.as_object();
    if (in_json_) {
        auto line = object;
        line["event"] = event.name;
        run_.io().out(json::serialize(line) + "\n");
    }
    if (event.name == "state") {
        CHECK(replace(object));
    } else if (event.name == "swarm") {
        put(object);
    } else if (event.name == "gone") {
        images_.erase(field_text(object, "swarm"));
    }
    changed_ = true;
    ++seen_;
    return {};
}

std::string SwarmWatch::text() const
{
    if (images_.empty()) return "no images are under way\n";
    std::string out;
    for (const auto& [swarm, image] : images_) out += swarm_image_block(image);
    return out;
}

void SwarmWatch::draw()
{
    if (!draws_ || !std::exchange(changed_, false)) return;
    const auto block = text();
    // Up to where it began, and away with it; lines are not broken meanwhile, or they would be counted wrongly.
    const auto up = drawn_lines_ == 0 ? std::string{} : fmt::format("\x1b[{}A\x1b[J", drawn_lines_);
    run_.io().out(up + "\x1b[?7l" + block + "\x1b[?7h");
    drawn_lines_ = static_cast<std::size_t>(std::ranges::count(block, '\n'));
}

bool SwarmWatch::complete() const
{
    const auto is_complete = [](const auto& entry) { return field_text(entry.second, "state") == "complete"; };
    return !images_.empty() && std::ranges::all_of(images_, is_complete);
}

}  // namespace entrepot
