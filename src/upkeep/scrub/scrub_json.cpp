#include "upkeep/scrub/scrub_options.hpp"

#include <boost/json.hpp>

#include <array>
#include <optional>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t longest_age = 3660LL * 86'400;
constexpr std::uint64_t highest_rate = std::uint64_t{1} << 40U;

constexpr std::array<std::pair<std::string_view, OrphanPolicy>, 3> policies{{
    {"report", OrphanPolicy::report},
    {"delete", OrphanPolicy::remove},
    {"adopt", OrphanPolicy::adopt},
}};

constexpr std::array<std::pair<std::string_view, std::uint64_t ScrubCount::*>, 14> counts{{
    {"blobs", &ScrubCount::blobs},
    {"verified", &ScrubCount::verified},
    {"verified_bytes", &ScrubCount::verified_bytes},
    {"missing", &ScrubCount::missing},
    {"rotten", &ScrubCount::rotten},
    {"unreadable", &ScrubCount::unreadable},
    {"wrong_sizes", &ScrubCount::wrong_sizes},
    {"healed", &ScrubCount::healed},
    {"orphans", &ScrubCount::orphans},
    {"orphan_bytes", &ScrubCount::orphan_bytes},
    {"adopted", &ScrubCount::adopted},
    {"deleted", &ScrubCount::deleted},
    {"stray_uploads", &ScrubCount::stray_uploads},
    {"too_young", &ScrubCount::too_young},
}};

std::optional<json::object> object_in(std::string_view text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.as_object());
}

Result<> read_switch(const json::object& object, std::string_view name, bool& into)
{
    const auto* value = object.if_contains(name);
    if (!value) return {};
    if (!value->is_bool()) return fail(Errc::bad_request, "\"" + std::string{name} + "\" is not a boolean");
    into = value->as_bool();
    return {};
}

Result<std::optional<std::uint64_t>> number_in(const json::object& object, std::string_view name, std::uint64_t most)
{
    const auto* value = object.if_contains(name);
    if (!value) return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<std::uint64_t>(error);
    if (error || number > most) {
        return fail(
            Errc::bad_request, "\"" + std::string{name} + "\" is not a number from 0 to " + std::to_string(most)
        );
    }
    return number;
}

json::object object_of(const ScrubCount& count)
{
    json::object object;
    for (const auto& [name, member] : counts) object[name] = count.*member;
    return object;
}

std::uint64_t kept_number(const json::object& object, std::string_view name)
{
    const auto number = number_in(object, name, UINT64_MAX);
    return number ? number->value_or(0) : 0;
}

std::string_view name_of(ScrubPosition::Phase phase) noexcept
{
    switch (phase) {
        case ScrubPosition::Phase::blobs: return "blobs";
        case ScrubPosition::Phase::uploads: return "uploads";
        case ScrubPosition::Phase::over: break;
    }
    return "over";
}

}  // namespace

Result<ScrubOptions> ScrubOptions::parse(std::string_view text, const ScrubOptions& usual)
{
    if (text.empty()) return usual;
    const auto object = object_in(text);
    if (!object) return fail(Errc::bad_request, "the parameters are not a JSON object");
    return read(*object, usual);
}

Result<ScrubOptions> ScrubOptions::read(const json::object& object, const ScrubOptions& usual)
{
    auto options = usual;
    CHECK(read_switch(object, "verify", options.verify));
    CHECK(read_switch(object, "heal", options.heal));
    TRY(const auto rate, number_in(object, "rate", highest_rate));
    TRY(const auto age, number_in(object, "min_age", static_cast<std::uint64_t>(longest_age)));
    if (rate) options.rate = *rate;
    if (age) options.min_age = static_cast<Micros>(*age) * 1'000'000;
    if (const auto* orphans = object.if_contains("orphans")) {
        bool known = false;
        for (const auto& [name, policy] : policies) {
            if (!orphans->is_string() || orphans->as_string() != name) continue;
            options.orphans = policy;
            known = true;
        }
        if (!known) return fail(Errc::bad_request, "\"orphans\" is none of report, delete, adopt");
    }
    return options;
}

std::string ScrubCount::json() const
{
    return json::serialize(object_of(*this));
}

std::string ScrubPosition::json() const
{
    auto object = object_of(count);
    object["phase"] = name_of(phase);
    object["after"] = after;
    object["began"] = began;
    return json::serialize(object);
}

ScrubPosition ScrubPosition::parse(std::string_view text)
{
    ScrubPosition position;
    const auto object = object_in(text);
    if (!object) return position;
    for (const auto& [name, member] : counts) position.count.*member = kept_number(*object, name);
    position.began = static_cast<Micros>(kept_number(*object, "began"));
    const auto* phase = object->if_contains("phase");
    const auto* after = object->if_contains("after");
    if (!phase || !phase->is_string() || !after || !after->is_string()) return position;
    using enum Phase;
    for (const auto candidate : {blobs, uploads, over}) {
        if (phase->as_string() == name_of(candidate)) position.phase = candidate;
    }
    position.after = std::string{after->as_string()};
    return position;
}

}  // namespace entrepot
