#include "cli/ctl_generic.hpp"

#include <utility>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

void merge(json::object& into, const json::object& from)
{
    for (const auto& [name, value] : from) {
        auto& place = into[name];
        if (place.is_object() && value.is_object())
            merge(place.as_object(), value.as_object());
        else
            place = value;
    }
}

}  // namespace

std::string said_text(const CtlRun& run, std::string_view pattern)
{
    std::string out;
    for (;;) {
        const auto open = pattern.find('{');
        out += pattern.substr(0, open);
        if (open == pattern.npos) return out;
        const auto close = pattern.find('}', open);
        out += run.value(pattern.substr(open + 1, close - open - 1));
        pattern.remove_prefix(close + 1);
    }
}

CtlHandler list_of(std::string_view path, CtlColumns columns)
{
    return [path, columns = std::move(columns)](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        CHECK(run.print_list(full, columns));
        return ctl_exit::success;
    };
}

CtlHandler show_of(std::string_view path, CtlColumns columns)
{
    return [path, columns = std::move(columns)](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        TRY(auto* const api, run.api());
        TRY(const auto object, api->get(full));
        run.print_object(object, columns);
        return ctl_exit::success;
    };
}

CtlHandler text_of(std::string_view path)
{
    return [path](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        TRY(auto* const api, run.api());
        TRY(const auto text, api->get(full));
        if (text.is_string()) run.io().out(std::string{text.as_string()});
        return ctl_exit::success;
    };
}

CtlHandler send_to(std::string_view method, std::string_view path, std::string_view said, json::object fixed)
{
    return [=, fixed = std::move(fixed)](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        TRY(auto body, run.body());
        merge(body, fixed);
        TRY(auto* const api, run.api());
        TRY(const auto answer, api->call(method, full, body));
        CHECK(run.print_change(answer, said_text(run, said)));
        return ctl_exit::success;
    };
}

CtlHandler change_at(std::string_view path, std::string_view said, json::object fixed)
{
    return [=, fixed = std::move(fixed)](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        TRY(auto changes, run.body());
        merge(changes, fixed);
        if (changes.empty()) return fail(Errc::bad_request, "nothing to change is given");
        TRY(auto* const api, run.api());
        TRY(auto before, api->call("GET", full));
        if (!before.body.is_object()) return fail(Errc::internal, fmt::format("{} is no object", full));
        merge(before.body.as_object(), changes);
        TRY(const auto answer, api->call("PUT", full, before.body, before.etag));
        CHECK(run.print_change(answer, said_text(run, said)));
        return ctl_exit::success;
    };
}

CtlHandler delete_at(std::string_view path, std::string_view noun, std::string_view said)
{
    return [=](CtlRun& run) -> Result<int> {
        TRY(const auto full, run.path(path));
        CHECK(run.confirm("Delete " + said_text(run, noun)));
        TRY(auto* const api, run.api());
        CHECK(api->call("DELETE", full));
        run.say(said_text(run, said));
        return ctl_exit::success;
    };
}

}  // namespace entrepot
